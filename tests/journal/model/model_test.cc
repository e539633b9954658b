// The daemon's recovery in a world that breaks at every place. See world.h.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "journal/model/daemon.h"
#include "journal/model/world.h"
#include "support/seed.h"

namespace tickbridge::journal::model {
namespace {

struct Search {
  std::uint64_t runs = 0;
  std::string problem;
  Tally tally;

  void add(const Tally& run) {
    ++runs;
    tally.crashes += run.crashes;
    tally.recoveries += run.recoveries;
    tally.named += run.named;
    tally.matched += run.matched;
    tally.unalignable += run.unalignable;
    tally.left += run.left;
  }
  void show() const {
    std::cout << runs << " runs: " << tally.crashes << " kills, " << tally.recoveries << " recoveries, "
              << tally.matched << " pieces aligned, " << tally.named << " strangers named, " << tally.left
              << " left with 76, " << tally.unalignable << " ended with 65\n";
  }
};

// Every schedule that departs from the normal one at up to `most` places.
void explore(const Settings& settings, const Departures::List& departures, std::size_t most, Search& search) {
  Departures choices{departures};
  World world{settings, choices};
  search.problem = world.run();
  search.add(world.tally);
  if (!search.problem.empty()) {
    for (const auto& [place, choice] : departures) {
      search.problem += " " + std::to_string(place) + ":" + std::to_string(choice);
    }
    return;
  }
  if (departures.size() == most) return;
  const std::size_t first = departures.empty() ? 0 : departures.back().first + 1;
  for (std::size_t place = first; place < choices.counts().size(); ++place) {
    for (std::size_t choice = 1; choice < choices.counts()[place]; ++choice) {
      Departures::List longer = departures;
      longer.emplace_back(place, choice);
      explore(settings, longer, most, search);
      if (!search.problem.empty()) return;
    }
  }
}

void explore_all(Settings settings, std::size_t most) {
  for (const bool daemon_first : {true, false}) {
    settings.daemon_first = daemon_first;
    Search search;
    explore(settings, {}, most, search);
    ASSERT_EQ(search.problem, "");
    search.show();
  }
}

Settings small() {
  Settings settings;
  settings.packets = 3;
  settings.seed = 5;
  return settings;
}

TEST(SmallWorld, SurvivesOneKillAtEveryPlaceAndOneOddTurn) { explore_all(small(), 2); }

TEST(SmallWorld, SurvivesTwoKillsAtEveryPlace) {
  Settings settings = small();
  settings.crashes = 2;
  settings.packets = 2;
  explore_all(settings, 2);
}

TEST(SmallWorld, SurvivesAForeignWriteAndAKill) {
  Settings settings = small();
  settings.foreign_writes = 1;
  explore_all(settings, 2);
}

TEST(SmallWorld, SurvivesASecondDaemonAndAKill) {
  Settings settings = small();
  settings.second_daemons = 1;
  explore_all(settings, 2);
}

TEST(SmallWorld, SurvivesAFollowerThatHidesRecords) {
  Settings settings = small();
  settings.slow_followers = 1;
  explore_all(settings, 2);
}

TEST(SmallWorld, SurvivesStopsAndKills) {
  Settings settings = small();
  settings.stops = 1;
  explore_all(settings, 2);
}

class Scenario : public testing::Test {
 protected:
  void ticks(int most) {
    for (int i = 0; i < most && world->tick(); ++i) continue;
  }
  [[nodiscard]] const Daemon& daemon(std::size_t number) const { return *world->daemons.at(number); }
  [[nodiscard]] const Checkpoint& checkpoint() const { return *world->kafka.notes.back().checkpoint; }
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
    for (auto& session : world->kafka.sessions) {
      for (auto& queue : session.sent) queue.clear();
    }
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

// As many records as there were: nothing lies behind the checkpoint, and nothing is missing. Only the record itself tells.
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

// One large world a seed; what may break in it is the seed's choice too.
Settings large(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  const auto some = [&random](int most) {
    return random() % 2 == 0 ? 0 : static_cast<int>(random() % static_cast<unsigned>(most + 1));
  };
  Settings settings;
  settings.seed = random();
  settings.partitions = static_cast<std::int32_t>(1 + random() % 4);
  settings.packets = 5 + random() % 40;
  settings.sessions = random() % 4 == 0 ? 2 : 1;
  settings.piece = 1 + random() % 6;
  settings.window = 4 + random() % 30;
  settings.checkpoint_every = 1 + random() % 8;
  settings.daemon_first = random() % 2 == 0;
  settings.late_requests = random() % 3 == 0;
  settings.crashes = static_cast<int>(random() % 6);
  settings.second_daemons = some(2);
  settings.pauses = some(2);
  settings.stops = some(2);
  settings.foreign_writes = some(3);
  settings.leaders_lost = some(3);
  settings.gaps = some(2);
  settings.late_symbols = settings.gaps == 0;
  settings.double_sends = some(2);
  settings.compactions = some(3);
  settings.retentions = random() % 8 == 0 ? some(2) : 0;
  settings.growths = settings.second_daemons + settings.pauses == 0 ? some(2) : 0;
  settings.sloppy_fences = some(2);
  settings.slow_followers = some(2);
  if (settings.gaps > 0) {  // what lies in a gap cannot be judged: with plain kills all of it is ours
    settings.foreign_writes = settings.double_sends = settings.second_daemons = settings.pauses = 0;
    settings.late_requests = false;
  }
  return settings;
}

std::uint64_t runs_wanted() {
  const char* const given = std::getenv("TICKBRIDGE_RUNS");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 10'000;
}

TEST(LargeWorld, SurvivesWhateverHappens) {
  const std::uint64_t first = tests::seed();
  Search search;
  for (std::uint64_t i = 0; i < runs_wanted(); ++i) {
    RandomChoices choices{first + i};
    World world{large(first + i), choices};
    const std::string problem = world.run();
    search.add(world.tally);
    ASSERT_EQ(problem, "") << "seed " << first + i;
  }
  search.show();
}

}  // namespace
}  // namespace tickbridge::journal::model
