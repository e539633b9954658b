#include "metrics/feed_metrics.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>
#include <vector>

namespace tickbridge::metrics {
namespace {

constexpr std::uint64_t kAdds = 200'000;  // long enough that threads meet

void add_from_threads(FeedMetrics& metrics, std::ptrdiff_t threads) {
  std::latch all{threads};
  std::vector<std::jthread> running;
  for (std::ptrdiff_t i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      metrics.add(FeedCounter::kReads, 1);  // takes the slot
      all.arrive_and_wait();
      for (std::uint64_t n = 1; n < kAdds; ++n) metrics.add(FeedCounter::kReads, 1);
    });
  }
}

TEST(FeedMetrics, CountsExactlyFromManyThreads) {
  FeedMetrics metrics{"a"};
  add_from_threads(metrics, 4);
  EXPECT_EQ(metrics.value(FeedCounter::kReads), 4 * kAdds);
}

TEST(FeedMetrics, CountsExactlyFromMoreThreadsThanSlots) {
  FeedMetrics metrics{"a"};
  add_from_threads(metrics, 80);
  EXPECT_EQ(metrics.value(FeedCounter::kReads), 80 * kAdds);
}

TEST(FeedMetrics, KeepsTheCountsOfThreadsThatEnded) {
  FeedMetrics metrics{"a"};
  for (int i = 0; i < 200; ++i) std::jthread{[&] { metrics.add(FeedCounter::kTasks, 1); }};
  EXPECT_EQ(metrics.value(FeedCounter::kTasks), 200U);
}

TEST(FeedMetrics, NeverGoesBackWhileItIsRead) {
  FeedMetrics metrics{"a"};
  std::jthread writer{[&] { add_from_threads(metrics, 3); }};
  std::uint64_t last = 0;
  while (last < 3 * kAdds) {
    const std::uint64_t now = metrics.value(FeedCounter::kReads);
    ASSERT_GE(now, last);
    last = now;
    metrics.set_session("s");
    (void)metrics.session();
  }
  EXPECT_EQ(last, 3 * kAdds);
}

TEST(FeedMetrics, CountsEachCounterAndGaugeApart) {
  FeedMetrics metrics{"a"};
  for (std::size_t i = 0; i < kFeedCounterRows.size(); ++i) metrics.add(static_cast<FeedCounter>(i), i + 1);
  for (std::size_t i = 0; i < kFeedGaugeRows.size(); ++i) metrics.set(static_cast<FeedGauge>(i), -static_cast<int>(i));
  for (std::size_t i = 0; i < kFeedCounterRows.size(); ++i)
    EXPECT_EQ(metrics.value(static_cast<FeedCounter>(i)), i + 1);
  for (std::size_t i = 0; i < kFeedGaugeRows.size(); ++i) {
    EXPECT_EQ(metrics.value(static_cast<FeedGauge>(i)), -static_cast<int>(i));
  }
}

TEST(Balance, IsEvenWhenEveryMessageIsSomewhere) {
  FeedMetrics metrics{"a"};
  metrics.add(FeedCounter::kMessagesReceived, 101);
  metrics.add(FeedCounter::kMessagesDeadLettered, 3 + 2);
  metrics.add(FeedCounter::kGapLetters, 2);
  metrics.add(FeedCounter::kDroppedRepeat, 4);
  metrics.add(FeedCounter::kDroppedInvalid, 5);
  metrics.add(FeedCounter::kDroppedUnknown, 6);
  metrics.add(FeedCounter::kDroppedFull, 7);
  metrics.add(FeedCounter::kMessagesSkipped, 8);
  metrics.set(FeedGauge::kMessagesHeld, 9);
  metrics.add(FeedCounter::kMessagesCommitted, 59);
  metrics.add(FeedCounter::kMessagesAcknowledged, 40);
  metrics.add(FeedCounter::kDroppedDelivery, 10);
  metrics.set(FeedGauge::kInFlight, 9);
  EXPECT_TRUE(balance(metrics).even());
  EXPECT_EQ(messages_dropped(metrics), 32U);
}

TEST(Balance, TellsHowManyMessagesAreLostOrCountedTwice) {
  FeedMetrics metrics{"a"};
  metrics.add(FeedCounter::kMessagesReceived, 10);
  metrics.add(FeedCounter::kMessagesCommitted, 7);
  EXPECT_EQ(balance(metrics).unaccounted, 3);
  EXPECT_EQ(balance(metrics).unacknowledged, 7);
  metrics.add(FeedCounter::kMessagesSkipped, 5);
  EXPECT_EQ(balance(metrics).unaccounted, -2);
  EXPECT_FALSE(balance(metrics).even());
}

}  // namespace
}  // namespace tickbridge::metrics
