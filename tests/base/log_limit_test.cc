#include "base/log_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace tickbridge {
namespace {

using std::chrono::seconds;
using testing::Optional;

constexpr SteadyTime kStart{std::chrono::hours{1}};

LogLimit make(std::uint32_t burst, milliseconds interval = seconds{10}) { return LogLimit{burst, interval}; }

TEST(LogLimit, LetsABurstThroughAndHoldsTheRestBack) {
  LogLimit limit = make(3);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(limit.admit(Event::kGap, {"a"}, kStart), Optional(0U));
  EXPECT_FALSE(limit.admit(Event::kGap, {"a"}, kStart + seconds{9}));
}

TEST(LogLimit, TellsTheNextLineHowManyWereHeldBack) {
  LogLimit limit = make(1);
  EXPECT_TRUE(limit.admit(Event::kGap, {"a"}, kStart));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(limit.admit(Event::kGap, {"a"}, kStart + seconds{1}));
  EXPECT_THAT(limit.admit(Event::kGap, {"a"}, kStart + seconds{10}), Optional(5U));
  EXPECT_THAT(limit.admit(Event::kGap, {"a"}, kStart + seconds{20}), Optional(0U)) << "once";
}

TEST(LogLimit, LimitsEachEventOfEachSourceByItself) {
  LogLimit limit = make(1);
  EXPECT_TRUE(limit.admit(Event::kGap, {"a"}, kStart));
  EXPECT_TRUE(limit.admit(Event::kGap, {"b"}, kStart));
  EXPECT_TRUE(limit.admit(Event::kSilence, {"a"}, kStart));
  EXPECT_TRUE(limit.admit(Event::kGap, {"", "FAIL"}, kStart));
  EXPECT_TRUE(limit.admit(Event::kGap, {"", "ERROR"}, kStart));
  EXPECT_FALSE(limit.admit(Event::kGap, {"a"}, kStart));
}

TEST(LogLimit, GivesWhatWasHeldBackWhenTheIntervalIsOverThoughNoLineComes) {
  LogLimit limit = make(1);
  for (int i = 0; i < 4; ++i) (void)limit.admit(Event::kGap, {"a"}, kStart);
  (void)limit.admit(Event::kSilence, {"a"}, kStart);
  EXPECT_TRUE(limit.take_ended(kStart + milliseconds{9'999}).empty());
  const auto told = limit.take_ended(kStart + seconds{10});
  ASSERT_EQ(told.size(), 1U) << "nothing of silence was held back";
  EXPECT_EQ(told[0].event, Event::kGap);
  EXPECT_EQ(told[0].feed, "a");
  EXPECT_EQ(told[0].lines, 3U);
  EXPECT_TRUE(limit.take_ended(kStart + seconds{60}).empty()) << "once";
  EXPECT_THAT(limit.admit(Event::kGap, {"a"}, kStart + seconds{11}), Optional(0U)) << "told already";
}

TEST(LogLimit, GivesAllAtTheEnd) {
  LogLimit limit = make(1);
  for (int i = 0; i < 2; ++i) (void)limit.admit(Event::kGap, {"a"}, kStart);
  for (int i = 0; i < 2; ++i) (void)limit.admit(Event::kKafkaError, {"", "_TRANSPORT"}, kStart);
  EXPECT_EQ(limit.take_all().size(), 2U);
  EXPECT_TRUE(limit.take_all().empty());
}

TEST(LogLimit, TakesOverAnotherLimit) {
  LogLimit limit = make(1);
  (void)limit.admit(Event::kGap, {"a"}, kStart);
  limit.set(2, seconds{20});
  EXPECT_TRUE(limit.admit(Event::kGap, {"a"}, kStart));
  EXPECT_FALSE(limit.admit(Event::kGap, {"a"}, kStart + seconds{19}));
}

TEST(LogLimit, LosesNoLineBetweenThreads) {
  constexpr std::uint64_t kEach = 5000;
  LogLimit limit = make(7, milliseconds{1});
  std::atomic<std::uint64_t> through{0};
  std::atomic<std::uint64_t> told{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (std::uint64_t i = 0; i < kEach; ++i) {
          if (const auto held = limit.admit(Event::kGap, {"a"}, SteadyClock::now())) {
            through += 1;
            told += *held;
          }
        }
      });
    }
    threads.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        for (const auto& held : limit.take_ended(SteadyClock::now())) told += held.lines;
      }
    });
    for (int t = 0; t < 3; ++t) threads[static_cast<std::size_t>(t)].join();
  }
  for (const auto& held : limit.take_all()) told += held.lines;
  EXPECT_EQ(through + told, 3 * kEach);
}

}  // namespace
}  // namespace tickbridge
