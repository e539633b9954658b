#include "ops/recent.h"

#include <gtest/gtest.h>

namespace tickbridge::ops {
namespace {

using metrics::FeedCounter;
using metrics::Stage;
using namespace std::chrono_literals;

struct RecentTest : testing::Test {
  metrics::Registry registry{"1", SteadyTime{}};
  metrics::FeedMetrics& feed = registry.add_feed("a");
  Recent recent;

  void pass(SteadyClock::duration time, std::uint64_t messages, std::int64_t took_ns) {
    feed.add(FeedCounter::kMessagesReceived, messages);
    feed.latency(Stage::kAcknowledgement).record(took_ns, messages);
    now += time;
    recent.look(registry, now);
  }
  [[nodiscard]] Lately lately() const { return recent.lately("a"); }
  [[nodiscard]] std::uint64_t median() const { return lately().latency[1].median_ns; }
  SteadyTime now{};
};

TEST_F(RecentTest, KnowsNothingBeforeTheFirstLook) {
  EXPECT_EQ(lately().seconds, 0);
  EXPECT_EQ(recent.lately("b").seconds, 0);
}

TEST_F(RecentTest, TheFirstLookIsAboutAllUntilThen) {
  pass(4s, 400, 1000);
  EXPECT_EQ(lately().seconds, 4);
  EXPECT_EQ(lately().messages_per_second, 100);
}

TEST_F(RecentTest, IsAboutFiveToTenSecondsWhereSomebodyLooksEachSecond) {
  for (int second = 0; second < 60; ++second) {
    pass(1s, second < 40 ? 10 : 1000, second < 40 ? 5'000'000 : 1000);
    if (second >= 12) {
      EXPECT_GE(lately().seconds, 5);
      EXPECT_LE(lately().seconds, 10);
    }
    if (second == 39) {
      EXPECT_EQ(lately().messages_per_second, 10);
      EXPECT_NEAR(static_cast<double>(median()), 5e6, 0.03 * 5e6);
    }
  }
  EXPECT_EQ(lately().messages_per_second, 1000);
  EXPECT_NEAR(static_cast<double>(median()), 1000, 30);
  EXPECT_NEAR(static_cast<double>(lately().latency[1].max_ns), 1000, 40);
  EXPECT_EQ(lately().latency[0].count, 0U);
}

TEST_F(RecentTest, AfterAWhileWithoutALookTheSecondOneIsAboutTheTimeSinceTheFirst) {
  pass(100s, 100, 1000);
  pass(1s, 5000, 1000);
  EXPECT_EQ(lately().seconds, 1);
  EXPECT_EQ(lately().messages_per_second, 5000);
  EXPECT_EQ(lately().latency[1].count, 5000U);
}

TEST_F(RecentTest, SeveralWhoLookAtOnceSeeTheSame) {
  for (int second = 0; second < 20; ++second) {
    pass(1s, 100, 1000);
    pass(0s, 0, 0);
    EXPECT_EQ(lately().messages_per_second, 100) << second;
  }
}

TEST_F(RecentTest, QuantilesAreOfWhatLiesBetweenTwoLooksOnly) {
  pass(20s, 1'000'000, 50'000'000);
  pass(1s, 98, 1'000);
  EXPECT_EQ(lately().latency[1].count, 98U);
  feed.latency(Stage::kAcknowledgement).record(1'000'000, 2);
  pass(1s, 0, 0);
  const auto times = lately().latency[1];
  EXPECT_EQ(times.count, 100U);
  EXPECT_NEAR(static_cast<double>(times.median_ns), 1e3, 30);
  EXPECT_NEAR(static_cast<double>(times.p99_ns), 1e6, 3e4);
  EXPECT_NEAR(static_cast<double>(times.p999_ns), 1e6, 3e4);
}

}  // namespace
}  // namespace tickbridge::ops
