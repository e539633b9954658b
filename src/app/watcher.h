#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "config/config.h"
#include "sink/compacted_log.h"

namespace tickbridge::app {

/// What others do while the daemon runs: newer epochs in the checkpoint topic (recovery.md, "While running: watch"),
/// partitions added to the data topics, topics deleted. A thread of its own; blocks on Kafka.
class Watcher {
 public:
  struct Events {  // on the watcher's thread
    /// A checkpoint of another instance.
    std::function<void(const std::string& feed, std::uint64_t epoch, const std::string& instance)> on_epoch;
    /// How many partitions a topic has, at every look.
    std::function<void(const std::string& topic, std::int32_t partitions)> on_partitions;
    /// The checkpoint topic was deleted and is there again, empty.
    std::function<void()> on_lost_checkpoints;
  };

  /// `checkpoints` and `states` outlive it; nobody else reads on in them.
  Watcher(std::shared_ptr<const config::Config> config, std::string instance, sink::CompactedLog& checkpoints,
          sink::CompactedLog& states, Events events);
  /// Another configuration, with other topics to look at. Any thread.
  void adopt(std::shared_ptr<const config::Config> config);

 private:
  void run(const std::stop_token& stop);
  void look_at_epochs();
  void look_at_topics(const std::stop_token& stop);
  void restore_journal();
  [[nodiscard]] std::shared_ptr<const config::Config> config();

  const std::string instance_;
  sink::CompactedLog& checkpoints_;
  sink::CompactedLog& states_;
  const Events events_;
  std::mutex mutex_;  ///< guards config_
  std::shared_ptr<const config::Config> config_;
  SteadyTime looked_at_;
  std::jthread thread_;  ///< last: it uses the others
};

}  // namespace tickbridge::app
