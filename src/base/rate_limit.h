#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace tickbridge {

/// Lets at most `most` events through in each interval, and tells with the next one how many it held back. One
/// object a call site, for log lines about bad input:
///
///     static RateLimit limit{10, std::chrono::seconds{1}};
///     if (const auto held_back = limit.admit(now)) spdlog::warn("… ({} like this held back)", *held_back);
///
/// An interval begins with the first event after the last one's end. Any thread; no lock: an event held back
/// costs one load and one addition.
class RateLimit {
 public:
  /// REQUIRES: 0 < most < 2^24, interval >= 1 ms.
  constexpr RateLimit(std::uint32_t most, milliseconds interval) noexcept : most_{most}, interval_{interval} {}

  /// Nothing: hold the event back. Else: how many were held back since the last that went through.
  [[nodiscard]] std::optional<std::uint64_t> admit(SteadyTime now = SteadyClock::now()) noexcept {
    const std::uint64_t time = ticks(now);
    std::uint64_t seen = window_.load();
    while (true) {
      const std::uint64_t next = after(seen, time);
      if (next == seen) {
        held_back_.fetch_add(1);
        return std::nullopt;
      }
      if (window_.compare_exchange_weak(seen, next)) return held_back_.exchange(0);
    }
  }

  /// Events held back since the last that went through.
  [[nodiscard]] std::uint64_t held_back() const noexcept { return held_back_.load(); }

 private:
  // A window is the time of its first event in the upper 40 bits (34 years in ms) and its events in the lower 24.
  static constexpr unsigned kCountBits = 24;
  static constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;

  /// Milliseconds, from 1 on: a window of 0 is one that never began.
  static std::uint64_t ticks(SteadyTime now) noexcept {
    return static_cast<std::uint64_t>(std::chrono::floor<milliseconds>(now.time_since_epoch()).count()) + 1;
  }
  /// The window with one more event at `time`; unchanged: it is full.
  [[nodiscard]] std::uint64_t after(std::uint64_t window, std::uint64_t time) const noexcept {
    const std::uint64_t began = window >> kCountBits;
    // Another thread's `now` may be a little older than the window: then the event is in it.
    const bool over = window == 0 || (time > began && time - began >= static_cast<std::uint64_t>(interval_.count()));
    if (over) return (time << kCountBits) | 1;
    return (window & kCountMask) < most_ ? window + 1 : window;
  }

  std::uint32_t most_;
  milliseconds interval_;
  std::atomic<std::uint64_t> window_{0};
  std::atomic<std::uint64_t> held_back_{0};
};

/// A RateLimit for each kind of event, told apart by name, in fixed memory: two names can share one (one in 32).
class RateLimitByKind {
 public:
  /// REQUIRES: as RateLimit.
  RateLimitByKind(std::uint32_t most, milliseconds interval) noexcept
      : RateLimitByKind{most, interval, std::make_index_sequence<kLimits>{}} {}

  /// As RateLimit::admit.
  [[nodiscard]] std::optional<std::uint64_t> admit(std::string_view kind,
                                                   SteadyTime now = SteadyClock::now()) noexcept {
    return limits_[std::hash<std::string_view>{}(kind) % kLimits].admit(now);
  }

 private:
  static constexpr std::size_t kLimits = 32;

  template <std::size_t... Index>
  RateLimitByKind(std::uint32_t most, milliseconds interval, std::index_sequence<Index...> /*each*/) noexcept
      : limits_{((void)Index, RateLimit{most, interval})...} {}

  std::array<RateLimit, kLimits> limits_;
};

}  // namespace tickbridge
