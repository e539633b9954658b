#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "metrics/feed_metrics.h"
#include "metrics/slotted.h"
#include "metrics/table.h"

namespace tickbridge::metrics {

/// Counters and gauges that belong to no feed. Any thread may call anything.
class DaemonMetrics {
 public:
  void add(DaemonCounter counter, std::uint64_t n) noexcept { counters_.add(static_cast<std::size_t>(counter), n); }
  void set(DaemonGauge gauge, std::int64_t value) noexcept { gauges_.set(static_cast<std::size_t>(gauge), value); }
  void add(DaemonGauge gauge, std::int64_t n) noexcept { gauges_.add(static_cast<std::size_t>(gauge), n); }
  [[nodiscard]] std::uint64_t value(DaemonCounter counter) const noexcept {
    return counters_.value(static_cast<std::size_t>(counter));
  }
  [[nodiscard]] std::int64_t value(DaemonGauge gauge) const noexcept {
    return gauges_.value(static_cast<std::size_t>(gauge));
  }

 private:
  SlottedCounters<static_cast<std::size_t>(DaemonCounter::kCount)> counters_;
  SpacedGauges<static_cast<std::size_t>(DaemonGauge::kCount)> gauges_;
};

/// Owns all that the daemon counts. Feeds keep their address for the registry's life.
class Registry {
 public:
  /// This build's version, started now.
  Registry();
  /// `build`: labels of tickbridge_build_info besides the version, e.g. {"librdkafka", "2.0.2"}.
  explicit Registry(std::string version, SteadyTime started = SteadyClock::now(),
                    std::vector<std::pair<std::string, std::string>> build = {});

  /// Any thread; slow, so at start only. The feed that exists already where the name does, listed again.
  FeedMetrics& add_feed(std::string_view name);
  /// It is listed no more; what holds it may go on counting. Any thread.
  void remove_feed(std::string_view name);
  /// All listed feeds in the order they were added. Any thread.
  [[nodiscard]] std::vector<const FeedMetrics*> feeds() const;

  [[nodiscard]] DaemonMetrics& daemon() noexcept { return daemon_; }
  [[nodiscard]] const DaemonMetrics& daemon() const noexcept { return daemon_; }
  [[nodiscard]] const std::string& version() const noexcept { return version_; }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& build() const noexcept { return build_; }
  [[nodiscard]] double uptime_seconds(SteadyTime now) const noexcept;

 private:
  // Constant after construction.
  std::string version_;
  SteadyTime started_;
  std::vector<std::pair<std::string, std::string>> build_;
  // Any thread.
  DaemonMetrics daemon_;
  mutable std::mutex mutex_;  // guards feeds_
  struct Listed {
    std::unique_ptr<FeedMetrics> feed;
    bool listed = true;
  };
  std::vector<Listed> feeds_;
};

}  // namespace tickbridge::metrics
