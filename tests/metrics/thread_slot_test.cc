#include "metrics/thread_slot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

namespace tickbridge::metrics {
namespace {

/// The slots of `threads` threads that live at the same time, sorted.
std::vector<std::size_t> slots_of(std::ptrdiff_t threads) {
  std::vector<std::size_t> slots;
  std::mutex mutex;
  std::latch all{threads};
  std::vector<std::jthread> running;
  for (std::ptrdiff_t i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      {
        const std::scoped_lock lock{mutex};
        slots.push_back(thread_slot());
      }
      all.arrive_and_wait();
    });
  }
  running.clear();
  std::ranges::sort(slots);
  return slots;
}

TEST(ThreadSlot, StaysTheSameForAThread) { EXPECT_EQ(thread_slot(), thread_slot()); }

TEST(ThreadSlot, DiffersBetweenThreadsThatLiveTogether) {
  const auto slots = slots_of(20);
  EXPECT_EQ(std::ranges::adjacent_find(slots), slots.end());
}

TEST(ThreadSlot, IsUsedAgainAfterItsThreadHasEnded) {
  const auto first = slots_of(30);
  for (int round = 0; round < 5; ++round) EXPECT_EQ(slots_of(30), first);
}

TEST(ThreadSlot, IsTheSharedOneForThreadsThatComeTooLate) {
  const auto slots = slots_of(100);
  EXPECT_GE(std::ranges::count(slots, kSharedSlot), 100 - static_cast<std::ptrdiff_t>(kSharedSlot));
  EXPECT_LT(slots.back(), kSlots);
  EXPECT_EQ(slots_of(1).back() < kSharedSlot, true) << "slots came back";
}

}  // namespace
}  // namespace tickbridge::metrics
