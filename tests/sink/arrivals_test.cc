#include "sink/arrivals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace tickbridge::sink {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class ArrivalsTest : public testing::Test {
 protected:
  /// (arrival, records) as told.
  std::vector<std::pair<std::int64_t, std::uint64_t>> settled(std::uint64_t count) {
    std::vector<std::pair<std::int64_t, std::uint64_t>> told;
    arrivals_.settled(count, [&](std::int64_t arrived, std::uint64_t n) { told.emplace_back(arrived, n); });
    return told;
  }
  Arrivals arrivals_;
};

TEST_F(ArrivalsTest, AnAnswerForSeveralHandOversTellsEach) {
  arrivals_.handed(10, 100);
  arrivals_.handed(5, 200);
  arrivals_.handed(7, 300);
  EXPECT_THAT(settled(12), ElementsAre(Pair(100, 10), Pair(200, 2)));
  EXPECT_THAT(settled(3), ElementsAre(Pair(200, 3)));
  EXPECT_THAT(settled(7), ElementsAre(Pair(300, 7)));
}

TEST_F(ArrivalsTest, AnAnswerBeforeItsEntryIsNotMeasuredAndMovesNobody) {
  EXPECT_THAT(settled(10), IsEmpty());
  arrivals_.handed(10, 100);
  arrivals_.handed(4, 200);
  EXPECT_THAT(settled(4), ElementsAre(Pair(200, 4)));
}

TEST_F(ArrivalsTest, WithoutRoomTheLastEntryStandsForMore) {
  for (int i = 0; i < 256; ++i) arrivals_.handed(1, i);
  arrivals_.handed(1, 1000);
  arrivals_.handed(1, 2000);
  EXPECT_THAT(settled(1), ElementsAre(Pair(0, 1)));
  arrivals_.handed(1, 3000);
  EXPECT_EQ(settled(254).size(), 254U);
  EXPECT_THAT(settled(4), ElementsAre(Pair(255, 3), Pair(3000, 1)));
}

TEST_F(ArrivalsTest, WhatOnceWasFullForgetsIt) {
  for (int i = 0; i < 300; ++i) arrivals_.handed(1, i);
  settled(300);
  arrivals_.handed(1, 5000);
  EXPECT_THAT(settled(1), ElementsAre(Pair(5000, 1)));
}

TEST_F(ArrivalsTest, NothingHandedOverIsNoEntry) {
  arrivals_.handed(0, 100);
  arrivals_.handed(1, 200);
  EXPECT_THAT(settled(1), ElementsAre(Pair(200, 1)));
}

TEST_F(ArrivalsTest, TwoThreadsAgreeOnWhoArrivedWhen) {
  constexpr std::int64_t kHandOvers = 100'000;
  std::atomic<std::int64_t> handed{0};
  std::jthread committer{[&] {
    for (std::int64_t i = 1; i <= kHandOvers; ++i) {
      arrivals_.handed(1, i);
      handed.store(i);
    }
  }};
  std::uint64_t measured = 0;
  std::int64_t newest = 0;
  for (std::int64_t done = 0; done < kHandOvers;) {
    const std::int64_t upto = handed.load();
    arrivals_.settled(static_cast<std::uint64_t>(upto - done), [&](std::int64_t arrived, std::uint64_t n) {
      measured += n;
      EXPECT_GE(arrived, newest);
      EXPECT_LE(arrived, upto);
      newest = arrived;
    });
    done = upto;
  }
  EXPECT_GT(measured, 0U);
}

}  // namespace
}  // namespace tickbridge::sink
