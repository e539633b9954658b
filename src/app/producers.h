#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "metrics/registry.h"
#include "sink/producer.h"

namespace tickbridge::app {

/// The producers that feeds share: one for each way of delivering and sending, a transactional feed has its own. Any
/// thread.
class Producers {
 public:
  /// `on_fatal`: a producer can do nothing any more; called by its delivery thread.
  using OnFatal = std::function<void(const sink::Producer*, const Error&)>;
  Producers(metrics::DaemonMetrics& counts, OnFatal on_fatal) : counts_{counts}, on_fatal_{std::move(on_fatal)} {}

  /// The settings of producers that are made from now on. `renewed`: of all, so that nobody gets one of before.
  void configure(std::shared_ptr<const config::Config> config, bool renewed);

  /// The feed's producer, created if there is none, or a dead one. Blocks. It may die before `on_fatal` can name it to
  /// the feed: that looks at failed() once it could be found.
  [[nodiscard]] Result<std::shared_ptr<sink::Producer>> get(const config::Feed& feed);
  /// Opens the feed's lane there. Blocks up to the deadline.
  [[nodiscard]] Result<std::unique_ptr<sink::Lane>> open_lane(sink::Producer& producer, const config::Feed& feed,
                                                              metrics::FeedMetrics& metrics, sink::LaneEvents events,
                                                              milliseconds deadline);
  /// Nobody gets this one any more; it ends with the last feed that has it.
  void retire(const sink::Producer* producer);
  /// False if one of them has no connection, or can do nothing any more.
  [[nodiscard]] bool can_write();
  /// False if a delivery thread has been at one piece of work for longer than `limit`.
  [[nodiscard]] bool progressing(milliseconds limit = milliseconds{10'000});

 private:
  struct Shared {
    sink::Delivery delivery;
    sink::Send send;
    std::string feed;                          // transactional: whose
    std::shared_ptr<sink::Producer> producer;  // shared by the feeds that write through it
  };
  [[nodiscard]] std::vector<std::shared_ptr<sink::Producer>> all();

  [[nodiscard]] std::shared_ptr<const config::Config> config();

  metrics::DaemonMetrics& counts_;
  const OnFatal on_fatal_;
  std::mutex opening_;  // one thread at a time creates and opens
  std::mutex mutex_;    // guards what follows
  std::shared_ptr<const config::Config> config_;
  std::vector<Shared> shared_;
};

}  // namespace tickbridge::app
