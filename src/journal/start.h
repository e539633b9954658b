#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "journal/align.h"
#include "journal/checkpoint.h"

namespace tickbridge::journal {

/// The start path's judgements (recovery.md, "Start, restart, rebuild in place, take-over: one path"), without I/O. The
/// order of the steps is Step's: app walks them with Kafka and the exchange, the model test with a small world.
enum class Step : std::uint8_t {
  kReadCheckpoints,  ///< → newest()
  kWatchOwner,       ///< Liveness; passed over for a rebuild in place, and when the newest checkpoint is clean
  kFence,            ///< make the ends true; passed over when clean or when there is no checkpoint
  kReadEnds,         ///< → check_end()
  kReadSuffix,       ///< → Suffix
  kLogIn,            ///< → judge_login()
  kOwn,              ///< start checkpoint with the next epoch, acknowledged
  kReadBack,         ///< → owns()
  kAlign,            ///< Aligner, in commit
  kRun,
};
[[nodiscard]] std::string_view name(Step step) noexcept;

struct StartFacts {
  bool has_checkpoint = false;
  bool clean = false;
  bool rebuild_in_place = false;
  bool exact = true;  ///< exactly_once: fence, suffix, align; the other modes pass these over
};
/// The step after `step`.
[[nodiscard]] Step next_step(Step step, const StartFacts& facts) noexcept;

/// The newest by epoch, then by number; of several with the same number (start checkpoints of instances that raced for
/// the epoch) the first. nullptr: there is none. `in_order`: as they lie in the topic, the oldest may be missing.
[[nodiscard]] const Checkpoint* newest(const std::vector<Checkpoint>& in_order) noexcept;
/// The highest epoch that anybody has written, whoever won it; 0: none.
[[nodiscard]] std::uint64_t highest_epoch(const std::vector<Checkpoint>& in_order) noexcept;
/// Whether `instance` is the first one of `epoch`, nobody else has gone on in it, and no higher epoch is there.
[[nodiscard]] bool owns(const std::vector<Checkpoint>& in_order, std::uint64_t epoch,
                        std::string_view instance) noexcept;

/// Whether the owner of `base` has written on behind it.
[[nodiscard]] bool goes_on(const std::vector<Checkpoint>& in_order, const Checkpoint& base) noexcept;

/// How long apart the checkpoints of a living owner may be, for one who watches: its interval, or ours if that is
/// longer.
[[nodiscard]] std::chrono::milliseconds watched_interval(const Checkpoint& newest,
                                                         std::chrono::milliseconds ours) noexcept;

/// Tells a living owner from a dead one's last checkpoint: alive is who advances twice while watched, and has not said
/// since that it stops.
/// Whoever sees another epoch begin while watching reads the checkpoints again, and watches again.
class Liveness {
 public:
  explicit Liveness(const Checkpoint& newest) : epoch_{newest.epoch}, number_{newest.number} {}
  void saw(const Checkpoint& checkpoint) noexcept;
  [[nodiscard]] bool alive() const noexcept { return advances_ >= 2; }

 private:
  std::uint64_t epoch_;
  std::uint64_t number_;
  int advances_ = 0;
};

/// REQUIRES: the checkpoint's owner is whoever asks, in place, or has been watched and does not live. Then "settled" is
/// as good as "clean".
inline void settle(Checkpoint& checkpoint) noexcept { checkpoint.clean |= checkpoint.settled; }

/// A partition's range of offsets, and the record at the checkpoint's offset where it is still there.
struct End {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::optional<std::uint64_t> hash_at_offset;
};
/// What a checkpoint's offsets can be held against, by the delivery that its owner had.
enum class Holds : std::uint8_t {
  kNothing,  ///< at_most_once: what was not acknowledged may not be there
  kEnd,      ///< at_least_once: others may write between, so the record at an offset may be theirs
  kRecord,   ///< exactly_once, transactional
};
[[nodiscard]] Holds holds(const Checkpoint& checkpoint) noexcept;
/// Whether the checkpoint's owner had this delivery.
[[nodiscard]] bool delivered(const Checkpoint& checkpoint, std::string_view delivery) noexcept;

/// kData when the partition was re-created or cut short.
[[nodiscard]] Result<void> check_end(std::string_view topic, std::int32_t partition, const PartitionState& state,
                                     const End& end);

/// What the exchange's answer to the login means.
struct LoginFinding {
  bool other_session = false;
  std::uint64_t gap_begin = 0;  ///< [begin, end) of the checkpoint's session cannot be had; end 0: not known how many
  std::uint64_t gap_end = 0;
  [[nodiscard]] bool gap() const noexcept { return gap_begin != 0; }
  std::string decision;  ///< for the barrier's checkpoint; empty: just go on
};
[[nodiscard]] LoginFinding judge_login(const Checkpoint& checkpoint, std::string_view session, std::uint64_t sequence);

/// The checkpoint that takes the ownership (recovery.md, "Own").
struct StartPlan {
  const Checkpoint* previous = nullptr;  ///< newest(); nullptr: there is none
  std::uint64_t highest_epoch = 0;       ///< highest_epoch()
  std::string feed;
  std::string instance;
  std::string topic;
  std::string session;         ///< the login's answer,
  std::uint64_t sequence = 1;  ///< and what comes next in it
  Parameters parameters;       ///< in force from now on (under kOldFirst still the old ones)
  FunctionState fresh;         ///< for another session: the state before its first message
  /// By partition as Aligner::reached() says before any record of the replay; needed where the session goes on.
  std::vector<PartitionState> partitions;
  std::vector<std::int64_t> ends;  ///< by partition: E; more of them than partitions: the topic has grown
  std::string decision;            ///< why this is a barrier, besides what the login's answer says
  bool give_up = false;            ///< --start: the suffixes are given up, positions begin anew at the ends
};
/// Its state_epoch_floor passes over the state entries of other sessions, and, where --start goes back within one,
/// those of the epochs before: whoever restores some of them all the same writes them again under the new epoch.
[[nodiscard]] Checkpoint start_checkpoint(const StartPlan& plan);

/// Whether the exchange's times belong to another day now: the option trading_date or time_zone has changed.
[[nodiscard]] bool another_day(const Parameters& before, const Parameters& now);

/// What a change of the parameters that shape the output means.
struct ParameterFinding {
  enum class Way : std::uint8_t {
    kSame,      ///< or an accepted one that leaves the data topic as it is: nothing but `changes` to be told
    kBarrier,   ///< after a clean stop: recorded by the start checkpoint
    kOldFirst,  ///< accepted after an unclean one: align under the old ones, then change at a barrier
    kRefused,   ///< problem says how to go on
  };
  Way way = Way::kSame;
  std::vector<std::string> changes;  ///< "partitions: 12 -> 24"
  std::string problem;
};
/// `accepted`: --accept-change. More partitions than before is accepted by itself (nobody can undo it): kOldFirst.
/// Another delivery is not accepted after an unclean stop: what lies behind the checkpoint is known to the old one's
/// start path only.
[[nodiscard]] ParameterFinding judge_parameters(const Checkpoint& checkpoint, const Parameters& now, bool accepted);

}  // namespace tickbridge::journal
