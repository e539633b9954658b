// What a rule of recovery is for: its accident, brought about on purpose. mutations.toml takes the rules out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journal/model/daemon.h"
#include "journal/model/world.h"

namespace tickbridge::journal::model {
namespace {

class Scenario : public testing::Test {
 protected:
  void ticks(int most) {
    for (int i = 0; i < most && world->tick(); ++i) continue;
  }
  [[nodiscard]] const Daemon& daemon(std::size_t number) const { return *world->daemons.at(number); }
  // The newest in the topic, tombstones aside.
  [[nodiscard]] const Checkpoint& checkpoint() const {
    const auto& notes = world->kafka.notes;
    return *std::find_if(notes.rbegin(), notes.rend(), [](const Note& note) {
              return note.checkpoint.has_value();
            })->checkpoint;
  }
  [[nodiscard]] std::size_t records() const {
    std::size_t sum = 0;
    for (const PartitionLog& log : world->kafka.partitions) {
      for (const LogRecord& record : log.log) sum += record.kind == LogRecord::Kind::kData ? 1U : 0U;
    }
    return sum;
  }
  void begin(std::size_t packets) {
    settings.packets = packets;
    settings.crashes = 9;
    settings.daemon_first = false;
    world = std::make_unique<World>(settings, normal);
    world->start_daemon();
  }
  // The next start meets the log as it is; what it leaves with.
  [[nodiscard]] std::optional<int> restart() {
    world->crash(0);
    lose_what_is_sent();
    for (int i = 0; i < 500 && daemon(1).running() && !daemon(1).owner(); ++i) world->tick();
    for (int i = 0; i < 50 && daemon(1).running(); ++i) world->tick();
    return daemon(1).exit_code();
  }

  // What lies on its way to the compacted topics arrives only when the test says so.
  [[nodiscard]] std::deque<Request> held() { return std::exchange(world->kafka.requests, {}); }
  void arrive(const std::deque<Request>& requests) {
    for (const Request& request : requests) world->take_request(request);
  }
  // As far as the daemon comes alone, without any answer.
  void walk(std::size_t number, Step step) {
    Daemon& walker = *world->daemons.at(number);
    for (int i = 0; i < 20 && walker.where() != step && walker.can_step(); ++i) walker.step();
    ASSERT_EQ(name(walker.where()), name(step));
  }
  void stop_cleanly(std::size_t number) {
    world->daemons.at(number)->stopping = true;
    for (int i = 0; i < 500 && daemon(number).running(); ++i) world->tick();
    ASSERT_EQ(daemon(number).exit_code(), 0);
    ASSERT_TRUE(checkpoint().clean);
  }

  // The exchange sends so many packets for now; all is acknowledged and noted, and the daemon dies before its last word
  // arrives.
  void write_and_die(std::size_t number, std::size_t packets) {
    Session& session = world->sessions[0];
    const std::vector<std::vector<Message>> all = session.packets;
    session.packets.resize(packets);
    for (int i = 0; i < 2000 && (world->kafka.notes.empty() || !checkpoint().clean); ++i) world->tick();
    ASSERT_TRUE(checkpoint().clean);
    world->kafka.notes.pop_back();
    ASSERT_FALSE(checkpoint().clean);
    ASSERT_EQ(checkpoint().next_sequence, packets + 1);
    session.packets = all;
    for (Note& note : world->kafka.notes) {
      if (note.checkpoint) note.checkpoint->session_ended = false;
    }
    world->crash(number);
  }
  // The exchange has nothing left of what comes before the checkpoint.
  void no_witnesses() { world->first = checkpoint().next_sequence; }
  // Nothing of what the dead have sent arrives any more.
  void lose_what_is_sent() {
    for (auto& session : world->kafka.sessions) {
      for (auto& queue : session.sent) queue.clear();
    }
  }
  // Nobody knows of it beforehand.
  void record(std::size_t partition, std::uint64_t hash, bool foreign = false) {
    PartitionLog& log = world->kafka.partitions[partition];
    log.log.push_back({LogRecord::Kind::kData, hash, foreign});
    log.watermark = log.end();
    world->strange = true;
  }
  void foreign_record(std::size_t partition) { record(partition, 0xF0000000U, true); }
  // One message a packet, to each partition in turn.
  void only_messages_in_turn() {
    std::uint64_t content = 1000;
    for (auto& packet : world->sessions[0].packets) {
      packet = {{.index = 0, .instrument = 0, .symbol = {}, .content = ++content}};
    }
  }
  // Messages that belong into the data topic.
  [[nodiscard]] std::size_t messages() const {
    std::size_t sum = 0;
    for (const auto& packet : world->sessions[0].packets) {
      for (const Message& message : packet) sum += message.invalid ? 0U : 1U;
    }
    return sum;
  }
  std::optional<int> run_to_the_end(std::size_t number) {
    for (int i = 0; i < 2000 && daemon(number).running(); ++i) world->tick();
    return daemon(number).exit_code();
  }

  Settings settings;
  Departures normal{{}};
  std::unique_ptr<World> world;
};

TEST_F(Scenario, APartitionWithoutLeaderHoldsNeitherTheOthersNorTheProofOfLife) {
  settings.window = 60;
  begin(60);
  world->kafka.partitions[1].leaderless = true;
  ticks(120);
  const std::uint64_t before = checkpoint().number;
  EXPECT_GT(checkpoint().partitions[0].offset, 5);
  world->start_daemon();
  for (int i = 0; i < 200 && daemon(1).running(); ++i) world->tick();
  EXPECT_EQ(daemon(1).exit_code(), 76);
  EXPECT_TRUE(daemon(0).running());
  EXPECT_GT(checkpoint().number, before);
}

TEST_F(Scenario, AnExchangeThatReplaysOtherDataIsNotWrittenBehindTheOld) {
  settings.checkpoint_every = 9;
  settings.piece = 20;  // a piece is written as a whole or not at all
  begin(30);
  ticks(15);
  world->sessions[0] = make_session(world->sessions[0].name, 99, 30, true);
  const std::size_t before = records();
  EXPECT_EQ(restart(), 65);
  EXPECT_EQ(records(), before);
}

TEST_F(Scenario, ATopicThatWasCutShortIsFoundOut) {
  begin(30);
  ticks(100);
  for (PartitionLog& log : world->kafka.partitions) {
    log.log.clear();
    log.watermark = 0;
  }
  EXPECT_EQ(restart(), 65);
  EXPECT_EQ(records(), 0U);
}

TEST_F(Scenario, ATopicThatWasReCreatedAndFilledByOthersIsFoundOut) {
  begin(30);
  ticks(100);
  for (PartitionLog& log : world->kafka.partitions) {
    for (LogRecord& record : log.log) record.hash ^= 1U;
  }
  const std::size_t before = records();
  EXPECT_EQ(restart(), 65);
  EXPECT_EQ(records(), before);
}

// As many records as there were: nothing lies behind the checkpoint, nothing is missing, only the record itself tells.
TEST_F(Scenario, ATopicThatWasReCreatedAndFilledToTheSameEndIsFoundOut) {
  begin(30);
  ticks(60);
  stop_cleanly(0);
  for (PartitionLog& log : world->kafka.partitions) {
    for (LogRecord& record : log.log) record.hash ^= 1U;
  }
  const std::size_t before = records();
  world->start_daemon();
  ticks(50);
  EXPECT_EQ(daemon(1).exit_code(), 65);
  EXPECT_EQ(records(), before);
}

// The zombie's record is the newest of all, but of another epoch's key.
TEST_F(Scenario, ALateCheckpointDoesNotMakeCompactionForgetTheSuccessors) {
  settings.sessions = 2;
  begin(20);
  ticks(30);
  while (world->kafka.requests.empty()) world->tick();
  const std::deque<Request> late = held();
  world->session = 1;
  world->crash(0);
  while (!daemon(1).owner()) world->tick();
  ticks(60);
  world->crash(1);
  arrive(held());
  arrive(late);
  world->kafka.compact(0);
  EXPECT_EQ(world->finish(), "");
}

// Whatever of it arrives, and however soon the topic is compacted, there is one to go on from.
TEST_F(Scenario, AKillWhileItsFirstCheckpointIsOnItsWayLeavesAnotherOne) {
  for (std::size_t arrived = 0; arrived < 4; ++arrived) {
    begin(20);
    ticks(60);
    world->crash(0);
    arrive(held());
    while (daemon(1).where() != Step::kReadBack) world->tick();
    std::deque<Request> sent = held();
    sent.resize(std::min(sent.size(), arrived));
    arrive(sent);
    world->kafka.compact(0);
    world->crash(1);
    EXPECT_EQ(world->finish(), "") << arrived << " arrived";
  }
}

TEST_F(Scenario, LateCheckpointsOfTwoDeadOwnersAreNotALivingOne) {
  begin(20);
  ticks(60);
  while (world->kafka.requests.empty()) world->tick();
  const std::deque<Request> first = held();
  world->crash(0);
  walk(1, Step::kReadBack);
  const std::deque<Request> second = held();
  world->crash(1);
  walk(2, Step::kWatchOwner);
  arrive(first);
  arrive(second);
  ticks(60);
  EXPECT_NE(daemon(2).exit_code(), 76);
  EXPECT_EQ(world->finish(), "");
}

TEST_F(Scenario, WhoLosesTheRaceAfterACleanStopTellsNoneOfTheWinnersRecordsAsForeign) {
  begin(20);
  ticks(60);
  stop_cleanly(0);
  world->start_daemon();
  world->start_daemon();
  walk(2, Step::kReadEnds);
  world->daemons[2]->paused = true;
  const std::size_t before = records();
  while (records() < before + 3) world->tick();
  world->daemons[2]->paused = false;
  walk(2, Step::kReadBack);
  EXPECT_EQ(world->finish(), "");
}

// The loser's first checkpoint is the newest of its segment when that is compacted: the winner's first one is gone.
TEST_F(Scenario, WhoWasStoppedBeforeItReadBackDoesNotOwnWhatAnotherWrites) {
  begin(40);
  ticks(30);
  stop_cleanly(0);
  world->start_daemon();
  world->start_daemon();
  walk(1, Step::kReadBack);
  walk(2, Step::kReadBack);
  world->daemons[2]->paused = true;
  world->daemons[1]->paused = true;
  while (!world->kafka.requests.empty()) world->tick();
  const std::size_t closed = world->kafka.notes.size();
  world->daemons[1]->paused = false;
  while (checkpoint().number < 2) world->tick();
  world->kafka.compact(world->kafka.notes.size() - closed);
  world->daemons[2]->paused = false;
  world->daemons[2]->step();
  EXPECT_NE(daemon(2).where(), Step::kAlign);
  EXPECT_EQ(world->finish(), "");
}

// --- what is acknowledged before a checkpoint passes it ---

TEST_F(Scenario, ADeadLetterThatWasLostIsWrittenAgain) {
  begin(30);
  for (int i = 0; i < 200; ++i) {
    for (auto& session : world->kafka.sessions) session.sent.back().clear();
    world->tick();
  }
  world->crash(0);
  EXPECT_EQ(world->finish(), "");
}

TEST_F(Scenario, WhatTheDirectoryLearntIsLearntAgainWhenItWasLost) {
  begin(40);
  ticks(5);
  for (int i = 0; i < 200 && checkpoint().next_sequence < 20; ++i) {
    std::erase_if(world->kafka.requests, [](const Request& request) { return request.state.has_value(); });
    world->tick();
  }
  world->crash(0);
  EXPECT_EQ(world->finish(), "");
}

// --- alive? ---

TEST_F(Scenario, AnOwnerThatStopsWhileItIsWatchedIsNotAlive) {
  begin(40);
  ticks(30);
  world->start_daemon();
  walk(1, Step::kWatchOwner);
  world->daemons[1]->paused = true;
  const std::uint64_t seen = checkpoint().number;
  while (checkpoint().number < seen + 1) world->tick();
  stop_cleanly(0);
  ASSERT_GE(checkpoint().number, seen + 2);
  world->daemons[1]->paused = false;
  EXPECT_EQ(run_to_the_end(1), 0);
}

TEST_F(Scenario, AnOwnerThatGoesOnUnderOtherParametersIsWatched) {
  begin(40);
  ticks(30);
  world->crash(0);
  lose_what_is_sent();
  world->kafka.partitions.emplace_back();
  const auto changes = [&] { return checkpoint().decision == "parameters"; };
  for (int i = 0; i < 500 && !changes(); ++i) world->tick();
  ASSERT_TRUE(changes());
  world->start_daemon();
  walk(2, Step::kWatchOwner);
}

TEST_F(Scenario, AZombieLeavesBeforeItWritesAnotherCheckpoint) {
  begin(40);
  ticks(40);
  while (!world->kafka.requests.empty()) world->tick();
  world->daemons[0]->paused = true;
  world->start_daemon();
  while (!daemon(1).owner()) world->tick();
  world->daemons[1]->paused = true;
  world->daemons[0]->paused = false;
  const auto from_the_zombie = [](const Request& request) { return request.owner == 0; };
  for (int i = 0; i < 100 && daemon(0).running(); ++i) {
    world->tick();
    ASSERT_TRUE(std::ranges::none_of(world->kafka.requests, from_the_zombie));
  }
  EXPECT_EQ(daemon(0).exit_code(), 76);
}

// --- fence ---

// Chance leaves a partition out of the fence's first round.
class Sloppy : public Choices {
 public:
  std::size_t choose(std::size_t) override { return 0; }
  std::size_t fault(std::size_t count) override { return count - 1; }
};

TEST_F(Scenario, APartitionThatTheFenceLeftOutIsFencedInAnotherRound) {
  settings.sloppy_fences = 1;
  settings.checkpoint_every = 50;
  begin(40);
  ticks(30);
  const std::deque<Request> lost = held();
  world->crash(0);
  lose_what_is_sent();
  PartitionLog& log = world->kafka.partitions[0];
  log.watermark = checkpoint().partitions[0].offset + 1;
  ASSERT_LT(log.watermark, log.end());
  Sloppy sloppy;
  world->choices = &sloppy;
  walk(1, Step::kReadBack);
  world->choices = &normal;
  EXPECT_EQ(run_to_the_end(1), 0);
  EXPECT_EQ(world->finish(), "");
}

// --- alignment ---

TEST_F(Scenario, ForeignRecordsBehindACleanStopAreToldAndPassedOver) {
  begin(30);
  ticks(60);
  stop_cleanly(0);
  foreign_record(0);
  foreign_record(1);
  world->start_daemon();
  EXPECT_EQ(run_to_the_end(1), 0);
  EXPECT_EQ(world->tally.named, 2U);
  EXPECT_EQ(world->finish(), "");
}

TEST_F(Scenario, WhoWritesWhileTheFeedStandsStillAndIsDownIsToldAndPassedOver) {
  begin(30);
  only_messages_in_turn();
  write_and_die(0, 12);
  foreign_record(0);
  foreign_record(1);
  EXPECT_EQ(run_to_the_end(1), 0);
  EXPECT_EQ(world->tally.named, 2U);
  EXPECT_EQ(world->finish(), "");
}

// What its successor has written and checkpointed long since comes once more.
TEST_F(Scenario, ALateBatchBehindACheckpointThatHasPassedItIsKnownAsACopy) {
  begin(40);
  ticks(40);
  auto& sent = world->kafka.sessions[0].sent[0];
  while (sent.empty()) world->daemons[0]->step();
  const Batch late = sent.front();
  world->crash(0);
  lose_what_is_sent();
  write_and_die(1, 25);
  sent.push_back(late);
  world->kafka.append(world->kafka.sessions[0], 0);
  world->strange = true;
  no_witnesses();
  EXPECT_EQ(run_to_the_end(2), 0);
  EXPECT_EQ(world->tally.named, late.hashes.size());
  EXPECT_EQ(world->finish(), "");
}

// A zombie that has seen the next session too: one of its records comes before its successor's barrier, the next one
// behind it.
TEST_F(Scenario, LateRecordsOnBothSidesOfASessionsBeginAreTold) {
  settings.partitions = 1;
  settings.sessions = 2;
  begin(10);
  while (world->session == 0) world->tick();
  Function function{1};
  std::deque<std::uint64_t> late;
  for (std::uint64_t sequence = 1; late.size() < 2; ++sequence) {
    for (const Message& message : world->current().packets[sequence - 1]) {
      if (!message.invalid) late.push_back(function.take(sequence, message).hash);
    }
  }
  record(0, late[0]);
  while (checkpoint().session == "S0") world->tick();
  record(0, late[1]);
  EXPECT_EQ(run_to_the_end(0), 0);
  EXPECT_EQ(world->tally.named, 2U);
  EXPECT_EQ(world->finish(), "");
}

TEST_F(Scenario, AStrangerInOnePartitionIsToldApartByWhatAnotherHolds) {
  settings.checkpoint_every = 50;
  settings.piece = 20;
  settings.window = 60;
  begin(40);
  only_messages_in_turn();
  write_and_die(0, 10);
  while (!daemon(1).owner()) world->tick();
  world->kafka.partitions[0].leaderless = true;
  const std::int64_t before = world->kafka.partitions[1].end();
  while (world->kafka.partitions[1].end() < before + 2) world->tick();
  const std::deque<Request> lost = held();
  world->crash(1);
  lose_what_is_sent();
  world->kafka.partitions[0].leaderless = false;
  foreign_record(0);
  no_witnesses();
  EXPECT_EQ(run_to_the_end(2), 0);
  EXPECT_EQ(world->finish(), "");
}

TEST_F(Scenario, AHoleInTheLogIsFoundOutAndNotFilledBehindIt) {
  settings.checkpoint_every = 50;
  settings.piece = 20;
  begin(40);
  only_messages_in_turn();
  PartitionLog& log = world->kafka.partitions[0];
  while (log.end() < 5) world->tick();
  const std::deque<Request> lost = held();
  const auto hole = static_cast<std::size_t>(checkpoint().partitions[0].offset + 3);
  ASSERT_LT(hole + 2, log.log.size());
  log.log[hole].kind = LogRecord::Kind::kMarker;
  const std::size_t before = records();
  EXPECT_EQ(restart(), 65);
  EXPECT_EQ(records(), before);
}

TEST_F(Scenario, WhatRetentionDeletedFromTheSuffixIsNotWrittenAgain) {
  settings.checkpoint_every = 50;
  settings.partitions = 1;
  begin(40);
  ticks(30);
  const std::deque<Request> lost = held();
  world->crash(0);
  lose_what_is_sent();
  PartitionLog& log = world->kafka.partitions[0];
  log.begin = checkpoint().partitions[0].offset + 4;
  ASSERT_LT(log.begin + 2, log.end());
  EXPECT_EQ(run_to_the_end(1), 0);
  EXPECT_EQ(records(), messages());
}

// Nothing is left to compare: offsets are counted, but not those of an earlier start's fence.
TEST_F(Scenario, WhereRetentionDeletedTheWholeSuffixItsRecordsAreCounted) {
  settings.checkpoint_every = 50;
  settings.partitions = 1;
  begin(40);
  ticks(30);
  const std::deque<Request> lost = held();
  world->crash(0);
  lose_what_is_sent();
  while (!daemon(1).owner()) world->tick();
  world->crash(1);
  PartitionLog& log = world->kafka.partitions[0];
  ASSERT_GT(log.end(), checkpoint().partitions[0].offset + 3);
  log.begin = log.end();
  EXPECT_EQ(run_to_the_end(2), 0);
  EXPECT_EQ(records(), messages());
}

}  // namespace
}  // namespace tickbridge::journal::model
