#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/events.h"

namespace tickbridge {

/// Whom a line of the log is about; both empty: the daemon.
struct Source {
  std::string_view feed;
  std::string_view facility = {};  ///< a part of the Kafka client library, or the name of its error

  friend auto operator<=>(const Source&, const Source&) = default;
};

/// Lets at most `burst` lines of one event and source through in each interval, which begins with the first line after
/// the last one's end, and remembers how many it held back. Any thread; lines are rare, so a mutex does.
class LogLimit {
 public:
  struct Held {
    Event event;
    std::string feed;
    std::string facility;
    std::uint64_t lines;
  };

  LogLimit(std::uint32_t burst, milliseconds interval) noexcept : burst_{burst}, length_{interval} {}

  void set(std::uint32_t burst, milliseconds interval);

  /// Nothing: hold the line back. Else: how many were held back in the interval before this line's.
  [[nodiscard]] std::optional<std::uint64_t> admit(Event event, const Source& source, SteadyTime now);

  /// What was held back in intervals that are over, and is not told yet; told with this.
  [[nodiscard]] std::vector<Held> take_ended(SteadyTime now);
  /// The same of all intervals.
  [[nodiscard]] std::vector<Held> take_all();

 private:
  struct Key {
    Event event;
    std::string feed;
    std::string facility;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Interval {
    SteadyTime began;
    std::uint32_t lines = 0;
    std::uint64_t held = 0;
  };

  std::mutex mutex_;  // guards all below
  std::uint32_t burst_;
  milliseconds length_;
  std::map<Key, Interval> intervals_;  ///< those that run, or that hold something untold
};

}  // namespace tickbridge
