#include <gmock/gmock.h>

#include <algorithm>

#include "config/helpers.h"
#include "config/table.h"

namespace tickbridge::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kTwo = R"(
[feed.a]
port = 9000
topic = "a"
[feed.b]
port = 9001
topic = "b"
)";

std::vector<std::string> told(const std::vector<Difference>& differences) {
  std::vector<std::string> lines;
  for (const Difference& difference : differences)
    lines.push_back(difference.option + " " + std::to_string(static_cast<int>(difference.takes)));
  return lines;
}

TEST(Reload, NothingDiffersFromItself) {
  const Config config = accepted(kTwo);
  EXPECT_THAT(told(differences(config, config)), IsEmpty());
  EXPECT_TRUE(same(config.feeds[0], config.feeds[0]));
}

TEST(Reload, TellsWhatEachChangeTakes) {
  const Config before = accepted(kTwo);
  const Config after = accepted(
      kTwo, {"log.level=debug", "feed.a.topic=x", "producer.linger.ms=9", "producer.max.block.ms=7000",
             "producer.bootstrap.servers=elsewhere:9092", "pipeline.workers=3", "producer.ssl.ca.location=/ca.pem"});
  EXPECT_THAT(told(differences(before, after)),
              ElementsAre("feed.a.topic 1", "pipeline.workers 3", "producer.max.block.ms 2", "log.level 0",
                          "producer.bootstrap.servers 3", "producer.linger.ms 2", "producer.ssl.ca.location 3"));
}

TEST(Reload, FeedsAreKnownByTheirNamesWhereverTheyStand) {
  const Config before = accepted(kTwo);
  const Config after = accepted("[feed.c]\nport = 1\ntopic = \"c\"\n[feed.b]\nport = 9001\ntopic = \"b\"\n");
  EXPECT_THAT(told(differences(before, after)), ElementsAre("feed.a 1", "feed.c 1"));
  EXPECT_TRUE(same(before.feeds[1], after.feeds[1]));
  EXPECT_FALSE(same(before.feeds[0], after.feeds[0]));
}

TEST(Reload, WhatTakesARestartStaysAsItRuns) {
  const Config before = accepted(kTwo, {"producer.ssl.ca.location=/old.pem"});
  const Config after = accepted(kTwo, {"pipeline.workers=3", "producer.linger.ms=9", "feed.b.topic=x",
                                       "http.listen=127.0.0.1:1", "producer.bootstrap.servers=elsewhere:9092"});
  const Config taken = taken_over(before, after);
  EXPECT_EQ(taken.pipeline.workers, before.pipeline.workers);
  EXPECT_EQ(taken.http.listen, before.http.listen);
  EXPECT_EQ(taken.producer.properties.at("bootstrap.servers"), before.producer.properties.at("bootstrap.servers"));
  EXPECT_EQ(taken.producer.properties.at("ssl.ca.location"), "/old.pem");
  EXPECT_EQ(taken.producer.properties.at("linger.ms"), "9");
  EXPECT_EQ(taken.feeds[1].sink.topic, "x");
  // Told again the next time: nothing was forgotten.
  const auto again = differences(taken, after);
  EXPECT_TRUE(std::ranges::all_of(again, [](const Difference& d) { return d.takes == Reload::kRestart; }));
  EXPECT_EQ(again.size(), 4U);
}

TEST(Reload, EachOptionIsTakenOverInOneWay) {
  for (const Option& option : options()) {
    if (option.is_feed() || !option.library.empty()) continue;
    EXPECT_FALSE(option.reloadable && option.renews) << option.path;
  }
}

}  // namespace
}  // namespace tickbridge::config
