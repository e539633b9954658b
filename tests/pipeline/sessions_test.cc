// What a feed makes of logins, sessions, repeats and gaps.
#include <gtest/gtest.h>

#include <thread>

#include "pipeline/rig.h"

namespace tickbridge::pipeline {
namespace {

namespace wire = tests::wire;
using metrics::FeedCounter;
using tests::FakeLane;
using tests::publish_as_is;
using tests::Rig;
using tests::small;

TEST(Feed, DropsRepeatsAfterALoginAnsweredLower) {
  FakeLane lane{1};
  Rig rig{small({}), lane, 1};
  const auto packet = [](std::uint64_t i) { return wire::soup('S', wire::order_delete(0, i, 1)); };
  rig.write(wire::accepted("S1", 1) + packet(1) + packet(2) + packet(3));
  rig.await();
  // The rig's scanner knows one connection: the second one's packets are published by hand.
  const std::string second = wire::accepted("S1", 2) + packet(2) + packet(3) + packet(4);
  std::copy_n(as_bytes(second).begin(), second.size(), rig.feed().ring().writable().begin());
  rig.feed().ring().wrote(second.size());
  rig.feed().ring().publish(second.size(), 8);
  rig.feed().announce();
  rig.await();
  ASSERT_EQ(lane.taken[0].size(), 4U);
  EXPECT_EQ(lane.taken[0][3].sequence, 4U);
  EXPECT_EQ(rig.count(FeedCounter::kSequenceRepeats), 2U);
  EXPECT_EQ(rig.count(FeedCounter::kDroppedRepeat), 2U);
}

TEST(Feed, NamesTheSessionAndSequenceOfWhatCameBeforeALoginInTheSameTask) {
  FakeLane lane{1};
  Rig rig{small({}), lane, 1};
  const std::string good = wire::soup('S', wire::order_delete(0, 1, 1));
  const std::string bad = wire::soup('S', "D too short");
  publish_as_is(rig, wire::accepted("S1", 1) + good + bad + wire::soup('Z', "") + wire::accepted("S2", 1) + good);
  rig.await();
  ASSERT_EQ(lane.dead.size(), 1U);
  EXPECT_EQ(lane.dead[0].session, "S1");
  EXPECT_EQ(lane.dead[0].sequence, 2U);
  ASSERT_EQ(lane.taken[0].size(), 2U);
  EXPECT_EQ(lane.taken[0][0].sequence, 1U);
  EXPECT_EQ(lane.taken[0][1].sequence, 1U);
}

TEST(Feed, TellsOfASessionThatWasLeftBeforeItsEnd) {
  FakeLane lane{1};
  Rig rig{small({}), lane, 1};
  const std::string good = wire::soup('S', wire::order_delete(0, 1, 1));
  publish_as_is(rig, wire::accepted("S1", 1) + good + good + wire::accepted("S2", 1) + good);
  rig.await();
  ASSERT_EQ(lane.dead.size(), 1U);
  EXPECT_EQ(lane.dead[0].reason, "gap");
  EXPECT_EQ(lane.dead[0].session, "S1");
  EXPECT_EQ(lane.dead[0].sequence, 3U);
  EXPECT_EQ(rig.count(FeedCounter::kGaps), 1U);
  EXPECT_EQ(rig.count(FeedCounter::kMessagesDeadLettered), 1U);
  EXPECT_EQ(rig.count(FeedCounter::kGapLetters), 1U);
  EXPECT_EQ(lane.taken[0].size(), 3U);
}

class ASessionThatComesBack : public ::testing::Test {
 protected:
  /// S1, left before its end, another one, and S1 again.
  void run(Committer::Settings commit) {
    rig.emplace(small(codec), lane, 1, std::move(commit));
    const auto packet = [](std::uint64_t n) { return wire::soup('S', wire::order_delete(1, n, 0)); };
    publish_as_is(*rig, wire::accepted("S1", 1) + packet(1) + packet(2) + wire::accepted("S2", 1) + packet(3) +
                            wire::accepted("S1", 1) + packet(1));
  }
  codec::Options codec;
  FakeLane lane{5, 1};
  std::optional<Rig> rig;
};

TEST_F(ASessionThatComesBack, StopsAFeedThatWritesNothingTwice) {
  Committer::Settings commit;
  commit.resume.single = true;
  run(std::move(commit));
  while (!rig->failed()) std::this_thread::yield();
  EXPECT_EQ(rig->problem().code, ExitCode::kData);
  EXPECT_NE(rig->problem().message.find("--start 3"), std::string::npos) << rig->problem().message;
  EXPECT_EQ(rig->count(FeedCounter::kMessagesCommitted), 3U);
}

TEST_F(ASessionThatComesBack, IsWrittenAgainWhereSomeMayBeTwice) {
  run({});
  rig->await();
  EXPECT_FALSE(rig->failed());
  EXPECT_EQ(rig->count(FeedCounter::kMessagesCommitted), 4U);
}

TEST_F(ASessionThatComesBack, IsKnownToTheNextLife) {
  Committer::Settings commit;
  commit.resume.single = true;
  commit.resume.session = "S3";
  const std::int64_t today = TradingDay::create("2020-01-30", "America/New_York").value().midnight_ms(0);
  commit.resume.left = {{"S2", 7, today}, {"S1", 9, today}};
  run(std::move(commit));
  while (!rig->failed()) std::this_thread::yield();
  EXPECT_NE(rig->problem().message.find("session S1 has come back, which was left before its end, at sequence 9"),
            std::string::npos)
      << rig->problem().message;
  EXPECT_EQ(rig->count(FeedCounter::kMessagesCommitted), 0U);
}

TEST(Feed, CountsTheInstrumentsThatAreUsedBeforeTheyAreNamed) {
  FakeLane lane{1};
  Rig rig{small({}), lane, 1};
  const auto packet = [](const std::string& message) { return wire::soup('S', message); };
  rig.write(wire::accepted("S1", 1) + packet(wire::order_delete(7, 1, 1)) + packet(wire::order_delete(7, 2, 1)) +
            packet(wire::directory(8, "AAPL", 1)) + packet(wire::order_delete(8, 3, 1)) +
            packet(wire::order_delete(9, 4, 1)));
  rig.await();
  EXPECT_EQ(rig.count(FeedCounter::kKeysByNumber), 2U) << "7 and 9";
}

TEST(Feed, CountsARepeatedMoldPacketOnce) {
  codec::Options codec;
  codec.payload = codec::PayloadFormat::kMoldUdp64;
  FakeLane lane{1};
  Rig rig{small(codec), lane, 1};
  const auto packet = [](std::uint64_t i) {
    return wire::soup('S', wire::mold("M1", i, 1, wire::block(wire::order_delete(0, i, 1))));
  };
  publish_as_is(rig, wire::accepted("S1", 1) + packet(1) + packet(2));
  publish_as_is(rig, wire::accepted("S1", 1) + packet(1) + packet(2) + packet(3));
  rig.await();
  EXPECT_EQ(lane.taken[0].size(), 3U);
  EXPECT_EQ(rig.count(FeedCounter::kSequenceRepeats), 2U);
  EXPECT_EQ(rig.count(FeedCounter::kDroppedRepeat), 2U);
}

TEST(Feed, TakesAnAnswerOfAnotherSessionThanTheConfiguredOneFromItsBeginning) {
  FakeLane lane{1};
  Committer::Settings commit;
  commit.resume.session = "S1";
  commit.resume.next_sequence = 500;
  Rig rig{small({}), lane, 1, commit};
  publish_as_is(rig, wire::accepted("S2", 1) + wire::soup('S', wire::order_delete(0, 1, 1)));
  rig.await();
  EXPECT_EQ(lane.taken[0].size(), 1U);
  EXPECT_EQ(rig.count(FeedCounter::kSessionChanges), 1U);
}

TEST(Feed, TellsNothingThatWasLearntInTheSessionBefore) {
  ring::Parking parking;
  metrics::FeedMetrics metrics{"test"};
  FakeLane lane{1};
  std::vector<Barrier> barriers;
  auto feed = Feed::create(small({}), parking, metrics,
                           {.on_space = [] {},
                            .on_scan = {},
                            .on_failed = {},
                            .on_mark = {},
                            .on_barrier = [&](Barrier barrier) { barriers.push_back(std::move(barrier)); }})
                  .value();
  Committer::Settings commit;
  commit.resume.journaled = true;
  feed->attach(std::move(commit), TradingDay::create("2020-01-30", "America/New_York").value(), {}, lane);
  const auto session = [&](const std::string& name) {
    const std::string bytes = wire::accepted(name, 1) + wire::soup('S', wire::order_delete(7, 1, 1));
    std::copy_n(as_bytes(bytes).begin(), bytes.size(), feed->ring().writable().begin());
    feed->ring().wrote(bytes.size());
    feed->ring().publish(bytes.size(), 1);
    while (feed->work()) {
    }
    feed->pass_barrier();
    while (feed->work()) {
    }
  };
  session("S1");
  session("S2");
  ASSERT_EQ(barriers.size(), 2U);
  EXPECT_EQ(barriers[1].kind, Barrier::Kind::kSession);
  EXPECT_EQ(barriers[1].report.session, "S2");
  EXPECT_TRUE(barriers[1].report.learnt.empty()) << "#7 of the session before";
}

TEST(Feed, CountsAGapAndGoesOn) {
  FakeLane lane{1};
  Rig rig{small({}), lane, 1};
  rig.write(wire::accepted("S1", 5) + wire::soup('S', wire::order_delete(0, 1, 1)));
  rig.await();
  EXPECT_EQ(rig.count(FeedCounter::kGaps), 1U);
  EXPECT_EQ(rig.count(FeedCounter::kMessagesMissing), 4U);
  ASSERT_EQ(lane.taken[0].size(), 1U);
  EXPECT_EQ(lane.taken[0][0].sequence, 5U);
}

TEST(Feed, StopsAtAGapWhenToldTo) {
  FakeLane lane{1};
  Committer::Settings commit;
  commit.policies.on_gap = OnGap::kStop;
  Rig rig{small({}), lane, 1, commit};
  rig.write(wire::accepted("S1", 5) + wire::soup('S', wire::order_delete(0, 1, 1)));
  while (!rig.failed()) std::this_thread::yield();
  EXPECT_EQ(rig.problem().code, ExitCode::kData);
  EXPECT_TRUE(lane.taken[0].empty());
}

TEST(Feed, FollowsMoldSequencesThroughRepeatsAndGaps) {
  codec::Options codec;
  codec.transport = codec::Transport::kFrames;
  codec.payload = codec::PayloadFormat::kMoldUdp64;
  FakeLane lane{1};
  Rig rig{small(codec), lane, 1};
  const auto packet = [](std::uint64_t first, std::uint16_t count) {
    std::string blocks;
    for (std::uint64_t i = first; i < first + count; ++i) blocks += wire::block(wire::order_delete(0, i, 1));
    return wire::block(wire::mold("M1", first, count, blocks));
  };
  rig.write(packet(1, 3) + packet(2, 4) + wire::block(wire::mold("M1", 6, 0, "")) + packet(9, 2));
  rig.await();
  std::vector<std::string> values;
  for (const auto& taken : lane.taken[0]) values.push_back(taken.value.substr(11));
  std::vector<std::string> expected;
  for (const std::uint64_t i : {1U, 2U, 3U, 4U, 5U, 9U, 10U}) expected.push_back(wire::be(i));
  EXPECT_EQ(values, expected);
  EXPECT_EQ(rig.count(FeedCounter::kDroppedRepeat), 2U);
  EXPECT_EQ(rig.count(FeedCounter::kGaps), 1U);
  EXPECT_EQ(rig.count(FeedCounter::kMessagesMissing), 3U);
}

}  // namespace
}  // namespace tickbridge::pipeline
