#include "base/rate_limit.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace tickbridge {
namespace {

using std::chrono::seconds;
const SteadyTime kStart{std::chrono::hours{1000}};

TEST(RateLimit, LetsTheFirstThroughAndHoldsTheRestBack) {
  RateLimit limit{3, seconds{1}};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.admit(kStart), 0U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limit.admit(kStart + milliseconds{999}), std::nullopt);
  EXPECT_EQ(limit.held_back(), 5U);
}

TEST(RateLimit, TellsOnceHowManyWereHeldBack) {
  RateLimit limit{1, seconds{1}};
  (void)limit.admit(kStart);
  for (int i = 0; i < 7; ++i) (void)limit.admit(kStart);
  EXPECT_EQ(limit.admit(kStart + seconds{1}), 7U);
  EXPECT_EQ(limit.admit(kStart + seconds{2}), 0U);
}

TEST(RateLimit, BeginsAnIntervalWithItsFirstEvent) {
  RateLimit limit{2, seconds{1}};
  (void)limit.admit(kStart);
  EXPECT_EQ(limit.admit(kStart + milliseconds{1500}), 0U);
  EXPECT_EQ(limit.admit(kStart + milliseconds{2400}), 0U);
  EXPECT_EQ(limit.admit(kStart + milliseconds{2499}), std::nullopt);
  EXPECT_EQ(limit.admit(kStart + milliseconds{2500}), 1U);
}

TEST(RateLimit, CountsAnOlderTimeFromAnotherThreadToTheIntervalThatRuns) {
  RateLimit limit{2, seconds{1}};
  (void)limit.admit(kStart);
  EXPECT_EQ(limit.admit(kStart - milliseconds{5}), 0U);
  EXPECT_EQ(limit.admit(kStart - milliseconds{5}), std::nullopt);
}

TEST(RateLimit, WorksFromTheClocksBeginning) {
  RateLimit limit{1, milliseconds{1}};
  EXPECT_EQ(limit.admit(SteadyTime{}), 0U);
  EXPECT_EQ(limit.admit(SteadyTime{}), std::nullopt);
  EXPECT_EQ(limit.admit(SteadyTime{milliseconds{1}}), 1U);
}

TEST(RateLimit, LosesNoEventBetweenThreads) {
  constexpr int kThreads = 4;
  constexpr int kEvents = 5000;
  RateLimit limit{10, milliseconds{50}};
  std::atomic<std::uint64_t> through{0};
  std::atomic<std::uint64_t> told{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEvents; ++i) {
          if (const auto held_back = limit.admit(kStart + milliseconds{i / 10})) ++through, told += *held_back;
        }
      });
    }
  }
  EXPECT_EQ(through + told + limit.held_back(), static_cast<std::uint64_t>(kThreads * kEvents));
  EXPECT_GE(through, 10U);
  EXPECT_LE(through, 10U * 11U);
}

TEST(RateLimitByKind, LimitsEachKindByItself) {
  RateLimitByKind limit{2, seconds{10}};
  EXPECT_EQ(limit.admit("FAIL", kStart), 0U);
  EXPECT_EQ(limit.admit("FAIL", kStart), 0U);
  EXPECT_EQ(limit.admit("FAIL", kStart + seconds{9}), std::nullopt);
  EXPECT_EQ(limit.admit("REQTMOUT", kStart + seconds{9}), 0U);
  EXPECT_EQ(limit.admit("FAIL", kStart + seconds{10}), 1U);
}

}  // namespace
}  // namespace tickbridge
