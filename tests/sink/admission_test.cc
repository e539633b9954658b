#include "sink/admission.h"

#include <gtest/gtest.h>

#include <random>
#include <semaphore>
#include <thread>
#include <vector>

namespace tickbridge::sink {
namespace {

std::vector<Outgoing> records_of(std::initializer_list<std::uint32_t> sizes) {
  std::vector<Outgoing> records;
  for (const std::uint32_t size : sizes) records.push_back({.value_size = size});
  return records;
}

TEST(Admission, TakesAsManyAsTheCountAllows) {
  Admission admission{{.share = {.count = 3, .bytes = 1000}}};
  const auto records = records_of({1, 1, 1, 1});
  const Admitted admitted = admission.admit(records, 10);
  EXPECT_EQ(admitted.charge, (Charge{3, 33}));
  EXPECT_EQ(admitted.refused_cost, 11U);
}

TEST(Admission, TakesAsManyAsTheBytesAllow) {
  Admission admission{{.share = {.count = 100, .bytes = 100}}};
  const auto records = records_of({20, 20, 50, 1});
  EXPECT_EQ(admission.admit(records, 10).charge, (Charge{2, 60})) << "the third would be one too many";
  admission.take({2, 60});
  EXPECT_EQ(admission.admit(records_of({30, 1}), 10).charge, (Charge{1, 40})) << "exactly full";
}

TEST(Admission, CountsTheKey) {
  Admission admission{{.share = {.count = 100, .bytes = 100}}};
  const std::vector<Outgoing> records{{.value_size = 10, .key_size = 8}};
  EXPECT_EQ(admission.admit(records, 10).charge, (Charge{1, 28}));
}

TEST(Admission, TakesARecordLargerThanTheShareWhenIdle) {
  Admission admission{{.share = {.count = 100, .bytes = 100}}};
  const auto records = records_of({500, 500});
  EXPECT_EQ(admission.admit(records, 10).charge, (Charge{1, 510}));
  admission.take({1, 1});
  EXPECT_EQ(admission.admit(records, 10).charge, (Charge{0, 0}));
}

TEST(Admission, SaysWhetherARecordHasATimestamp) {
  Admission admission{{.share = {.count = 1, .bytes = 100}}};
  std::vector<Outgoing> records(2);
  records[1].timestamp_ms = 5;
  EXPECT_FALSE(admission.admit(records, 10).timestamps) << "the second is not taken";
  records[0].timestamp_ms = 5;
  EXPECT_TRUE(admission.admit(records, 10).timestamps);
}

TEST(Admission, OneAtATimeTakesNothingWhileAnythingIsInFlight) {
  Admission admission{{.share = {.count = 100, .bytes = 100000}, .one_at_a_time = true}};
  const auto records = records_of({1, 1});
  EXPECT_EQ(admission.admit(records, 10).charge.count, 2U);
  admission.take({2, 22});
  EXPECT_EQ(admission.admit(records, 10).charge.count, 0U);
  EXPECT_FALSE(admission.ask_for_room(11));
  EXPECT_FALSE(admission.release({1, 11}));
  EXPECT_TRUE(admission.release({1, 11}));
}

TEST(Admission, WakesOnceWhenAQuarterIsFree) {
  Admission admission{{.share = {.count = 100, .bytes = 100000}}};
  admission.take({100, 1000});
  EXPECT_FALSE(admission.ask_for_room(10));
  EXPECT_FALSE(admission.release({24, 240})) << "less than a quarter";
  EXPECT_TRUE(admission.release({1, 10}));
  EXPECT_FALSE(admission.release({1, 10})) << "told already";
}

TEST(Admission, DoesNotWakeWhoDidNotAsk) {
  Admission admission{{.share = {.count = 100, .bytes = 100000}}};
  admission.take({100, 1000});
  EXPECT_FALSE(admission.release({100, 1000}));
  EXPECT_TRUE(admission.ask_for_room(10)) << "there is room already";
}

TEST(Admission, WaitsForTheBytesOfTheRefusedRecord) {
  Admission admission{{.share = {.count = 100, .bytes = 1000}}};
  admission.take({10, 1000});
  EXPECT_FALSE(admission.ask_for_room(600));
  EXPECT_FALSE(admission.release({5, 500})) << "a quarter is free, but not enough for that record";
  EXPECT_TRUE(admission.release({1, 100}));
}

TEST(Admission, WakesWhenNothingIsLeftWhateverIsWanted) {
  Admission admission{{.share = {.count = 1, .bytes = 10}}};
  admission.take({1, 10});
  EXPECT_FALSE(admission.ask_for_room(1000));
  EXPECT_TRUE(admission.release({1, 10}));
}

TEST(InFlight, ReleasesTheAverageAndIsExactAtTheEnd) {
  InFlight in_flight;
  in_flight.add({1, 1000});
  in_flight.add({2, 1});
  EXPECT_EQ(in_flight.release(2), (Charge{2, 666}));
  EXPECT_EQ(in_flight.release(1), (Charge{1, 335}));
  EXPECT_EQ(in_flight.load(), (Charge{0, 0}));
}

// A committer that takes and gives back, a delivery thread that releases, each lane total beside its parts: no
// wake-up is lost, nothing is left over, the share is never exceeded. Run under TSan too.
TEST(Admission, LosesNoWakeUpUnderThreads) {
  constexpr std::uint64_t kTotal = 100'000;
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random{seed};
  Admission admission{{.share = {.count = 8, .bytes = 8 * 50}}};
  InFlight part;
  std::counting_semaphore<> room{0};
  std::atomic<std::uint64_t> handed{0};
  std::jthread delivery{[&, random = std::mt19937{seed + 1}](const std::stop_token& stop) mutable {
    for (std::uint64_t done = 0, idle = 0; done < kTotal && !stop.stop_requested();) {
      const std::uint64_t there = handed.load() - done;
      if (there == 0) {
        if (++idle % 1024 == 0) std::this_thread::yield();
        continue;
      }
      // Mostly all that is there: after the last report nothing else comes that could wake a committer it missed.
      const std::uint64_t count = random() % 4 == 0 ? 1 + random() % there : there;
      done += count;
      if (admission.release(part.release(count))) room.release();
    }
  }};
  for (std::uint64_t taken = 0; taken < kTotal;) {
    std::vector<Outgoing> records(std::min<std::uint64_t>(1 + random() % 16, kTotal - taken));
    for (Outgoing& record : records) record.value_size = static_cast<std::uint32_t>(random() % 90);
    const Admitted admitted = admission.admit(records, 10);
    admission.take(admitted.charge);
    part.add(admitted.charge);
    const std::uint64_t refused = random() % 8 == 0 ? random() % (admitted.charge.count + 1) : 0;
    if (refused > 0) admission.give_back(part.release(refused));
    EXPECT_LE(admission.in_flight().count, 8U);
    taken += admitted.charge.count - refused;
    handed.store(taken);
    // So that the delivery thread's release meets every step of ask_for_room.
    for (std::atomic<std::uint64_t> spin = random() % 200; spin != 0; --spin) {
    }
    if (admitted.charge.count < records.size() && !admission.ask_for_room(admitted.refused_cost)) {
      ASSERT_TRUE(room.try_acquire_for(std::chrono::seconds{10})) << "a wake-up was lost";
    }
  }
  delivery.join();
  EXPECT_EQ(admission.in_flight(), (Charge{0, 0}));
  EXPECT_EQ(part.load(), (Charge{0, 0}));
}

}  // namespace
}  // namespace tickbridge::sink
