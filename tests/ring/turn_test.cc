#include "ring/turn.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "ring/flag.h"
#include "ring/parking.h"
#include "ring/task_ring.h"

namespace tickbridge::ring {
namespace {

TEST(Turn, LooksAgainAfterARequestThatCameMeanwhile) {
  Turn turn;
  ASSERT_TRUE(turn.enter());
  EXPECT_FALSE(turn.enter()) << "left to the holder";
  std::uint32_t seen = 1;
  EXPECT_FALSE(turn.leave(seen));
  EXPECT_EQ(seen, 1U);
  EXPECT_TRUE(turn.leave(seen));
  EXPECT_TRUE(turn.idle());
}

// Threads put work into a plain variable's atomic inbox and request a look; whatever holds the turn empties the inbox.
// If a request could be lost, work would stay in the inbox at the end.
TEST(TurnStress, LosesNoRequestAndAdmitsOneAtATime) {
  Turn turn;
  std::atomic<std::uint64_t> inbox{0};
  std::uint64_t done = 0;  // plain: guarded by the turn, so TSan proves exclusion
  constexpr std::uint64_t kEach = 50'000;
  const auto work = [&] {
    for (std::uint64_t i = 0; i < kEach; ++i) {
      inbox.fetch_add(1, std::memory_order_relaxed);
      if (!turn.enter()) continue;
      std::uint32_t seen = 1;
      do {
        done += inbox.exchange(0, std::memory_order_relaxed);
      } while (!turn.leave(seen));
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  threads.clear();
  EXPECT_EQ(done, 4 * kEach);
  EXPECT_EQ(inbox.load(), 0U);
}

// A producer announces items one by one and waits until each was taken: a lost wake-up would hang the test.
TEST(ParkingStress, LosesNoWakeUp) {
  Parking parking;
  std::atomic<std::uint32_t> made{0};
  std::atomic<std::uint32_t> taken{0};
  constexpr std::uint32_t kItems = 20'000;
  const auto worker = [&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::uint32_t next = taken.load();
      if (next != made.load() && taken.compare_exchange_strong(next, next + 1)) continue;
      const Parking::Ticket ticket = parking.ticket();
      if (taken.load() != made.load() || stop.stop_requested()) {
        parking.stay();
      } else {
        parking.sleep(ticket);
      }
    }
  };
  std::vector<std::jthread> workers;
  for (int i = 0; i < 3; ++i) workers.emplace_back(worker);
  for (std::uint32_t i = 0; i < kItems; ++i) {
    made.fetch_add(1);
    parking.wake_one();
    while (taken.load() != i + 1) std::this_thread::yield();
  }
  for (auto& thread : workers) thread.request_stop();
  parking.wake_all();
  workers.clear();
  EXPECT_EQ(taken.load(), kItems);
  EXPECT_EQ(parking.sleepers(), 0U);
}

struct Item {
  std::uint64_t ticket = 0;
};

TEST(TaskRing, HasAsManyFreeTasksAsItIsLarge) {
  TaskRing<Item> ring{2, [] { return Item{}; }};
  EXPECT_TRUE(ring.has_free());
  ring.issue();
  ring.issue();
  EXPECT_FALSE(ring.has_free());
  EXPECT_EQ(ring.front(), nullptr);
  ring.done(1);
  EXPECT_EQ(ring.front(), nullptr) << "the first is not done yet";
  ring.done(0);
  ASSERT_EQ(ring.front(), &ring.task(0));
  ring.retire();
  EXPECT_TRUE(ring.has_free());
  ASSERT_EQ(ring.front(), &ring.task(1));
}

// Several threads issue, execute and retire: tickets come out in order, each once.
TEST(TaskRingStress, RetiresInOrder) {
  TaskRing<Item> ring{5, [] { return Item{}; }};
  TryFlag claiming;
  Turn turn;
  std::uint64_t retired = 0;  // guarded by the turn
  std::atomic<bool> wrong{false};
  std::atomic<std::uint64_t> issued{0};
  constexpr std::uint64_t kTickets = 100'000;
  const auto commit = [&] {
    if (!turn.enter()) return;
    std::uint32_t seen = 1;
    do {
      while (Item* item = ring.front()) {
        if (item->ticket != retired) wrong = true;
        ++retired;
        ring.retire();
      }
    } while (!turn.leave(seen));
  };
  const auto work = [&] {
    while (issued.load() < kTickets) {
      if (!ring.has_free() || !claiming.try_hold()) {
        std::this_thread::yield();
        continue;
      }
      if (!ring.has_free() || issued.load() >= kTickets) {
        claiming.release();
        continue;
      }
      const auto ticket = ring.next_ticket();
      ring.issue();
      issued = ticket + 1;
      claiming.release();
      ring.task(ticket).ticket = ticket;
      ring.done(ticket);
      commit();
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  threads.clear();
  EXPECT_FALSE(wrong);
  EXPECT_EQ(retired, kTickets);
}

}  // namespace
}  // namespace tickbridge::ring
