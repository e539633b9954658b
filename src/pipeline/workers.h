#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

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

 private:
  void run(const std::stop_token& stop, std::size_t first);
  [[nodiscard]] bool look_once(std::size_t first);

  std::vector<Feed*> feeds_;
  ring::Parking& parking_;
  std::vector<std::jthread> threads_;
};

}  // namespace tickbridge::pipeline
