#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace tickbridge::embedded {

/// While it lives, knocks at a broker's port every few milliseconds. The mock cluster's thread can lose the wake-up of
/// a command (it empties its wake-up pipe behind serving its commands, rd_kafka_mock_cluster_io_poll) and then sleeps
/// for a second; any connection wakes it.
class Nudge {
 public:
  explicit Nudge(std::uint16_t port);

 private:
  void run(const std::stop_token& stop);

  const std::uint16_t port_;
  std::mutex mutex_;  // for asleep_ only
  std::condition_variable_any asleep_;
  std::jthread thread_;  // last: it uses all above
};

}  // namespace tickbridge::embedded
