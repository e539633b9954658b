#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/cache_line.h"
#include "base/clock.h"
#include "pipeline/feed.h"
#include "ring/parking.h"

namespace tickbridge::pipeline {

/// The threads that decode and commit for all feeds. A worker with nothing to do sleeps.
class Workers {
 public:
  /// Starts `count` threads. The feeds and the parking must outlive them.
  Workers(std::size_t count, std::vector<Feed*> feeds, ring::Parking& parking);
  ~Workers() { stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Ends the threads after what they are doing now.
  void stop();
  /// False if a worker has been at one piece of work for longer than `limit`. Any thread.
  [[nodiscard]] bool progressing(milliseconds limit = milliseconds{10'000}) const noexcept;

 private:
  /// When a worker began what it is doing, steady clock; 0: it sleeps.
  struct alignas(kCacheLine) Beat {
    std::atomic<SteadyClock::rep> since{0};
  };
  void run(const std::stop_token& stop, std::size_t index);
  [[nodiscard]] bool look_once(std::size_t first);

  std::vector<Feed*> feeds_;
  ring::Parking& parking_;
  std::vector<Beat> beats_;
  std::vector<std::jthread> threads_;
};

}  // namespace tickbridge::pipeline
