#include "sink/acked_offsets.h"

#include <gtest/gtest.h>

#include <thread>

namespace tickbridge::sink {
namespace {

constexpr std::int64_t kUntold = -1;
constexpr std::int64_t kImplicit = -1001;  // what the library says of an implicit acknowledgement

TEST(AckedOffsets, CountsAndKnowsTheLastOffset) {
  AckedOffsets offsets;
  EXPECT_EQ(offsets.acked().last_offset, -1);
  offsets.watch(500);
  EXPECT_FALSE(offsets.acknowledge(10, 500));
  EXPECT_FALSE(offsets.acknowledge(5, 510));
  const Acked acked = offsets.acked();
  EXPECT_EQ(acked.count, 15U);
  EXPECT_EQ(acked.last_offset, 514);
  EXPECT_EQ(acked.before_jump, 0U);
  EXPECT_EQ(acked.told, 15U);
}

TEST(AckedOffsets, ForeignRecordsAreAJumpOfExactlyTheirOffsets) {
  AckedOffsets offsets;
  offsets.watch(0);
  EXPECT_FALSE(offsets.acknowledge(10, 0));
  const auto jump = offsets.acknowledge(4, 13);
  ASSERT_TRUE(jump);
  EXPECT_EQ(jump->expected, 10);
  EXPECT_EQ(jump->found, 13);
  EXPECT_EQ(jump->unsure, 0U);
  EXPECT_EQ(offsets.acked().last_offset, 16);
  EXPECT_EQ(offsets.acked().before_jump, 10U);
  EXPECT_FALSE(offsets.acknowledge(1, 17)) << "told twice";
  EXPECT_TRUE(offsets.acknowledge(1, 19));
  EXPECT_EQ(offsets.acked().before_jump, 15U);
}

TEST(AckedOffsets, TheFirstRecordCanJumpToo) {
  AckedOffsets offsets;
  offsets.watch(100);
  const auto jump = offsets.acknowledge(1, 101);
  ASSERT_TRUE(jump);
  EXPECT_EQ(jump->expected, 100);
  EXPECT_EQ(jump->found, 101);
}

TEST(AckedOffsets, APartitionCutShortIsAJumpBackwards) {
  AckedOffsets offsets;
  offsets.watch(100);
  EXPECT_FALSE(offsets.acknowledge(10, 100));
  const auto jump = offsets.acknowledge(2, 0);
  ASSERT_TRUE(jump);
  EXPECT_EQ(jump->expected, 110);
  EXPECT_EQ(jump->found, 0);
  EXPECT_EQ(offsets.acked().last_offset, 1);
}

TEST(AckedOffsets, RetriesWithoutAnOffsetDoNotDisturb) {
  AckedOffsets offsets;
  offsets.watch(0);
  EXPECT_FALSE(offsets.acknowledge(10, 0));
  EXPECT_FALSE(offsets.acknowledge(5, kUntold));
  EXPECT_EQ(offsets.acked().count, 15U);
  EXPECT_EQ(offsets.acked().last_offset, 14);
  EXPECT_EQ(offsets.acked().told, 10U);
  EXPECT_FALSE(offsets.acknowledge(20, kImplicit));
  EXPECT_EQ(offsets.acked().last_offset, 34);
  EXPECT_EQ(offsets.acked().told, 10U);
  EXPECT_FALSE(offsets.acknowledge(1, 35));
  EXPECT_EQ(offsets.acked().told, 36U);
  EXPECT_EQ(offsets.acked().before_jump, 0U);
  EXPECT_FALSE(offsets.acknowledge(1, 36));
}

TEST(AckedOffsets, AJumpBehindUntoldOffsetsBeginsWhereTheyWereLastTold) {
  AckedOffsets offsets;
  offsets.watch(0);
  EXPECT_FALSE(offsets.acknowledge(10, 0));
  EXPECT_FALSE(offsets.acknowledge(5, kUntold));
  const auto jump = offsets.acknowledge(1, 18);  // 10 to 17: five of ours, three of somebody else's
  ASSERT_TRUE(jump);
  EXPECT_EQ(jump->expected, 10);
  EXPECT_EQ(jump->found, 18);
  EXPECT_EQ(jump->unsure, 5U);
  EXPECT_EQ(offsets.acked().before_jump, 10U) << "of the five nobody knows on which side they lie";
  EXPECT_EQ(offsets.acked().told, 16U);
}

TEST(AckedOffsets, NothingIsPredictedBeforeWatch) {
  AckedOffsets offsets;
  EXPECT_FALSE(offsets.acknowledge(3, kUntold));
  EXPECT_EQ(offsets.acked().count, 3U);
  EXPECT_EQ(offsets.acked().last_offset, -1);
  EXPECT_FALSE(offsets.acknowledge(3, 40));
  EXPECT_EQ(offsets.acked().last_offset, 42);
  EXPECT_FALSE(offsets.acknowledge(3, 50));
  EXPECT_EQ(offsets.acked().last_offset, 52);
  EXPECT_EQ(offsets.acked().before_jump, 6U);
  offsets.watch(53);
  EXPECT_FALSE(offsets.acknowledge(1, 53));
  EXPECT_TRUE(offsets.acknowledge(1, 55));
}

TEST(AckedOffsets, MarkersOfOurOwnAreExpectedWhereThereWereRecords) {
  AckedOffsets offsets;
  offsets.watch(0);
  offsets.expect_marker();  // nothing was written: no marker
  EXPECT_FALSE(offsets.acknowledge(10, 0));
  offsets.expect_marker();
  EXPECT_EQ(offsets.acked().last_offset, 9) << "the marker is no record";
  offsets.expect_marker();
  EXPECT_FALSE(offsets.acknowledge(5, 11));
  EXPECT_EQ(offsets.acked().last_offset, 15);
  EXPECT_EQ(offsets.acked().before_jump, 10U);
  offsets.expect_marker();
  EXPECT_FALSE(offsets.acknowledge(5, kUntold));
  EXPECT_EQ(offsets.acked().last_offset, 21);
  EXPECT_FALSE(offsets.acknowledge(5, 22));
  offsets.expect_marker();
  const auto jump = offsets.acknowledge(1, 29);
  ASSERT_TRUE(jump);
  EXPECT_EQ(jump->expected, 28);
  EXPECT_EQ(jump->markers, 1) << "the stranger may lie before it, at 27";
}

TEST(AckedOffsets, WhoLooksWhileItMovesSeesWhatBelongsTogether) {
  AckedOffsets offsets;
  offsets.watch(0);
  constexpr std::int64_t kEvents = 200'000;
  std::jthread writer{[&] {
    std::int64_t next = 0;
    for (std::int64_t i = 0; i < kEvents; ++i) {
      if (i % 3 == 0) next += 1'000'000;  // a jump
      (void)offsets.acknowledge(1, next++);
    }
  }};
  Acked seen;
  do {
    seen = offsets.acked();
    const auto count = static_cast<std::int64_t>(seen.count);
    if (count == 0) continue;
    // Record n lies behind (n + 2) / 3 jumps.
    ASSERT_EQ(seen.last_offset, (count + 2) / 3 * 1'000'000 + count - 1);
    ASSERT_EQ(seen.told, seen.count);
    ASSERT_EQ(seen.before_jump, static_cast<std::uint64_t>((count - 1) / 3 * 3));
  } while (seen.count < kEvents);
}

}  // namespace
}  // namespace tickbridge::sink
