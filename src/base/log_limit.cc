#include "base/log_limit.h"

namespace tickbridge {

void LogLimit::set(std::uint32_t burst, milliseconds interval) {
  const std::scoped_lock lock{mutex_};
  burst_ = burst;
  length_ = interval;
}

std::optional<std::uint64_t> LogLimit::admit(Event event, const Source& source, SteadyTime now) {
  const std::scoped_lock lock{mutex_};
  const auto [place, fresh] = intervals_.try_emplace(Key{event, std::string{source.feed}, std::string{source.facility}},
                                                     Interval{.began = now});
  Interval& interval = place->second;
  std::uint64_t held = 0;
  if (now - interval.began >= length_) {
    held = interval.held;
    interval = {.began = now};
  }
  if (interval.lines >= burst_) {
    ++interval.held;
    return std::nullopt;
  }
  ++interval.lines;
  return held;
}

std::vector<LogLimit::Held> LogLimit::take_ended(SteadyTime now) {
  const std::scoped_lock lock{mutex_};
  std::vector<Held> told;
  std::erase_if(intervals_, [&](const auto& entry) {
    const auto& [key, interval] = entry;
    if (now - interval.began < length_) return false;
    if (interval.held != 0) told.push_back({key.event, key.feed, key.facility, interval.held});
    return true;
  });
  return told;
}

std::vector<LogLimit::Held> LogLimit::take_all() { return take_ended(SteadyTime::max()); }

}  // namespace tickbridge
