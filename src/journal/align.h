#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "journal/checkpoint.h"

namespace tickbridge::journal {

/// A data record behind a partition's checkpointed offset, as read back.
struct Found {
  std::int64_t offset = 0;
  std::uint64_t hash = 0;  ///< record_hash
};

/// A partition of the log at start.
struct Suffix {
  PartitionState from;       ///< what the checkpoint says
  std::int64_t end = 0;      ///< E: the next offset to be written
  std::vector<Found> found;  ///< from.offset + 1 … end - 1, data records only, in order of offset
  /// Hashes of records at and before from.offset, some thousands are enough: whatever equals one of them is a copy.
  /// Without them a late batch of a dead process, behind a checkpoint that has passed it, looks like somebody else's
  /// records.
  std::vector<std::uint64_t> before = {};
  std::int64_t lost = 0;  ///< offsets behind from.offset that retention has deleted
};

/// The packet to ask the exchange for: next_sequence; or, where something lies behind the checkpoint and all its
/// records come before next_sequence, the newest of those. (Nothing of the replay may equal anything behind them: the
/// feed stood still, and somebody else has written. It takes a record that both know to show that they belong
/// together.)
[[nodiscard]] std::uint64_t witness_from(const Checkpoint& checkpoint, const std::vector<Suffix>& suffixes) noexcept;

/// What is to be done with a record of the replay.
enum class Alignment : std::uint8_t {
  kWrite,   ///< not in the log yet
  kThere,   ///< in the log already: skip
  kFailed,  ///< cannot be aligned: stop with 65, nothing written
};

/// A record of the log that the feed's function does not account for.
struct Stranger {
  enum class Kind : std::uint8_t {
    kForeign,
    kDouble,
    kCounted,  ///< no stranger: the last of `count` records that retention has deleted, and that were taken for ours
               ///< unseen
  };
  Kind kind = Kind::kForeign;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::uint64_t count = 1;  ///< kCounted
};

/// Compares the replay with what the log holds behind the checkpoint (recovery.md, "Align"). Pure; the thread that
/// commits.
class Aligner {
 public:
  struct Settings {
    bool clean = false;       ///< the checkpoint is clean: whatever is in the suffix is not ours
    bool by_content = false;  ///< the replay begins behind a gap: search, never count
  };
  /// `suffixes`: one for each partition that is written, new ones too (from.offset = end - 1).
  Aligner(Settings settings, std::vector<Suffix> suffixes);
  ~Aligner();
  Aligner(Aligner&&) noexcept;
  Aligner& operator=(Aligner&&) noexcept;

  /// The partition's next record of the replay, in feed order.
  ///
  /// Records at or before the checkpointed position are kThere. Each one behind it is looked for in what is left of the
  /// suffix: the next one: kThere. A later one: what lies before it is told (take_strangers) and passed over; kThere.
  /// None: the rest of the suffix is told and passed over, if anything shows that log and replay belong together
  /// (something has matched, or expect() has named something that will); the partition is aligned; kWrite. If not, or
  /// if a record that expect() has named lies in the rest (the log has a hole): kFailed.
  [[nodiscard]] Alignment next(std::int32_t partition, Position position, std::uint64_t hash);
  /// A record that comes later for this partition (look-ahead within the piece at hand), before next() is called for
  /// it: what tells a hole in the log (65) from somebody else's records at its end, and what shows that log and replay
  /// belong together before the first match. Optional; in the order of next(). Passed over for partitions that are
  /// aligned.
  void expect(std::int32_t partition, std::uint64_t hash);
  /// A record of the replay before the checkpoint's next_sequence (witness_from): if it is the one that the checkpoint
  /// knows at its position, log and replay belong together, whatever lies in the suffixes.
  void witness(Position position, std::uint64_t hash) noexcept;
  /// The replay leaves a gap from here on: partitions that are not aligned yet are searched by content, and what they
  /// hold from inside the gap is ours.
  void gap_opens() noexcept;

  /// The session has ended and all of it was given to next(): nothing of ours can follow, what is left is told.
  void finish();

  /// True when every partition's suffix is used up and every further record is to be written (records at or before
  /// their partition's checkpointed position excepted, which next() knows for as long as it is asked).
  [[nodiscard]] bool aligned() const noexcept { return open_ == 0; }
  /// True once aligned() and no partition's checkpointed position lies behind `position`, up to which the feed was
  /// taken. Only then a barrier may change what shapes the output: before, records that the log holds already are still
  /// to come.
  [[nodiscard]] bool caught_up(Position position) const noexcept { return open_ == 0 && position >= last_position_; }
  /// True once no record at or before `position` needs dropping any more and aligned(): the aligner can go. (Where
  /// somebody else's records ended a partition it stays for the next 65,536 records of it: one of them among those was
  /// a hole.)
  [[nodiscard]] bool done(Position position) const noexcept;

  /// What was matched last (position, offset, hash, markers behind it), for checkpoints written meanwhile, the start
  /// checkpoint included. Where the rest of a suffix turned out to be somebody else's (after a clean stop: all of it,
  /// at once) it says so too, and no later start has to judge it again. Every mark made before done() must have these
  /// beside it, in Marks::matched().
  [[nodiscard]] const PartitionState& reached(std::int32_t partition) const;
  /// Strangers found since the last call. To be told once the feed is owned: who loses the race for it may have read
  /// the winner's first records as somebody else's.
  [[nodiscard]] std::vector<Stranger> take_strangers();
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  /// Suffix records matched so far, and all of them.
  [[nodiscard]] std::uint64_t matched() const noexcept { return matched_; }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  /// Records taken as written by count alone, because retention has deleted the offsets they had: a guess to be told.
  [[nodiscard]] std::uint64_t counted() const noexcept { return counted_; }
  /// Suffix records passed over as ours from inside a gap.
  [[nodiscard]] std::uint64_t from_gap() const noexcept { return from_gap_; }

 private:
  struct Partition;

  [[nodiscard]] Alignment at_or_before(Partition& partition, Position position, std::uint64_t hash);
  [[nodiscard]] Alignment search(Partition& partition, Position position, std::uint64_t hash);
  [[nodiscard]] Alignment without_match(Partition& partition, Position position);
  [[nodiscard]] Alignment count_lost(Partition& partition, Position position);
  [[nodiscard]] Alignment behind_suffix(Partition& partition, std::uint64_t hash);
  Alignment match(Partition& partition, std::size_t at, Position position);
  Alignment fail(const Partition& partition, std::int64_t offset, std::string_view what);
  void pass_over(Partition& partition, std::size_t to, bool at_end);
  [[nodiscard]] static std::size_t known_strangers(const Partition& partition);
  void pass_known_strangers(Partition& partition);
  void give_up_rest(Partition& partition, bool at_end);
  void close(Partition& partition);

  Settings settings_;
  std::vector<Partition> partitions_;
  std::size_t open_ = 0;
  std::size_t watched_ = 0;  // partitions aligned with somebody else's records at their ends, still compared
  bool evidence_ = false;    // log and replay belong together
  Position last_position_;   // the furthest checkpointed one
  std::uint64_t matched_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t counted_ = 0;
  std::uint64_t from_gap_ = 0;
  std::vector<Stranger> strangers_;
  std::string problem_;
};

}  // namespace tickbridge::journal
