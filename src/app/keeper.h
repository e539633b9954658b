#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "journal/checkpoint.h"
#include "journal/marks.h"
#include "metrics/feed_metrics.h"
#include "pipeline/barrier.h"
#include "sink/compacted_log.h"
#include "sink/producer.h"

namespace tickbridge::app {

/// Keeps one feed's journal through one life: turns marks and acknowledgements into checkpoints and writes them, one at
/// a time; writes what the directory learns. Main thread only; what Kafka answers is posted to it.
class Keeper : public std::enable_shared_from_this<Keeper> {
 public:
  struct Settings {
    journal::Checkpoint start;  ///< what takes the ownership
    sink::Delivery delivery = sink::Delivery::kExactlyOnce;
    bool aligned = true;             ///< nothing of the log is left to be compared
    std::vector<std::int64_t> ends;  ///< exactly_once: by partition, where this life began to write
  };
  using Then = std::function<void(const Result<void>&)>;

  Keeper(boost::asio::io_context& io, Settings settings, sink::CompactedLog& checkpoints, sink::CompactedLog& states,
         sink::Lane& lane, metrics::FeedMetrics& metrics);

  /// Writes the start checkpoint; `then` when it is acknowledged.
  void begin(Then then);
  /// A report of commit.
  void take(pipeline::MarkReport report);
  /// Writes a checkpoint of what is proved now; `then` when it is acknowledged. While one is in flight, the next one
  /// waits, and of several waiting ones without a decision one is written.
  void write(std::string decision, journal::Follows follows, Then then = {});
  /// The newest one again, with another number: the proof that its owner lives, and nothing new.
  void repeat();
  /// Takes this epoch's checkpoints back: another owner had gone on behind what it began with.
  void withdraw(Then then);
  /// at_most_once: packets before `sequence` may be handed over once this is acknowledged.
  void reserve(std::uint64_t sequence, Then then);
  /// at_most_once: nothing is handed over any more; what was reserved and not used is the next life's.
  void give_back() { reserved_ = final_next_; }
  /// The strangers that were told, for the next checkpoints.
  void know(std::vector<journal::StrangerRange> strangers) { current_.strangers = std::move(strangers); }
  /// The session is left before its end, at this packet.
  void leave(const std::string& session, std::uint64_t at) {
    journal::leave(current_.left, {session, at, current_.state.midnight_ms});
  }
  /// Another session begins: everything before is settled.
  void new_session(std::string session, std::uint64_t next_sequence, const journal::FunctionState& state);
  /// Forgets older epochs, and of the state topic's batches those that are gone. REQUIRES: the start checkpoint is
  /// acknowledged and has been read back as the first one of its epoch, and nothing has been written since: every later
  /// start follows from it. (Not so from a barrier's: who takes the feed over may have read the topic before that one,
  /// and a process that was stopped does not know it yet.)
  void bury(const std::vector<std::uint64_t>& epochs, const std::vector<journal::StateBatch>& states);

  /// The checkpoint as it would be written now, for a transaction. Counts as written.
  [[nodiscard]] journal::Checkpoint next(std::string decision, journal::Follows follows);
  /// Everything that the newest report told of is acknowledged, the directory's news too.
  [[nodiscard]] bool settled();
  [[nodiscard]] bool aligned() const noexcept { return aligned_; }
  [[nodiscard]] bool writing() const noexcept { return writing_; }
  /// How long at most nobody has seen this owner live before the newest checkpoint was acknowledged.
  [[nodiscard]] SteadyClock::duration silence() const noexcept { return silence_; }
  /// exactly_once: in this partition something lies at offset `expected` that this life did not write. Positions stay
  /// before it.
  void jumped(std::int32_t partition, std::int64_t expected);
  /// What is acknowledged by now is the last word: the lane is used no more.
  void leave_lane();
  /// Nothing is written any more: somebody else owns the feed, or its log holds what is not understood yet.
  void freeze() noexcept { frozen_ = true; }
  /// What the log holds is understood: what is proved may be written.
  void thaw() noexcept { frozen_ = false; }
  [[nodiscard]] bool frozen() const noexcept { return frozen_; }
  /// The newest checkpoint, written or on its way.
  [[nodiscard]] const journal::Checkpoint& current() const noexcept { return current_; }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return current_.epoch; }
  [[nodiscard]] const std::string& session() const noexcept { return current_.session; }

 private:
  void bury_own(std::shared_ptr<Then> then, SteadyTime deadline);
  struct Waiting {
    std::string decision;
    journal::Follows follows = journal::Follows::kMore;
    Then then;
  };
  void acknowledge();
  void acknowledge(std::size_t partition, const sink::Acked& has, bool infer);
  /// Whether every offset is the predicted one.
  [[nodiscard]] bool watched() const noexcept;
  [[nodiscard]] bool inferring();
  void send_state(std::uint64_t number);
  void state_answered(std::uint64_t number, const Result<std::int64_t>& answer);
  void send(Waiting waiting);
  /// A checkpoint on its way. One that somebody waits for is tried again.
  struct Attempt {
    std::string key;
    std::string value;
    Then then;
    SteadyTime since;
    std::int64_t since_wall_ns = 0;  ///< a frozen machine's steady clock stands still
  };
  void put(const journal::Checkpoint& checkpoint, Then then);
  void attempt(std::shared_ptr<Attempt> one);
  void answered(const std::shared_ptr<Attempt>& one, const Result<std::int64_t>& answer);

  boost::asio::io_context& io_;
  const sink::Delivery delivery_;
  const std::vector<std::int64_t> ends_;
  sink::CompactedLog& checkpoints_;
  sink::CompactedLog& states_;
  sink::Lane* lane_;  ///< until leave_lane()
  metrics::FeedMetrics& metrics_;

  journal::Checkpoint current_;  ///< the newest one; what the next one keeps
  journal::Marks marks_;
  std::vector<journal::Acked> acked_;
  std::map<std::size_t, std::int64_t> jumps_;  ///< partition → the first offset there that is not this life's
  std::uint64_t reserved_ = 0;
  /// A batch for the state topic, until it and all before it are acknowledged.
  struct StateWrite {
    std::string key;
    std::string value;
    bool acked = false;
  };
  std::deque<StateWrite> state_writes_;
  std::uint64_t state_batches_acked_ = 0;  ///< without a hole: state_writes_ begins behind them
  std::uint64_t final_next_ = 0;           ///< at_most_once: the newest mark's,
  journal::FunctionState final_state_;     ///< and its state: records that were refused are never acknowledged
  std::optional<std::uint64_t> ended_at_;  ///< the session's end came right before this packet
  bool aligned_;
  SteadyTime proved_at_ = SteadyTime::max();  ///< not before this the newest checkpoint got into the topic
  std::int64_t proved_wall_ns_ = std::numeric_limits<std::int64_t>::max();
  SteadyClock::duration silence_{};
  std::optional<SteadyTime> quiet_since_;  ///< nothing has been in flight since,
  std::uint64_t quiet_at_ = 0;             ///< and so many were acknowledged
  bool frozen_ = false;
  bool writing_ = false;
  std::vector<Waiting> waiting_;
};

}  // namespace tickbridge::app
