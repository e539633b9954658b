#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "journal/align.h"
#include "journal/checkpoint.h"
#include "journal/start.h"
#include "sink/compacted_log.h"
#include "sink/producer.h"

namespace tickbridge::app {

/// What the start path found out before the login (recovery.md, "Start, restart, rebuild in place, take-over: one
/// path").
struct Recovered {
  std::optional<journal::Checkpoint> checkpoint;
  std::uint64_t highest_epoch = 0;
  std::vector<std::uint64_t> older_epochs;   ///< to be buried once there is a newer one
  std::vector<std::int64_t> ends;            ///< by partition of the topic
  std::vector<journal::Suffix> suffixes;     ///< by partition, where the log has to be aligned
  std::vector<journal::StateEntry> entries;  ///< the directory at the checkpoint,
  std::vector<journal::StateEntry> later;    ///< and what was learnt behind it
  std::vector<journal::StateBatch> states;   ///< what the state topic holds of this feed, without the entries
  std::vector<journal::Stranger> strangers;  ///< transactional: behind the checkpoint nothing committed is ours
  journal::ParameterFinding parameters;
  bool given_up = false;                            ///< the checkpoint counts no more: --start, or another topic
  std::string why_given_up;                         ///< for the start checkpoint
  bool replays_old = false;                         ///< exactly as kOldFirst says, until aligned
  std::unique_ptr<sink::CompactedLog> checkpoints;  ///< for reading back who owns the feed
};

/// Walks the start path up to the login. Blocks: a thread of its own.
class Recovery {
 public:
  struct Settings {
    const config::Config& config;
    const config::Feed& feed;
    std::optional<std::string> forced_start;
    bool accept_change = false;
    bool in_place = false;
    std::uint64_t own_epoch = 0;  ///< in place: the epoch of the life before; a newer one has another owner
    std::optional<journal::Checkpoint> known =
        {};                ///< in place: the newest one of that epoch, as this process remembers it
    std::string instance;  ///< this process, in checkpoints
    bool transactional = false;
    SteadyTime deadline;
    std::function<void(journal::Step)> on_step;
  };
  Recovery(Settings settings, const sink::TopicInfo& topic) : settings_{std::move(settings)}, topic_{topic} {}

  /// In place: whether somebody else has become the owner meanwhile (kProtocol). To be asked before a transactional
  /// producer is made ready, which would fence that owner.
  [[nodiscard]] Result<void> check_owner();
  /// The same for a first life: watches for a living owner (kProtocol); run() does not again.
  [[nodiscard]] Result<void> watch_first();
  [[nodiscard]] Result<Recovered> run();
  [[nodiscard]] SteadyClock::duration watched_for() const noexcept { return watched_for_; }

 private:
  [[nodiscard]] Result<void> read_checkpoints(std::string_view isolation);
  [[nodiscard]] Result<void> recall();
  [[nodiscard]] Result<void> end_transaction();
  [[nodiscard]] Result<void> await_committed();
  [[nodiscard]] Result<std::vector<sink::Entry>> read_entries(std::string_view isolation);
  [[nodiscard]] Result<void> judge();
  [[nodiscard]] Result<void> watch_owner();
  [[nodiscard]] Result<void> watch_checkpoints();
  [[nodiscard]] Result<void> fence();
  [[nodiscard]] Result<void> read_ends();
  void warn_of_what_is_there() const;
  [[nodiscard]] Result<void> check_ends();
  [[nodiscard]] Result<void> check_count() const;
  [[nodiscard]] Result<void> check_all(const std::vector<journal::End>& ends) const;
  [[nodiscard]] Result<void> read_suffix();
  [[nodiscard]] Result<void> read_strangers();
  [[nodiscard]] Result<void> read_state();
  void take_state(const std::vector<journal::StateBatch>& batches);
  [[nodiscard]] Result<std::vector<journal::Checkpoint>> parse(const std::vector<sink::Entry>& entries) const;
  [[nodiscard]] bool aligns() const;
  [[nodiscard]] bool continues() const;
  [[nodiscard]] bool shared() const;
  [[nodiscard]] std::string transactional_id() const;
  [[nodiscard]] std::string prefix() const { return settings_.feed.name + "/"; }

  Settings settings_;
  const sink::TopicInfo& topic_;
  Recovered found_;
  std::vector<std::int64_t> begins_;
  std::int64_t last_note_ = -1;  ///< the feed's newest record in the checkpoint topic, committed or not
  bool watched_ = false;
  bool saw_newer_ = false;  ///< while watching: what was read and judged before is void
  SteadyClock::duration watched_for_{};
};

/// The parameters in force: the options that shape the output, the topic's partition count and record limit, and what
/// this build's message table says.
[[nodiscard]] journal::Parameters parameters_of(const config::Feed& feed, const sink::TopicInfo& topic);

}  // namespace tickbridge::app
