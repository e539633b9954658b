#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tickbridge::net {

/// How long to wait before the next attempt: doubling between two limits, with jitter so that many
/// daemons cut off at once do not come back at once.
class Backoff {
 public:
  using Delay = std::chrono::milliseconds;

  Backoff(Delay min, Delay max, std::uint64_t seed) : min_{min}, max_{max}, next_{min}, random_{seed | 1U} {}

  /// Between half of the current delay and all of it.
  [[nodiscard]] Delay next() noexcept {
    const Delay whole = next_;
    next_ = std::min(max_, next_ * 2);
    random_ ^= random_ << 13U;  // xorshift64: quality does not matter here
    random_ ^= random_ >> 7U;
    random_ ^= random_ << 17U;
    const auto half = static_cast<std::uint64_t>(whole.count() / 2);
    return whole - Delay{static_cast<Delay::rep>(random_ % (half + 1))};
  }
  /// An attempt brought something.
  void reset() noexcept { next_ = min_; }
  [[nodiscard]] Delay max() const noexcept { return max_; }

 private:
  Delay min_;
  Delay max_;
  Delay next_;
  std::uint64_t random_;
};

}  // namespace tickbridge::net
