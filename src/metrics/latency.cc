#include "metrics/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tickbridge::metrics {

// Octave o (of 0 …) begins at 32 << o; the first 32 values are buckets of width 1, as those of octave 0.
std::size_t Latency::bucket_of(std::uint64_t ns) noexcept {
  if (ns >= std::uint64_t{1} << kRangeBits) return kBuckets - 1;
  if (ns < kWidth) return ns;
  const auto octave = static_cast<unsigned>(std::bit_width(ns)) - 1 - kWidthBits;
  return kWidth * octave + (ns >> octave);
}

std::uint64_t Latency::end_of(std::size_t bucket) noexcept {
  if (bucket < kWidth) return bucket + 1;
  const std::size_t octave = bucket / kWidth - 1;
  return (bucket % kWidth + kWidth + 1) << octave;
}

void Latency::record(std::int64_t ns, std::uint64_t count) noexcept {
  const auto took = static_cast<std::uint64_t>(std::clamp<std::int64_t>(ns, 0, std::int64_t{1} << kRangeBits));
  counts_[bucket_of(took)].fetch_add(count, std::memory_order_relaxed);
  sum_seconds_.fetch_add(static_cast<double>(took) * 1e-9 * static_cast<double>(count), std::memory_order_relaxed);
  std::uint64_t highest = max_ns_.load(std::memory_order_relaxed);
  while (took > highest && !max_ns_.compare_exchange_weak(highest, took, std::memory_order_relaxed)) {
  }
}

std::uint64_t Latency::count() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& count : counts_) sum += count.load(std::memory_order_relaxed);
  return sum;
}

std::uint64_t Latency::count_below(std::uint64_t ns) const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBuckets - 1 && end_of(i) <= ns; ++i) sum += counts_[i].load(std::memory_order_relaxed);
  return sum;
}

std::uint64_t Latency::quantile_ns(double share) const noexcept {
  const std::uint64_t all = count();
  if (all == 0) return 0;
  const auto wanted =
      std::max<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(all))), 1);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBuckets - 1; ++i) {
    sum += counts_[i].load(std::memory_order_relaxed);
    if (sum >= wanted) return std::min(end_of(i) - 1, max_ns());
  }
  return max_ns();
}

}  // namespace tickbridge::metrics
