#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tickbridge::bench {

/// When each message is due, in ns from the start: `rate` a second, evenly, those of each `every_us` together at its
/// end; and, with `bursts`, once a second the opening bell on top of that: 480 messages at one instant, 520 evenly over
/// the next 2.4 ms. It is made before the start and waits for nobody: what a stall delays is still due when it was due.
[[nodiscard]] inline std::vector<std::int64_t> schedule(std::uint64_t rate, std::uint64_t seconds, bool bursts,
                                                        std::int64_t every_us) {
  constexpr std::int64_t kSecond = 1'000'000'000, kBurst = 2'400'000;
  constexpr std::int64_t kAtOnce = 480, kRest = 520;
  std::vector<std::int64_t> due(rate * seconds);
  for (std::size_t i = 0; i < due.size(); ++i) {
    const auto exact = static_cast<std::int64_t>(i / rate * kSecond + i % rate * kSecond / rate);
    due[i] = every_us == 0 ? exact : (exact / (every_us * 1000) + 1) * every_us * 1000;
  }
  for (std::int64_t second = 0; bursts && second < static_cast<std::int64_t>(seconds); ++second) {
    const std::int64_t bell = second * kSecond + kSecond / 2;
    due.insert(due.end(), kAtOnce, bell);
    for (std::int64_t i = 1; i <= kRest; ++i) due.push_back(bell + i * kBurst / kRest);
  }
  std::ranges::sort(due);
  return due;
}

[[nodiscard]] inline std::int64_t now_ns() noexcept {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

/// Fine with a PR_SET_TIMERSLACK of 1.
inline void sleep_until(std::int64_t ns) noexcept {
  const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
  clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, nullptr);
}

}  // namespace tickbridge::bench
