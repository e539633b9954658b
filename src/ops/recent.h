#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "metrics/registry.h"

namespace tickbridge::ops {

/// What a feed did lately: the difference of its counts now and some seconds ago.
struct Lately {
  double seconds = 0;  ///< that this is about; 0: nothing known yet
  double messages_per_second = 0;
  double acknowledged_per_second = 0;
  double bytes_per_second = 0;
  struct Times {
    std::uint64_t count = 0;  ///< messages; without any the rest is 0
    std::uint64_t median_ns = 0;
    std::uint64_t p99_ns = 0;
    std::uint64_t p999_ns = 0;
    std::uint64_t max_ns = 0;  ///< the end of its bucket: to 3 %
  };
  std::array<Times, metrics::kStages> latency{};
};

/// Keeps the counts of some seconds ago. Only who looks pays: nothing is sampled while nobody asks, and the first
/// answer after a while is about all of that while. One thread.
class Recent {
 public:
  /// Takes the counts of now, of all feeds that there are; before lately(), and as often as somebody asks.
  void look(const metrics::Registry& registry, SteadyTime now);
  /// Of the last 5 to 10 s where looks come at least each second. Nothing for a feed that look() did not see.
  [[nodiscard]] Lately lately(const std::string& feed) const;

 private:
  using Buckets =
      std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // end in ns, messages: those that hold something
  struct Counts {
    SteadyTime at{};
    std::uint64_t messages = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t bytes = 0;
    std::array<Buckets, metrics::kStages> latency;
  };
  struct Kept {
    Counts older;
    Counts newer;
    Counts now;
  };

  [[nodiscard]] static Counts count(const metrics::FeedMetrics& feed, SteadyTime now);
  [[nodiscard]] static Lately::Times times(const Buckets& before, const Buckets& now);
  [[nodiscard]] static const Counts& base_of(const Kept& kept);

  std::map<std::string, Kept> feeds_;
};

}  // namespace tickbridge::ops
