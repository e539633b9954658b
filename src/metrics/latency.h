#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tickbridge::metrics {

/// How long messages took, in nanoseconds: a log-linear histogram, as HdrHistogram's. Below 64 ns each value has a
/// bucket of its own, above it an octave has 32 of equal width, so a value is known to 3 %; 2^40 ns (18 minutes) and
/// more is the last bucket. Any thread may call anything; what is read meanwhile is consistent to within what is being
/// recorded.
class Latency {
 public:
  static constexpr unsigned kWidthBits = 5;  ///< 32 buckets an octave
  static constexpr unsigned kRangeBits = 40;

  /// `count` messages that took `ns` each. Negative times (a wall clock that was set back) count as 0, and
  /// what is out of range (one that was set forward) as 2^40.
  void record(std::int64_t ns, std::uint64_t count) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept;
  [[nodiscard]] double sum_seconds() const noexcept { return sum_seconds_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t max_ns() const noexcept { return max_ns_.load(std::memory_order_relaxed); }
  /// Messages in buckets that end at or below `ns`.
  [[nodiscard]] std::uint64_t count_below(std::uint64_t ns) const noexcept;
  /// The time that `share` (0 to 1) of all messages did not exceed: the end of its bucket, max_ns() at most; 0: nothing
  /// recorded.
  [[nodiscard]] std::uint64_t quantile_ns(double share) const noexcept;
  /// function(end_ns, count) for each bucket that holds something, upwards.
  template <class Function>
  void for_each(const Function& function) const {
    for (std::size_t i = 0; i < kBuckets; ++i) {
      if (const auto count = counts_[i].load(std::memory_order_relaxed); count != 0) function(end_of(i), count);
    }
  }

 private:
  static constexpr std::size_t kWidth = std::size_t{1} << kWidthBits;
  static constexpr std::size_t kBuckets = kWidth * (kRangeBits - kWidthBits + 1) + 1;

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t ns) noexcept;
  [[nodiscard]] static std::uint64_t end_of(std::size_t bucket) noexcept;

  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<double> sum_seconds_{0};
  std::atomic<std::uint64_t> max_ns_{0};
};

}  // namespace tickbridge::metrics
