#include "journal/start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tickbridge::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Checkpoint written(std::uint64_t epoch, std::uint64_t number, std::string instance) {
  Checkpoint out;
  out.epoch = epoch;
  out.number = number;
  out.instance = std::move(instance);
  out.session = "S1";
  out.next_sequence = 10;
  out.parameters = {{"topic_partitions", "2"}, {"key", "symbol"}};
  return out;
}

std::vector<Step> walk(const StartFacts& facts) {
  std::vector<Step> out;
  for (Step step = Step::kReadCheckpoints; step != Step::kRun; step = next_step(step, facts)) out.push_back(step);
  return out;
}

TEST(NextStep, FencesBeforeItReadsTheEndsAndOwnsBeforeItAligns) {
  EXPECT_THAT(walk({.has_checkpoint = true}),
              ElementsAre(Step::kReadCheckpoints, Step::kWatchOwner, Step::kFence, Step::kReadEnds, Step::kReadSuffix,
                          Step::kLogIn, Step::kOwn, Step::kReadBack, Step::kAlign));
}

TEST(NextStep, NeitherWatchesNorFencesAfterACleanStop) {
  EXPECT_THAT(walk({.has_checkpoint = true, .clean = true}),
              ElementsAre(Step::kReadCheckpoints, Step::kReadEnds, Step::kReadSuffix, Step::kLogIn, Step::kOwn,
                          Step::kReadBack, Step::kAlign));
}

TEST(NextStep, HasNothingToAlignAtAFirstStart) {
  EXPECT_THAT(walk({}),
              ElementsAre(Step::kReadCheckpoints, Step::kReadEnds, Step::kLogIn, Step::kOwn, Step::kReadBack));
}

TEST(NextStep, DoesNotWatchForItselfWhenItRebuildsInPlace) {
  EXPECT_EQ(next_step(Step::kReadCheckpoints, {.has_checkpoint = true, .rebuild_in_place = true}), Step::kFence);
}

TEST(NextStep, PassesOverWhatOnlyExactlyOnceNeeds) {
  EXPECT_THAT(walk({.has_checkpoint = true, .exact = false}),
              ElementsAre(Step::kReadCheckpoints, Step::kWatchOwner, Step::kReadEnds, Step::kLogIn, Step::kOwn,
                          Step::kReadBack));
}

TEST(NextStep, EndsInRunningAndEveryStepHasAName) {
  EXPECT_EQ(next_step(Step::kRun, {}), Step::kRun);
  EXPECT_EQ(name(Step::kReadCheckpoints), "reading checkpoints");
  EXPECT_EQ(name(Step::kRun), "running");
}

TEST(Newest, IsTheHighestEpochsLast) {
  const std::vector<Checkpoint> log{written(1, 0, "a"), written(2, 0, "b"), written(1, 9, "a"), written(2, 1, "b")};
  EXPECT_EQ(*newest(log), written(2, 1, "b"));
  EXPECT_EQ(highest_epoch(log), 2U);
  EXPECT_EQ(newest({}), nullptr);
}

TEST(Newest, PassesOverWhoLostTheRaceForAnEpoch) {
  EXPECT_EQ(*newest({written(2, 0, "b"), written(2, 0, "c")}), written(2, 0, "b"));
  EXPECT_EQ(*newest({written(2, 0, "b"), written(2, 0, "c"), written(2, 1, "b")}), written(2, 1, "b"));
  EXPECT_EQ(*newest({written(2, 0, "c"), written(2, 1, "b")}), written(2, 1, "b"));  // the first was not read
}

TEST(Owns, TheFirstOfAnEpochDoes) {
  const std::vector<Checkpoint> log{written(2, 0, "b"), written(2, 0, "c")};
  EXPECT_TRUE(owns(log, 2, "b"));
  EXPECT_FALSE(owns(log, 2, "c"));
  EXPECT_FALSE(owns(log, 3, "b"));
}

TEST(Owns, WhoLostDoesNotWhenCompactionHasDeletedTheWinnersFirst) {
  EXPECT_FALSE(owns({written(2, 1, "c"), written(2, 7, "b")}, 2, "c"));
  EXPECT_TRUE(owns({written(2, 1, "c"), written(2, 1, "b")}, 2, "c"));
}

TEST(Owns, NobodyDoesOnceAHigherEpochIsThere) { EXPECT_FALSE(owns({written(2, 0, "b"), written(3, 0, "c")}, 2, "b")); }

TEST(Liveness, OneAdvanceIsADeadOwnersLastWord) {
  Liveness liveness{written(2, 5, "b")};
  liveness.saw(written(2, 5, "b"));
  EXPECT_FALSE(liveness.alive());
  liveness.saw(written(2, 6, "b"));
  EXPECT_FALSE(liveness.alive());
  liveness.saw(written(2, 6, "b"));
  EXPECT_FALSE(liveness.alive());
  liveness.saw(written(2, 7, "b"));
  EXPECT_TRUE(liveness.alive());
}

TEST(Liveness, AZombiesOlderEpochIsNoAdvance) {
  Liveness liveness{written(2, 5, "b")};
  liveness.saw(written(1, 98, "a"));
  liveness.saw(written(1, 99, "a"));
  EXPECT_FALSE(liveness.alive());
}

TEST(Liveness, TwoDeadOwnersLastWordsAreNotALivingOnes) {
  Liveness liveness{written(2, 5, "b")};
  liveness.saw(written(2, 6, "b"));
  liveness.saw(written(3, 0, "c"));
  EXPECT_FALSE(liveness.alive());
  liveness.saw(written(3, 1, "c"));
  EXPECT_TRUE(liveness.alive());
}

TEST(Liveness, WhoSaysThatItStopsIsNotAlive) {
  Liveness liveness{written(2, 5, "b")};
  liveness.saw(written(2, 6, "b"));
  Checkpoint last = written(2, 7, "b");
  last.clean = true;
  liveness.saw(last);
  EXPECT_FALSE(liveness.alive());
}

PartitionState at(std::int64_t offset, std::uint64_t hash = 7) {
  return {.position = {3, 0}, .offset = offset, .hash = hash, .markers = 0, .gap = false};
}

TEST(CheckEnd, TakesAPartitionThatGoesOnBehindTheCheckpoint) {
  EXPECT_TRUE(check_end("ticks", 1, at(9), {.begin = 0, .end = 10, .hash_at_offset = 7}));
  EXPECT_TRUE(check_end("ticks", 1, at(9), {.begin = 12, .end = 20, .hash_at_offset = {}}));
  EXPECT_TRUE(check_end("ticks", 1, at(9, 0), {.begin = 0, .end = 10, .hash_at_offset = 8}));
}

TEST(CheckEnd, RefusesOneThatWasCutShort) {
  const Result<void> found = check_end("ticks", 1, at(9), {.begin = 0, .end = 9, .hash_at_offset = {}});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ExitCode::kData);
  EXPECT_THAT(found.error().message, HasSubstr("topic ticks, partition 1: offset 9"));
}

TEST(CheckEnd, RefusesOneThatWasReCreatedAndFilledAgain) {
  EXPECT_FALSE(check_end("ticks", 1, at(9), {.begin = 0, .end = 50, .hash_at_offset = 8}));
}

TEST(Holds, WhatTheDeliveryPromises) {
  Checkpoint checkpoint = written(1, 0, "a");
  EXPECT_EQ(holds(checkpoint), Holds::kNothing);
  const auto of = [&](const char* delivery) {
    checkpoint.parameters["delivery"] = delivery;
    return holds(checkpoint);
  };
  EXPECT_EQ(of("\"exactly_once\""), Holds::kRecord);
  EXPECT_EQ(of("\"transactional\""), Holds::kRecord);
  EXPECT_EQ(of("\"at_least_once\""), Holds::kEnd);
  EXPECT_EQ(of("\"at_most_once\""), Holds::kNothing);
  EXPECT_FALSE(delivered(checkpoint, "transactional"));
  EXPECT_TRUE(delivered(checkpoint, "at_most_once"));
}

TEST(WatchedInterval, IsTheLongerOne) {
  using std::chrono::milliseconds;
  Checkpoint checkpoint = written(1, 0, "a");
  EXPECT_EQ(watched_interval(checkpoint, milliseconds{500}), milliseconds{500});  // an older version does not say
  checkpoint.interval_ms = 5'000;
  EXPECT_EQ(watched_interval(checkpoint, milliseconds{500}), milliseconds{5'000});
  EXPECT_EQ(watched_interval(checkpoint, milliseconds{8'000}), milliseconds{8'000});
}

TEST(JudgeLogin, GoesOnWhereItStood) {
  const LoginFinding found = judge_login(written(1, 0, "a"), "S1", 10);
  EXPECT_FALSE(found.gap());
  EXPECT_FALSE(found.other_session);
  EXPECT_EQ(found.decision, "");
}

TEST(JudgeLogin, NamesWhatTheExchangeHasNoLonger) {
  const LoginFinding found = judge_login(written(1, 0, "a"), "S1", 14);
  EXPECT_EQ(found.gap_begin, 10U);
  EXPECT_EQ(found.gap_end, 14U);
  EXPECT_THAT(found.decision, HasSubstr("10 to 13"));
}

TEST(JudgeLogin, AnotherSessionLeavesAGapOfUnknownSize) {
  const LoginFinding found = judge_login(written(1, 0, "a"), "S2", 1);
  EXPECT_TRUE(found.other_session);
  EXPECT_EQ(found.gap_begin, 10U);
  EXPECT_EQ(found.gap_end, 0U);
  EXPECT_THAT(found.decision, HasSubstr("S2"));
}

TEST(JudgeLogin, NothingIsMissingOfASessionThatWasHeardToItsEnd) {
  Checkpoint ended = written(1, 0, "a");
  ended.session_ended = true;
  EXPECT_FALSE(judge_login(ended, "S2", 1).gap());
  EXPECT_TRUE(judge_login(ended, "S2", 1).other_session);
}

TEST(JudgeParameters, AcceptsAChangeAfterACleanStopOnly) {
  Checkpoint before = written(1, 0, "a");
  Parameters now = before.parameters;
  EXPECT_EQ(judge_parameters(before, now, false).way, ParameterFinding::Way::kSame);
  now["key"] = "none";
  const ParameterFinding refused = judge_parameters(before, now, false);
  EXPECT_EQ(refused.way, ParameterFinding::Way::kRefused);
  EXPECT_THAT(refused.changes, ElementsAre("key: symbol -> none"));
  EXPECT_THAT(refused.problem, HasSubstr("--accept-change"));
  EXPECT_EQ(judge_parameters(before, now, true).way, ParameterFinding::Way::kOldFirst);
  before.clean = true;
  EXPECT_EQ(judge_parameters(before, now, false).way, ParameterFinding::Way::kBarrier);
}

TEST(JudgeParameters, AcceptsAChangeBehindACheckpointThatNothingFollows) {
  Checkpoint before = written(1, 0, "a");
  before.settled = true;
  Parameters now = before.parameters;
  now["key"] = "none";
  EXPECT_EQ(judge_parameters(before, now, false).way, ParameterFinding::Way::kBarrier);
}

TEST(TradingDate, OfTheSessionIsThatOfTheParametersInForce) {
  Checkpoint before = written(1, 0, "a");
  before.session = "S";
  before.state.midnight_ms = 1'000;
  StartPlan plan;
  plan.previous = &before;
  plan.session = "S";
  plan.parameters = before.parameters;
  plan.fresh.midnight_ms = 2'000;
  EXPECT_EQ(start_checkpoint(plan).state.midnight_ms, 1'000);
  plan.parameters["trading_date"] = "\"2020-01-02\"";
  EXPECT_EQ(start_checkpoint(plan).state.midnight_ms, 2'000);
}

TEST(JudgeParameters, NeverAcceptsAnotherDeliveryAfterAnUncleanStop) {
  Checkpoint before = written(1, 0, "a");
  before.parameters["delivery"] = "\"exactly_once\"";
  Parameters now = before.parameters;
  now["delivery"] = "\"transactional\"";
  const ParameterFinding refused = judge_parameters(before, now, true);
  EXPECT_EQ(refused.way, ParameterFinding::Way::kRefused);
  EXPECT_THAT(refused.problem, HasSubstr("start once with the old configuration and stop it with SIGTERM"));
  before.clean = true;
  EXPECT_EQ(judge_parameters(before, now, false).way, ParameterFinding::Way::kBarrier);
}

TEST(JudgeParameters, RefusesAChangeWhileAPartitionIsAheadOfTheReplay) {
  Checkpoint before = written(1, 0, "a");
  before.clean = true;
  before.partitions = {{.position = {10, 0}, .offset = 5, .hash = 1, .markers = 0, .gap = false}};
  Parameters now = before.parameters;
  now["key"] = "none";
  EXPECT_EQ(judge_parameters(before, now, false).way, ParameterFinding::Way::kRefused);
}

TEST(JudgeParameters, TakesAnAcceptedChangeThatLeavesTheLogAloneAtOnce) {
  Checkpoint before = written(1, 0, "a");
  before.parameters["on_invalid"] = "stop";  // where it stopped, the old way would stop again
  Parameters now = before.parameters;
  now["on_invalid"] = "drop";
  EXPECT_EQ(judge_parameters(before, now, false).way, ParameterFinding::Way::kRefused);
  EXPECT_EQ(judge_parameters(before, now, true).way, ParameterFinding::Way::kSame);
  EXPECT_THAT(judge_parameters(before, now, true).changes, ElementsAre("on_invalid: stop -> drop"));
  now["key"] = "none";
  EXPECT_EQ(judge_parameters(before, now, true).way, ParameterFinding::Way::kOldFirst);
}

TEST(JudgeParameters, TakesMorePartitionsByItself) {
  const Checkpoint before = written(1, 0, "a");
  Parameters now = before.parameters;
  now["topic_partitions"] = "10";
  EXPECT_EQ(judge_parameters(before, now, false).way, ParameterFinding::Way::kOldFirst);
  now["max_record_bytes"] = "1000";
  EXPECT_EQ(judge_parameters(before, now, false).way, ParameterFinding::Way::kOldFirst);
  now["protocol_table"] = "2";
  EXPECT_EQ(judge_parameters(before, now, false).way, ParameterFinding::Way::kRefused);
  now = before.parameters;
  now["topic_partitions"] = "1";
  EXPECT_EQ(judge_parameters(before, now, false).way, ParameterFinding::Way::kRefused);
  now["topic_partitions"] = "10";
  now["key"] = "none";
  EXPECT_EQ(judge_parameters(before, now, false).way, ParameterFinding::Way::kRefused);
}

class StartCheckpoint : public testing::Test {
 protected:
  StartCheckpoint() {
    before.partitions = {at(9), at(4)};
    before.state.turn = 3;
    before.state_epoch_floor = 1;
    plan.previous = &before;
    plan.highest_epoch = 4;
    plan.instance = "b";
    plan.session = "S1";
    plan.sequence = 10;
    plan.partitions = {at(9), at(4)};
    plan.ends = {20, 30};
  }
  Checkpoint before = written(3, 7, "a");
  StartPlan plan;
};

TEST_F(StartCheckpoint, GoesOnUnderTheNextEpoch) {
  const Checkpoint start = start_checkpoint(plan);
  EXPECT_EQ(start.epoch, 5U);
  EXPECT_EQ(start.number, 0U);
  EXPECT_EQ(start.instance, "b");
  EXPECT_EQ(start.next_sequence, 10U);
  EXPECT_EQ(start.partitions, before.partitions);
  EXPECT_EQ(start.state, before.state);
  EXPECT_EQ(start.state_epoch_floor, 1U);
  EXPECT_EQ(start.decision, "");
  EXPECT_FALSE(start.clean);
}

TEST_F(StartCheckpoint, GivesAPartitionNeverWrittenItsEnd) {
  plan.ends = {20, 30, 7};
  EXPECT_EQ(start_checkpoint(plan).partitions.at(2).offset, 6);
  plan.previous = nullptr;
  EXPECT_EQ(start_checkpoint(plan).partitions.at(0).offset, 19);
}

TEST_F(StartCheckpoint, BeginsAnewInAnotherSession) {
  plan.session = "S2";
  plan.sequence = 1;
  const Checkpoint start = start_checkpoint(plan);
  EXPECT_EQ(start.next_sequence, 1U);
  EXPECT_EQ(start.partitions.at(1).position, Position{});
  EXPECT_EQ(start.partitions.at(1).offset, 29);
  EXPECT_EQ(start.state_epoch_floor, 5U);
  EXPECT_EQ(start.state, FunctionState{});
  EXPECT_THAT(start.decision, HasSubstr("S2"));
}

TEST_F(StartCheckpoint, BoundsWhatAKilledLifeHasWrittenOfASessionThatWasLeft) {
  plan.session = "S2";
  plan.ends = {before.partitions.at(0).offset + 1, before.partitions.at(1).offset + 8};
  EXPECT_THAT(start_checkpoint(plan).decision, HasSubstr("at most 7 record(s)"));
  before.clean = true;
  EXPECT_THAT(start_checkpoint(plan).decision, Not(HasSubstr("at most")));
}

TEST_F(StartCheckpoint, SaysHowFarPartitionsWereAheadInASessionThatWasLeft) {
  plan.session = "S2";
  before.partitions.at(0).position = {before.next_sequence + 4900, 0};
  plan.ends = {before.partitions.at(0).offset + 1, before.partitions.at(1).offset + 8};
  EXPECT_THAT(start_checkpoint(plan).decision, HasSubstr("up to sequence 4910, and at most 7 more)"));
}

TEST_F(StartCheckpoint, RemembersASessionThatWasLeft) {
  before.left = {{"S0", 4, 0}};
  EXPECT_EQ(start_checkpoint(plan).left, before.left);
  plan.session = "S2";
  EXPECT_EQ(start_checkpoint(plan).left,
            (std::vector<LeftSession>{{"S0", 4, 0}, {"S1", 10, before.state.midnight_ms}}));
  plan.session = "S0";
  plan.give_up = true;
  EXPECT_EQ(start_checkpoint(plan).left, (std::vector<LeftSession>{{"S1", 10, before.state.midnight_ms}}))
      << "--start has joined it again";
  before.session_ended = true;
  EXPECT_TRUE(start_checkpoint(plan).left.empty());
  plan.topic = "another";
  before.session_ended = false;
  EXPECT_TRUE(start_checkpoint(plan).left.empty()) << "another topic is another log";
}

TEST_F(StartCheckpoint, NamesAGap) {
  plan.sequence = 12;
  const Checkpoint start = start_checkpoint(plan);
  EXPECT_EQ(start.next_sequence, 12U);
  EXPECT_EQ(start.partitions, before.partitions);
  EXPECT_THAT(start.decision, HasSubstr("10 to 11"));
}

TEST_F(StartCheckpoint, NeverGoesBackByItself) {
  plan.sequence = 8;
  EXPECT_EQ(start_checkpoint(plan).next_sequence, 10U);
}

TEST_F(StartCheckpoint, GivesTheSuffixUpWhenTold) {
  plan.give_up = true;
  plan.sequence = 1;
  plan.decision = "--start beginning";
  const Checkpoint start = start_checkpoint(plan);
  EXPECT_EQ(start.next_sequence, 1U);
  EXPECT_EQ(start.partitions.at(0).offset, 19);
  EXPECT_EQ(start.state_epoch_floor, 5U);
  EXPECT_EQ(start.decision, "--start beginning");
}

// Three starts in a row, each of another kind: a batch that the first one passes over stays buried rightly.
TEST_F(StartCheckpoint, NoneThatFollowsTakesWhatIsGone) {
  const auto follows = [this](const Checkpoint& previous, unsigned kind) {
    plan.previous = &previous;
    plan.highest_epoch = previous.epoch;
    plan.session = kind % 2 == 0 ? "S1" : "S2";
    plan.sequence = kind / 2 % 2 == 0 ? 1 : previous.next_sequence;
    plan.give_up = kind / 4 % 2 == 1;
    return start_checkpoint(plan);
  };
  std::vector<StateBatch> batches(4);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    batches[i].session = i % 2 == 0 ? "S1" : "S2";
    batches[i].epoch = i / 2 == 0 ? 1 : before.epoch;
  }
  constexpr unsigned kKinds = 8;
  for (unsigned kinds = 0; kinds < kKinds * kKinds * kKinds; ++kinds) {
    const Checkpoint first = follows(before, kinds % kKinds);
    const Checkpoint second = follows(first, kinds / kKinds % kKinds);
    const Checkpoint third = follows(second, kinds / kKinds / kKinds);
    for (const StateBatch& batch : batches) {
      if (!gone(batch, first.session, first.state_epoch_floor)) continue;
      EXPECT_TRUE(gone(batch, second.session, second.state_epoch_floor)) << kinds;
      EXPECT_TRUE(gone(batch, third.session, third.state_epoch_floor)) << kinds;
    }
  }
}

}  // namespace
}  // namespace tickbridge::journal
