#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "journal/align.h"
#include "metrics/feed_metrics.h"
#include "pipeline/barrier.h"
#include "pipeline/options.h"
#include "pipeline/sequence.h"
#include "pipeline/task.h"
#include "pipeline/trading_day.h"
#include "routing/directory.h"
#include "sink/producer.h"

namespace tickbridge::pipeline {

/// What the directory knows of a session whose checkpoint was given up (--start): counts where the login goes on in it,
/// at packet `from` or behind. (Later starts restore it, so this one does.)
struct KnownState {
  std::string session;
  std::uint64_t from = 0;
  std::vector<journal::StateEntry> entries;
};

/// Where a life of the feed begins: what recovery has found (recovery.md).
struct Resume {
  std::string session;              ///< what the first login asks for; empty: whichever is current
  std::uint64_t next_sequence = 1;  ///< and its packet; 0: newest
  std::uint64_t asked = 0;          ///< packets from here on are witnesses (journal::witness_from); 0: none
  bool journaled = false;           ///< commit stands still at logins that need a checkpoint, and tells of itself
  bool transactional = false;       ///< nothing at all is handed over before the feed is owned, a gap's letter neither
  bool reserved = false;            ///< at_most_once: nothing is handed over beyond what is reserved
  std::int32_t partitions = 0;      ///< of the data topic, to route by; 0: as many as it has
  std::uint64_t max_record_bytes = 0;           ///< larger ones are dead letters; 0: what the topic takes
  std::optional<journal::FunctionState> state;  ///< at next_sequence of that session
  std::vector<journal::StateEntry> entries;     ///< the directory there
  std::vector<journal::StateEntry> later;       ///< what was learnt behind it; counts where a gap swallows it
  KnownState known;
  bool session_ended = false;              ///< right before next_sequence
  std::vector<journal::LeftSession> left;  ///< before their end: what begins again there would be written again,
  bool single = false;                     ///< and stops the feed, as nothing may be
  std::vector<journal::Suffix> suffixes;   ///< by partition, where the log has to be aligned; else empty
  bool clean = false;                      ///< the checkpoint is
  bool until_aligned = false;              ///< other parameters count from there on: commit stands still
};

/// Hands a feed's records over, in feed order: all that has state lives here. One thread at a time (the
/// holder of the feed's commit turn); never blocks.
///
/// A piece of a task is routed once (sequence check, directory, key, partition, time), its records grouped by
/// partition, and then handed over a partition at a time. When the producer is full, the cursor (partition,
/// index) stays where it is, and commit() with the same piece goes on there.
class Committer {
 public:
  struct Settings {
    std::string feed;
    FeedPolicies policies;
    sink::WhenFull when_full = sink::WhenFull::kWait;
    milliseconds max_block{60'000};
    std::uint64_t transaction_messages = 0;  ///< handed over since the last barrier: commit stands still; 0: never
    Resume resume;
  };
  enum class Progress : std::uint8_t {
    kDone,     ///< the piece is handed over, or dropped and counted
    kFull,     ///< no room: commit the same piece again when there is
    kBarrier,  ///< stands still at barrier(): commit the same piece again when that is passed
    kFailed,   ///< the feed has to stop: problem() says why; what came before was handed over
  };

  Committer(Settings settings, const codec::Protocol& protocol, TradingDay day, routing::Directory directory,
            sink::Lane& lane, metrics::FeedMetrics& metrics, std::size_t max_records);

  /// at_most_once: packets `before` may be handed over; of the others, those before `dropped_before` are dropped.
  struct Reserved {
    std::uint64_t before = 0;
    std::uint64_t dropped_before = 0;
  };
  /// `reserved` counts with Resume::reserved only.
  [[nodiscard]] Progress commit(const Task& task, SteadyTime now, Reserved reserved);
  /// All pieces of the task are committed.
  void finish(const Task& task) noexcept {
    sequence_.advance(task.packets);
    between_tasks_ = true;
  }
  /// Between two barriers is a transaction; true: it holds as many records as it may.
  [[nodiscard]] bool transaction_full() const noexcept {
    return settings_.transaction_messages != 0 && in_transaction_ >= settings_.transaction_messages;
  }
  void end_transaction() noexcept { in_transaction_ = 0; }
  /// What alignment has passed over since the last report.
  [[nodiscard]] std::vector<journal::Stranger> take_strangers();
  /// true: this life has done its part (Resume::until_aligned).
  [[nodiscard]] bool aligned_for_good() const noexcept {
    return settings_.resume.until_aligned && !own_pending_ && !aligner_;
  }
  [[nodiscard]] Barrier take_barrier() { return std::move(barrier_); }
  /// True where report() may be asked for: what has been handed over ends between two packets.
  [[nodiscard]] bool between_tasks() const noexcept { return between_tasks_; }
  [[nodiscard]] MarkReport report();
  [[nodiscard]] const Error& problem() const noexcept { return problem_; }

 private:
  /// Where a record goes: a partition, or one of these.
  static constexpr std::int32_t kNowhere = -1;
  struct Target {
    const char* key = nullptr;
    std::uint32_t key_size = 0;
    std::int32_t partition = kNowhere;
    std::int64_t timestamp_ms = 0;
  };
  struct Tally;  // counts of one piece, added to the metrics at its end

  void route(const Task& task);
  [[nodiscard]] bool route_record(const Task& task, std::size_t i, Tally& tally);
  [[nodiscard]] bool route_message(const Record& record, const Task& task, Target& target, Tally& tally);
  void bound(const Record& record, std::size_t i, std::size_t most);
  [[nodiscard]] bool route_invalid(const Record& record, Target& target, Tally& tally);
  [[nodiscard]] std::optional<Progress> before_piece(const Task& task, SteadyTime now, Reserved reserved);
  [[nodiscard]] Progress stand(SteadyTime now);
  void drop_piece(const Task& task);
  [[nodiscard]] bool take_login(const Record& record);
  void own(const SequenceFinding& finding);
  void remember_gap(const SequenceFinding& finding);
  void know(const journal::StateEntry& entry);
  void leave_suffix(const SequenceFinding& finding);
  void restore();
  void align(const Task& task);
  void align_record(const Task& task, std::size_t i);
  void tell_aligned(const Task& task) const;
  void finish_aligning();
  void note_learnt(const Record& record);
  void tell_keyed_by_number(const routing::Learnt& learnt, const Record& record);
  void note_handed(const Task& task);
  [[nodiscard]] bool give_gap_letters();
  [[nodiscard]] bool note_left(const Barrier& barrier);
  [[nodiscard]] bool note_return(const std::string& session);
  [[nodiscard]] bool note_gap(const std::string& session, std::uint64_t begin, const std::string& range);
  [[nodiscard]] bool route_mold(const Record& record);
  [[nodiscard]] bool note(const SequenceFinding& finding, const std::string& session);
  [[nodiscard]] bool repeats(const Record& record, Tally& tally);
  [[nodiscard]] bool asked_for(std::uint64_t sequence) const noexcept;
  void witness(const Record& record);
  [[nodiscard]] std::int64_t timestamp(const Record& record, const Task& task) noexcept;
  void group(const Task& task);

  [[nodiscard]] Progress hand_over(const Task& task, SteadyTime now);
  [[nodiscard]] bool hand_over_partition(const Task& task, std::int32_t partition);
  [[nodiscard]] bool hand_over_dead_letters(const Task& task);
  [[nodiscard]] Progress full(SteadyTime now);
  void drop_rest();
  void hold(std::size_t messages);
  void fill(const Task& task, std::size_t begin, std::size_t end);
  [[nodiscard]] std::int32_t dead_letters() const noexcept { return partitions_; }

  // constant after construction
  Settings settings_;
  const codec::Protocol& protocol_;
  TradingDay day_;
  sink::Lane& lane_;
  metrics::FeedMetrics& metrics_;
  std::int32_t partitions_;
  std::size_t max_record_bytes_;
  std::size_t max_dead_letter_bytes_;

  // the feed's function: its state
  routing::Directory directory_;
  PacketSequence sequence_;
  MoldSequence mold_;
  std::uint64_t counted_repeat_ = 0;  // the packet that kSequenceRepeats counted last, since the login
  std::int64_t midnight_ms_;
  std::int64_t last_timestamp_ms_;

  // what the journal is told of
  std::optional<journal::Aligner> aligner_;
  std::optional<SteadyTime> aligning_since_;
  bool aligned_told_ = false;
  std::vector<std::pair<std::int32_t, journal::PartitionState>> matched_;  // at the end of alignment, untold
  std::vector<journal::Stranger> strangers_;                               // as well
  std::vector<journal::Handed> handed_;                                    // by partition
  std::optional<std::string> keyed_by_number_in_;                          ///< the session in which that was told
  std::vector<journal::StateEntry> learnt_;
  std::uint64_t state_batches_ = 0;
  std::uint64_t dead_lettered_ = 0;
  std::uint64_t in_transaction_ = 0;  // records handed over since the last barrier
  bool own_pending_;                  // no login yet in this life
  bool login_taken_ = false;          // the piece's login is worked off
  bool between_tasks_ = true;
  bool dropping_ = false;  // the piece is not reserved, and is to be dropped
  Barrier barrier_;
  bool barrier_due_ = false;  // in front of the piece
  bool joined_;               // a session, in this life or the one before
  bool ended_;                // and its end has come
  struct GapLetter {
    std::string session;
    std::uint64_t begin = 0;
    std::string text;
  };
  std::vector<GapLetter> gap_letters_;  // dead letters that tell of gaps, to be handed over first

  // the current piece
  bool routed_ = false;
  std::vector<Target> targets_;           // by record
  std::vector<std::uint32_t> begin_;      // by partition (dead letters last): where its group begins in order_
  std::vector<std::uint32_t> order_;      // records grouped by partition, in feed order within
  std::vector<codec::Reason> reasons_;    // by record: why it is a dead letter
  std::vector<std::uint64_t> hashes_;     // by record, while aligning
  std::vector<sink::Outgoing> outgoing_;  // the group being handed over
  std::int32_t cursor_partition_ = 0;
  std::size_t cursor_index_ = 0;  // into order_
  std::size_t held_ = 0;          // as the gauge says
  std::optional<SteadyTime> full_since_;
  std::optional<Error> stop_;  // the feed stops behind this piece
  Error problem_;
};

}  // namespace tickbridge::pipeline
