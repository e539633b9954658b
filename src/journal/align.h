#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
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
  PartitionState from;        ///< what the checkpoint says
  std::int64_t end = 0;       ///< E: the next offset to be written
  std::vector<Found> found;   ///< from.offset + 1 … end - 1, data records only, in order of offset
  std::int64_t lost = 0;      ///< offsets behind from.offset that retention has deleted
};

/// What is to be done with a record of the replay.
enum class Alignment : std::uint8_t {
  kWrite,    ///< not in the log yet
  kThere,    ///< in the log already: skip
  kFailed,   ///< cannot be aligned: stop with 65, nothing written
};

/// A record of the log that the feed's function does not account for.
struct Stranger {
  enum class Kind : std::uint8_t { kForeign, kDouble };
  Kind kind = Kind::kForeign;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
};

/// Compares the replay with what the log holds behind the checkpoint (recovery.md, "Align"). Pure; the thread that commits.
class Aligner {
 public:
  struct Settings {
    bool clean = false;     ///< the checkpoint is clean: whatever is in the suffix is not ours
    bool by_content = false;  ///< the replay begins behind a gap, or after retention: search, never count
  };
  Aligner(Settings settings, std::vector<Suffix> suffixes);

  /// The partition's next record of the replay, in feed order.
  [[nodiscard]] Alignment next(std::int32_t partition, Position position, std::uint64_t hash);
  /// A record that comes later for this partition (look-ahead within the piece at hand), before next() is called for it:
  /// what tells a hole in the log (65) from somebody else's records at its end. Optional.
  void expect(std::int32_t partition, std::uint64_t hash);

  /// True when every partition's suffix is used up and every further record is to be written (records at or before their
  /// partition's checkpointed position excepted, which next() knows for as long as it is asked).
  [[nodiscard]] bool aligned() const noexcept { return open_ == 0; }
  /// True once no record at or before `position` needs dropping any more and aligned(): the aligner can go.
  [[nodiscard]] bool done(Position position) const noexcept;

  /// What was matched last (position, offset, hash), for checkpoints written meanwhile.
  [[nodiscard]] const PartitionState& reached(std::int32_t partition) const;
  /// Strangers found since the last call.
  [[nodiscard]] std::vector<Stranger> take_strangers();
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  /// Suffix records matched so far, and all of them.
  [[nodiscard]] std::uint64_t matched() const noexcept { return matched_; }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

 private:
  std::size_t open_ = 0;
  std::uint64_t matched_ = 0;
  std::uint64_t total_ = 0;
  std::string problem_;
  // further private state is the implementation's
};

}  // namespace tickbridge::journal
