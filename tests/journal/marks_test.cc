#include "journal/marks.h"

#include <gtest/gtest.h>

#include <utility>

namespace tickbridge::journal {
namespace {

PartitionState state(std::uint64_t sequence, std::int64_t offset, std::uint64_t hash = 0) {
  return {.position = {sequence, 0}, .offset = offset, .hash = hash, .markers = 0, .gap = false};
}

Handed handed(std::uint64_t count, std::uint64_t sequence) {
  return {.count = count, .position = {sequence, 0}, .hash = sequence};
}

Mark mark(std::uint64_t next_sequence, std::vector<Handed> by_partition) {
  return {.next_sequence = next_sequence,
          .state = {},
          .handed = std::move(by_partition),
          .dead_letters = 0,
          .state_batches = 0};
}

Acked acked(std::uint64_t count, std::int64_t last_offset, std::uint64_t before_jump = 0) {
  return {.count = count, .last_offset = last_offset, .before_jump = before_jump};
}

class MarksOfTwo : public testing::Test {
 protected:
  Marks marks{5, {}, {state(4, 10), state(3, 20)}};
};

TEST_F(MarksOfTwo, BeginWithTheStartCheckpoint) {
  EXPECT_EQ(marks.next_sequence(), 5U);
  EXPECT_EQ(marks.partitions()[1], state(3, 20));
  EXPECT_TRUE(marks.settled());
}

TEST_F(MarksOfTwo, GiveEachPartitionItsOwnNewestPosition) {
  marks.add(mark(10, {handed(2, 8), handed(1, 9)}));
  marks.add(mark(20, {handed(5, 18), handed(4, 19)}));
  marks.acknowledge({acked(6, 16), acked(0, -1)}, 0, 0);
  EXPECT_EQ(marks.partitions()[0], state(18, 15, 18));  // one behind record number 6
  EXPECT_EQ(marks.partitions()[1], state(3, 20));
  EXPECT_EQ(marks.next_sequence(), 5U);  // the slowest has nothing
  EXPECT_FALSE(marks.settled());
}

TEST_F(MarksOfTwo, WaitForTheSlowestPartition) {
  marks.add(mark(10, {handed(2, 8), handed(1, 9)}));
  marks.add(mark(20, {handed(5, 18), handed(4, 19)}));
  marks.acknowledge({acked(5, 15), acked(1, 21)}, 0, 0);
  EXPECT_EQ(marks.next_sequence(), 10U);
  EXPECT_EQ(marks.partitions()[0], state(18, 15, 18));
  marks.acknowledge({acked(5, 15), acked(4, 24)}, 0, 0);
  EXPECT_EQ(marks.next_sequence(), 20U);
  EXPECT_TRUE(marks.settled());
}

TEST_F(MarksOfTwo, KeepAPartitionThatDidNotMove) {
  marks.add(mark(10, {handed(2, 8), handed(0, 3)}));
  marks.acknowledge({acked(2, 12), acked(0, -1)}, 0, 0);
  EXPECT_EQ(marks.partitions()[1], state(3, 20));
  EXPECT_EQ(marks.next_sequence(), 10U);
  marks.add(mark(20, {handed(2, 8), handed(1, 15)}));
  marks.acknowledge({acked(2, 12), acked(1, 21)}, 0, 0);
  EXPECT_EQ(marks.partitions()[0], state(8, 12, 8));
  EXPECT_EQ(marks.partitions()[1], state(15, 21, 15));
}

TEST_F(MarksOfTwo, WaitForDeadLettersAndStateBatches) {
  Mark with = mark(10, {handed(0, 0), handed(0, 0)});
  with.dead_letters = 2;
  with.state_batches = 1;
  marks.add(with);
  marks.acknowledge({acked(0, -1), acked(0, -1)}, 1, 1);
  EXPECT_EQ(marks.next_sequence(), 5U);
  marks.acknowledge({acked(0, -1), acked(0, -1)}, 2, 0);
  EXPECT_EQ(marks.next_sequence(), 5U);
  marks.acknowledge({acked(0, -1), acked(0, -1)}, 2, 1);
  EXPECT_EQ(marks.next_sequence(), 10U);
}

TEST_F(MarksOfTwo, CarryTheStateOfTheMarkThatIsProved) {
  Mark first = mark(10, {handed(1, 9), handed(0, 0)});
  first.state.turn = 1;
  Mark second = mark(20, {handed(2, 19), handed(0, 0)});
  second.state.turn = 2;
  marks.add(first);
  marks.add(second);
  marks.acknowledge({acked(1, 11), acked(0, -1)}, 0, 0);
  EXPECT_EQ(marks.state().turn, 1);
}

// Its offset would be a guess, and what lies behind the old one would meet no record of a replay from there.
TEST_F(MarksOfTwo, NeitherMoveNorPassWhatLiesBeforeAJump) {
  marks.add(mark(10, {handed(2, 8), handed(0, 0)}));
  marks.acknowledge({acked(5, 99, 3), acked(0, -1)}, 0, 0);
  EXPECT_EQ(marks.partitions()[0], state(4, 10));
  EXPECT_EQ(marks.next_sequence(), 5U);
  marks.add(mark(20, {handed(4, 18), handed(0, 0)}));
  marks.acknowledge({acked(5, 99, 3), acked(0, -1)}, 0, 0);
  EXPECT_EQ(marks.partitions()[0], state(18, 98, 18));
  EXPECT_EQ(marks.next_sequence(), 20U);
}

TEST_F(MarksOfTwo, StayBeforeAJumpThatNobodyHasJudged) {
  marks.add(mark(10, {handed(2, 8), handed(0, 0)}));
  marks.acknowledge({{.count = 2, .last_offset = 99, .before_jump = 0, .jumped = true}, acked(0, -1)}, 0, 0);
  EXPECT_EQ(marks.partitions()[0], state(4, 10));
  EXPECT_EQ(marks.next_sequence(), 5U);
}

TEST(Marks, BehindABarrierKeepWhatTheBarrierSays) {
  Marks marks{1, {}, {state(0, 50)}, {7}};
  marks.add(mark(2, {{.count = 7, .position = {99, 0}, .hash = 99}}));  // of the session before
  marks.acknowledge({acked(7, 50)}, 0, 0);
  EXPECT_EQ(marks.partitions()[0], state(0, 50));
  EXPECT_EQ(marks.next_sequence(), 2U);
}

TEST_F(MarksOfTwo, KnowTheOffsetOfTheLastRecordEvenAtAJump) {
  marks.add(mark(10, {handed(3, 8), handed(0, 0)}));
  marks.acknowledge({acked(3, 50, 3), acked(0, -1)}, 0, 0);
  EXPECT_EQ(marks.partitions()[0], state(8, 50, 8));
}

TEST_F(MarksOfTwo, FollowAlignmentUntilSomethingIsProved) {
  marks.matched(0, state(6, 13, 6));
  EXPECT_EQ(marks.partitions()[0], state(6, 13, 6));
  marks.add(mark(10, {handed(1, 9), handed(0, 3)}));
  marks.acknowledge({acked(1, 14), acked(0, -1)}, 0, 0);
  marks.matched(0, state(6, 13, 6));
  EXPECT_EQ(marks.partitions()[0], state(9, 14, 9));
}

TEST_F(MarksOfTwo, AreBoundedAndKeepTheNewest) {
  for (std::uint64_t i = 1; i <= 10'000; ++i) marks.add(mark(5 + i, {handed(i, 4 + i), handed(i, 4 + i)}));
  EXPECT_LE(marks.size(), 64U);
  marks.acknowledge({acked(10'000, 10'010), acked(1, 21)}, 0, 0);
  EXPECT_EQ(marks.partitions()[0], state(10'004, 10'010, 10'004));
  marks.acknowledge({acked(10'000, 10'010), acked(10'000, 10'020)}, 0, 0);
  EXPECT_EQ(marks.next_sequence(), 10'005U);
  EXPECT_TRUE(marks.settled());
}

}  // namespace
}  // namespace tickbridge::journal
