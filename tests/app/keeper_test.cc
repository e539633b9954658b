#include "app/keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <utility>

#include "metrics/feed_metrics.h"

namespace tickbridge::app {
namespace {

using journal::Follows;
using sink::Delivery;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kEnd = 100;  // of each partition, when this life began

// What it is told is acknowledged.
class Lane final : public sink::Lane {
 public:
  std::size_t hand_over(std::int32_t, std::span<const sink::Outgoing>, std::int64_t) override { return 0; }
  bool hand_over_dead_letter(const sink::DeadLetter&) override { return false; }
  bool ask_for_room() override { return false; }
  const sink::TopicInfo& topic() const noexcept override { return info; }
  std::size_t dead_letter_max_bytes() const noexcept override { return 1000; }
  std::int64_t in_flight() const noexcept override { return 1; }
  bool settled() const noexcept override { return false; }
  bool failed() const noexcept override { return false; }
  void watch(const std::vector<std::int64_t>&) override {}
  sink::Acked acked(std::int32_t partition) const noexcept override {
    return by_partition.at(static_cast<std::size_t>(partition));
  }
  std::uint64_t in_flight(std::int32_t) const noexcept override { return 0; }
  std::uint64_t dead_letters_acked() const noexcept override { return 0; }
  void expect_markers() override {}

  void acknowledge(std::size_t partition, std::uint64_t count, std::int64_t behind = 0) {
    by_partition.at(partition) = {.count = count,
                                  .last_offset = kEnd + static_cast<std::int64_t>(count) - 1 + behind,
                                  .before_jump = 0,
                                  .told = count};
  }
  sink::TopicInfo info;
  std::vector<sink::Acked> by_partition = std::vector<sink::Acked>(2);
};

// Answers when the test says so.
class Notes final : public sink::CompactedLog {
 public:
  Result<std::vector<sink::Entry>> read_back(std::string_view, const Enough&, SteadyTime) override {
    return std::vector<sink::Entry>{};
  }
  Result<std::vector<sink::Entry>> read_on(std::string_view, std::chrono::milliseconds) override {
    return std::vector<sink::Entry>{};
  }
  Result<bool> restore(SteadyTime) override { return false; }
  bool take_lost() override { return false; }
  void write(std::string, std::optional<std::string> value, Done done) override {
    written.push_back(value.value_or(""));
    waiting.push_back(std::move(done));
  }
  void answer() {
    const Done done = std::move(waiting.front());
    waiting.erase(waiting.begin());
    done(std::int64_t{1});
  }
  std::vector<std::string> written;
  std::vector<Done> waiting;
};

class KeeperTest : public ::testing::Test {
 protected:
  void begin(Delivery delivery) {
    journal::Checkpoint start;
    start.feed = "f";
    start.epoch = 3;
    start.session = "S";
    start.partitions.resize(2);
    for (auto& partition : start.partitions) partition.offset = kEnd - 1;
    const bool exact = delivery == Delivery::kExactlyOnce;
    keeper = std::make_shared<Keeper>(
        io,
        Keeper::Settings{.start = start,
                         .delivery = delivery,
                         .aligned = true,
                         .ends = exact ? std::vector<std::int64_t>{kEnd, kEnd} : std::vector<std::int64_t>{}},
        checkpoints, states, lane, metrics);
    keeper->begin({});
    answered(checkpoints);
  }
  void answered(Notes& notes) {
    notes.answer();
    io.restart();
    io.poll();
  }
  // Commit has handed so many records over to each partition, up to packet `next_sequence`.
  void mark(std::uint64_t next_sequence, std::uint64_t first, std::uint64_t second, bool learnt = false) {
    pipeline::MarkReport report;
    report.session = "S";
    report.mark.next_sequence = next_sequence;
    report.mark.state.turn = static_cast<std::int32_t>(next_sequence);
    report.mark.handed = {{.count = first, .position = {next_sequence - 1, 0}, .hash = 1},
                          {.count = second, .position = {next_sequence - 1, 0}, .hash = 2}};
    if (learnt)
      report.learnt.push_back({.position = {next_sequence - 1, 0}, .instrument = 7, .key = "AAPL", .sticky = false});
    if (learnt) ++batches_;
    report.mark.state_batches = batches_;
    keeper->take(std::move(report));
  }
  journal::Checkpoint now(Follows follows = Follows::kMore) { return keeper->next("", follows); }

  boost::asio::io_context io;
  Lane lane;
  Notes checkpoints;
  Notes states;
  metrics::FeedMetrics metrics{"f"};
  std::shared_ptr<Keeper> keeper;

 private:
  std::uint64_t batches_ = 0;
};

TEST_F(KeeperTest, PassesNothingBeforeItIsAcknowledged) {
  begin(Delivery::kExactlyOnce);
  mark(11, 5, 5);
  lane.acknowledge(0, 5);
  EXPECT_EQ(now().next_sequence, 1U);
  lane.acknowledge(1, 5);
  const journal::Checkpoint checkpoint = now();
  EXPECT_EQ(checkpoint.next_sequence, 11U);
  EXPECT_EQ(checkpoint.partitions[0].offset, kEnd + 4);
  EXPECT_EQ(checkpoint.state.turn, 11);
}

TEST_F(KeeperTest, PassesNothingBeforeWhatTheDirectoryLearntIsAcknowledged) {
  begin(Delivery::kExactlyOnce);
  mark(11, 5, 5, true);
  lane.acknowledge(0, 5);
  lane.acknowledge(1, 5);
  EXPECT_EQ(now().next_sequence, 1U);
  EXPECT_FALSE(keeper->settled());
  answered(states);
  EXPECT_EQ(now().next_sequence, 11U);
  EXPECT_TRUE(keeper->settled());
}

TEST_F(KeeperTest, HasOneCheckpointUnderWay) {
  begin(Delivery::kExactlyOnce);
  const std::size_t before = checkpoints.written.size();
  keeper->write("", Follows::kMore);
  keeper->write("", Follows::kMore);  // the one under way says it nearly as well
  keeper->write("a gap", Follows::kMore);
  EXPECT_EQ(checkpoints.written.size(), before + 1);
  answered(checkpoints);
  EXPECT_EQ(checkpoints.written.size(), before + 2);
  EXPECT_NE(checkpoints.written.back().find("a gap"), std::string::npos);
  answered(checkpoints);
  EXPECT_THAT(checkpoints.waiting, IsEmpty());
}

TEST_F(KeeperTest, PositionsStayBeforeAJumpAndTheOthersMoveOn) {
  begin(Delivery::kExactlyOnce);
  mark(11, 4, 5);
  mark(21, 10, 10);
  lane.acknowledge(0, 10, 3);  // three offsets are somebody else's, from the seventh record on
  lane.acknowledge(1, 10);
  keeper->freeze();
  keeper->jumped(0, kEnd + 6);
  keeper->leave_lane();
  keeper->thaw();
  const journal::Checkpoint checkpoint = now();
  EXPECT_EQ(checkpoint.partitions[0].offset, kEnd + 3);
  EXPECT_EQ(checkpoint.partitions[0].position.sequence, 10U);
  EXPECT_EQ(checkpoint.partitions[1].offset, kEnd + 9);
  EXPECT_EQ(checkpoint.next_sequence, 11U);
}

TEST_F(KeeperTest, WithoutAJudgementNothingMovesInAPartitionThatJumped) {
  begin(Delivery::kExactlyOnce);
  mark(11, 5, 5);
  lane.acknowledge(0, 5, 3);
  lane.acknowledge(1, 5);
  EXPECT_EQ(now().partitions[0].offset, kEnd - 1);
  EXPECT_EQ(now().next_sequence, 1U);
}

TEST_F(KeeperTest, AtLeastOnceMovesOnWhereOthersWriteToo) {
  begin(Delivery::kAtLeastOnce);
  mark(11, 5, 5);
  lane.acknowledge(0, 9, 40);
  lane.by_partition[0].before_jump = 8;
  lane.acknowledge(1, 9, 40);
  lane.by_partition[1].before_jump = 8;
  EXPECT_EQ(now().next_sequence, 11U);
}

TEST_F(KeeperTest, AtMostOnceRunsAheadAndEndsWithWhatWasHandedOver) {
  begin(Delivery::kAtMostOnce);
  keeper->reserve(500, {});
  answered(checkpoints);
  EXPECT_EQ(now().next_sequence, 500U);
  mark(11, 5, 5);  // Kafka refuses some of them: they are never acknowledged
  lane.acknowledge(0, 3);
  EXPECT_EQ(now().next_sequence, 500U);
  const journal::Checkpoint last = now(Follows::kNothing);
  EXPECT_EQ(last.next_sequence, 11U);
  EXPECT_EQ(last.state.turn, 11);
  EXPECT_TRUE(last.clean);
}

TEST_F(KeeperTest, AtMostOnceKnowsTheSessionsEndAlthoughRecordsWereRefused) {
  begin(Delivery::kAtMostOnce);
  pipeline::MarkReport report;
  report.session = "S";
  report.session_ended = true;
  report.mark.next_sequence = 11;
  report.mark.handed = {{.count = 5, .position = {10, 0}, .hash = 1}, {.count = 5, .position = {10, 0}, .hash = 2}};
  keeper->take(std::move(report));
  EXPECT_TRUE(now(Follows::kNothing).session_ended);
}

TEST_F(KeeperTest, SaysWhetherMoreFollows) {
  begin(Delivery::kExactlyOnce);
  const auto ends = [&](Follows follows) { return std::pair{now(follows).clean, keeper->current().settled}; };
  EXPECT_EQ(ends(Follows::kMore), (std::pair{false, false}));
  EXPECT_EQ(ends(Follows::kAnotherEpoch), (std::pair{false, true}));
  EXPECT_EQ(ends(Follows::kNothing), (std::pair{true, false}));
}

TEST_F(KeeperTest, WritesNothingWhileItIsFrozen) {
  begin(Delivery::kExactlyOnce);
  keeper->freeze();
  const std::size_t before = checkpoints.written.size();
  keeper->write("", Follows::kMore);
  EXPECT_EQ(checkpoints.written.size(), before);
}

TEST_F(KeeperTest, AnotherSessionBeginsBehindWhatWasWrittenLast) {
  begin(Delivery::kExactlyOnce);
  mark(11, 5, 0);
  lane.acknowledge(0, 5);
  keeper->new_session("T", 1, {});
  const journal::Checkpoint checkpoint = now();
  EXPECT_EQ(checkpoint.session, "T");
  EXPECT_EQ(checkpoint.next_sequence, 1U);
  EXPECT_EQ(checkpoint.partitions[0].offset, kEnd + 4);
  EXPECT_EQ(checkpoint.partitions[1].offset, kEnd - 1);
  EXPECT_EQ(checkpoint.partitions[0].position, journal::Position{});
}

}  // namespace
}  // namespace tickbridge::app
