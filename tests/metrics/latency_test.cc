#include "metrics/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "support/seed.h"

namespace tickbridge::metrics {
namespace {

TEST(LatencyTest, SmallTimesAreExact) {
  Latency latency;
  for (int ns = 0; ns < 64; ++ns) latency.record(ns, 1);
  EXPECT_EQ(latency.count(), 64U);
  EXPECT_DOUBLE_EQ(latency.sum_seconds(), 63 * 64 / 2 * 1e-9);
  EXPECT_EQ(latency.quantile_ns(0.5), 31U);
  EXPECT_EQ(latency.quantile_ns(1), 63U);
  EXPECT_EQ(latency.count_below(10), 10U) << "0 to 9: buckets end where the next one begins";
}

TEST(LatencyTest, NothingRecordedIsNoTime) {
  const Latency latency;
  EXPECT_EQ(latency.quantile_ns(0.999), 0U);
  EXPECT_EQ(latency.max_ns(), 0U);
}

TEST(LatencyTest, CountsMessagesNotCalls) {
  Latency latency;
  latency.record(1'000, 999);
  latency.record(1'000'000, 1);
  EXPECT_EQ(latency.count(), 1000U);
  EXPECT_LT(latency.quantile_ns(0.999), 1'050U);
  EXPECT_EQ(latency.quantile_ns(1), 1'000'000U);
}

TEST(LatencyTest, AClockThatWasSetBackIsNoTimeAtAll) {
  Latency latency;
  latency.record(-5, 3);
  EXPECT_EQ(latency.quantile_ns(1), 0U);
  EXPECT_EQ(latency.count(), 3U);
}

TEST(LatencyTest, TimesOutOfRangeAreInTheLastBucket) {
  Latency latency;
  latency.record(std::int64_t{1} << 50, 1);
  latency.record((std::int64_t{1} << 40) - 1, 1);
  EXPECT_EQ(latency.count(), 2U);
  EXPECT_EQ(latency.quantile_ns(0.5), (std::uint64_t{1} << 40) - 1);
  EXPECT_EQ(latency.quantile_ns(1), std::uint64_t{1} << 40);
}

TEST(LatencyTest, QuantilesAreWithinThreePercentOfTheTruth) {
  std::mt19937_64 dice{tests::seed()};
  std::uniform_real_distribution<double> exponent{0, 39};
  Latency latency;
  std::vector<std::uint64_t> times;
  for (int i = 0; i < 20'000; ++i) {
    times.push_back(static_cast<std::uint64_t>(std::exp2(exponent(dice))));
    latency.record(static_cast<std::int64_t>(times.back()), 1);
  }
  std::sort(times.begin(), times.end());
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(times.size())));
    const std::uint64_t truth = times[rank - 1];
    EXPECT_GE(latency.quantile_ns(share), truth) << share;
    EXPECT_LE(latency.quantile_ns(share), truth + truth / 32 + 1) << share;
  }
}

}  // namespace
}  // namespace tickbridge::metrics
