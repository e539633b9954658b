#include "config/rules.h"

#include <fmt/format.h>

#include "config/document.h"
#include "config/draft.h"
#include "config/helpers.h"

namespace tickbridge::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// What contradicts what in `toml` once exactly_once is available; t.toml:1 is its first line.
std::vector<std::string> clashes(const std::string& toml) {
  const auto settings = read_document(toml, "t.toml");
  EXPECT_TRUE(settings) << toml;
  Draft draft;
  draft.name_feeds(*settings, {}, {});
  draft.take(*settings);
  draft.finish();
  EXPECT_THAT(draft.problems(), IsEmpty()) << toml;
  return contradictions(draft.config());
}

/// Lines 1 and 2 are the feed and its address; `feed` begins at line 3.
std::string with(std::string_view feed, std::string_view producer = "") {
  return fmt::format("{}{}\n[producer]\n{}\n", kFeed, feed, producer);
}

/// One contradiction, told at `place` and naming both settings and the other's place.
auto one(std::string_view place, std::string_view setting, std::string_view other, std::string_view other_place) {
  return ElementsAre(AllOf(StartsWith(fmt::format("{}: {}", place, setting)),
                           HasSubstr(fmt::format("contradicts {}", other)),
                           HasSubstr(fmt::format("({})", other_place))));
}

TEST(Rules, FindNothingWrongWithTheDefaults) { EXPECT_THAT(clashes(with("")), IsEmpty()); }

TEST(Rules, RefuseFramesOutsideAtMostOnce) {
  EXPECT_THAT(clashes(with("transport = \"frames\"")),
              one("t.toml:3", "feed.a.transport = \"frames\"", "feed.a.delivery = \"exactly_once\"", "default"));
  for (const char* const word : {"at_least_once", "exactly_once", "transactional"}) {
    EXPECT_THAT(clashes(with(fmt::format("transport = \"frames\"\ndelivery = \"{}\"", word))),
                one("t.toml:3", "feed.a.transport", fmt::format("feed.a.delivery = \"{}\"", word), "t.toml:4"));
  }
  EXPECT_THAT(clashes(with("transport = \"frames\"\ndelivery = \"at_most_once\"")), IsEmpty());
}

TEST(Rules, RefuseDropAndFireAndForgetOutsideAtMostOnce) {
  for (const char* const word : {"at_least_once", "exactly_once", "transactional"}) {
    EXPECT_THAT(clashes(with(fmt::format("when_full = \"drop\"\ndelivery = \"{}\"", word))),
                one("t.toml:3", "feed.a.when_full = \"drop\"", "feed.a.delivery", "t.toml:4"));
    EXPECT_THAT(clashes(with(fmt::format("send = \"fire_and_forget\"\ndelivery = \"{}\"", word))),
                one("t.toml:3", "feed.a.send = \"fire_and_forget\"", "feed.a.delivery", "t.toml:4"));
  }
  EXPECT_THAT(clashes(with("when_full = \"drop\"\nsend = \"fire_and_forget\"\ndelivery = \"at_most_once\"")),
              IsEmpty());
}

TEST(Rules, RefuseAcksWithFireAndForget) {
  for (const char* const acks : {"acks = 0", "acks = \"all\"", "librdkafka.\"request.required.acks\" = 1"}) {
    const auto found = clashes(with("send = \"fire_and_forget\"\ndelivery = \"at_most_once\"", acks));
    EXPECT_THAT(found, one("t.toml:3", "feed.a.send", "producer.", "t.toml:6")) << acks;
  }
}

TEST(Rules, RefuseWhatBreaksExactlyOnceAndTransactional) {
  for (const char* const word : {"exactly_once", "transactional"}) {
    for (const char* const setting :
         {"acks = \"1\"", "acks = 0", "retries = 5", "retries = 2147483647", "\"delivery.timeout.ms\" = 120000",
          "librdkafka.\"message.timeout.ms\" = 5000", "librdkafka.\"message.send.max.retries\" = 3",
          "enable.idempotence = false", "librdkafka.enable.idempotence = false"}) {
      EXPECT_THAT(clashes(with(fmt::format("delivery = \"{}\"", word), setting)),
                  one("t.toml:5", "producer.", fmt::format("feed.a.delivery = \"{}\"", word), "t.toml:3"))
          << word << ' ' << setting;
    }
    EXPECT_THAT(clashes(with(fmt::format("delivery = \"{}\"", word),
                             "acks = \"all\"\nenable.idempotence = true\nlibrdkafka.\"message.timeout.ms\" = 0")),
                IsEmpty());
  }
}

TEST(Rules, RefuseOneTopicOfTwoFeedsUnderExactlyOnce) {
  const std::string two =
      "[feed.a]\nport = 1\ndelivery = \"{}\"\ntopic = \"x\"\n[feed.b]\nport = 2\ntopic = \"x\"\n"
      "delivery = \"{}\"\n";
  EXPECT_THAT(clashes(fmt::format(fmt::runtime(two), "exactly_once", "exactly_once")),
              one("t.toml:7", "feed.b.topic = \"x\"", "feed.a.topic = \"x\"", "t.toml:4"));
  EXPECT_THAT(clashes(fmt::format(fmt::runtime(two), "at_least_once", "at_least_once")), IsEmpty());
}

constexpr const char* kLeast = "delivery = \"at_least_once\"";

TEST(Rules, RefuseManyInFlightWithoutIdempotenceUnderAtLeastOnce) {
  constexpr std::string_view kMany = "max.in.flight.requests.per.connection = 2";
  for (const char* const off : {"enable.idempotence = false", "acks = 1", "retries = 0"}) {
    EXPECT_THAT(clashes(with(kLeast, fmt::format("{}\n{}", off, kMany))),
                one("t.toml:5", "producer.", "producer.max.in.flight.requests.per.connection = 2", "t.toml:6"))
        << off;
    EXPECT_THAT(clashes(with(kLeast, off)), IsEmpty()) << off << ": the daemon sends one at a time then";
    EXPECT_THAT(clashes(with(kLeast, fmt::format("{}\nmax.in.flight.requests.per.connection = 1", off))), IsEmpty());
    EXPECT_THAT(clashes(with("delivery = \"at_most_once\"", fmt::format("{}\n{}", off, kMany))), IsEmpty());
  }
}

TEST(Rules, RefuseAcksZeroUnderAtLeastOnce) {
  EXPECT_THAT(clashes(with(kLeast, "acks = 0")),
              one("t.toml:5", "producer.acks = \"0\"", "feed.a.delivery", "t.toml:3"));
}

TEST(Rules, RefuseWhatIdempotenceCannotLiveWith) {
  EXPECT_THAT(clashes(with(kLeast, "acks = 1\nenable.idempotence = true")),
              one("t.toml:5", "producer.acks", "producer.enable.idempotence = true", "t.toml:6"));
  EXPECT_THAT(clashes(with(kLeast, "retries = 0\nenable.idempotence = true")),
              one("t.toml:5", "producer.retries", "producer.enable.idempotence = true", "t.toml:6"));
  EXPECT_THAT(clashes(with(kLeast, "max.in.flight.requests.per.connection = 6")),
              one("t.toml:5", "producer.max.in.flight", "producer.enable.idempotence = true", "default"));
}

TEST(Rules, RefuseADeadLetterTopicThatIsADataTopic) {
  EXPECT_THAT(clashes(with("dead_letter_topic = \"ticks\"")),
              one("t.toml:3", "feed.a.dead_letter_topic = \"ticks\"", "feed.a.topic = \"ticks\"", "default"));
  EXPECT_THAT(clashes("[feed.a]\nport = 1\ndead_letter_topic = \"x\"\n[feed.b]\nport = 2\ntopic = \"x\"\n"),
              one("t.toml:3", "feed.a.dead_letter_topic", "feed.b.topic = \"x\"", "t.toml:6"));
}

TEST(Rules, RefuseACheckpointTopicThatIsUsedOtherwise) {
  EXPECT_THAT(clashes(with("topic = \"tickbridge.checkpoints\"")),
              one("t.toml:3", "feed.a.topic", "checkpoint.topic", "default"));
  EXPECT_THAT(clashes(with("dead_letter_topic = \"c.state\"\n[checkpoint]\ntopic = \"c\"")),
              one("t.toml:3", "feed.a.dead_letter_topic", "checkpoint.topic = \"c\"", "t.toml:5"));
}

TEST(Rules, RefuseACompactedDataTopicUnderExactlyOnce) {
  const std::string toml = "delivery = \"{}\"\n[topics]\nconfig = {{ \"cleanup.policy\" = \"compact,delete\" }}";
  EXPECT_THAT(clashes(with(fmt::format(fmt::runtime(toml), "exactly_once"))),
              one("t.toml:5", "topics.config", "feed.a.delivery = \"exactly_once\"", "t.toml:3"));
  EXPECT_THAT(clashes(with(fmt::format(fmt::runtime(toml), "at_least_once"))), IsEmpty());
}

TEST(Rules, RefuseRoundRobinWithAKey) {
  EXPECT_THAT(clashes(with("partitioner = \"round_robin\"")),
              one("t.toml:3", "feed.a.partitioner", "feed.a.key", "default"));
  EXPECT_THAT(clashes(with("partitioner = \"round_robin\"\nkey = \"none\"")), IsEmpty());
}

TEST(Rules, RefuseAnExplicitPartitionerThatDoesNotCoverAll) {
  EXPECT_THAT(clashes(with("partitioner = \"explicit\"")),
              one("t.toml:3", "feed.a.partitioner", "feed.a.partitions = {}", "default"));
  EXPECT_THAT(clashes(with("partitioner = \"explicit\"\npartitions = { A = 1 }")),
              one("t.toml:3", "feed.a.partitioner", "feed.a.partitions", "t.toml:4"));
  EXPECT_THAT(
      clashes(with("partitions = { A = 1 }")),
      ElementsAre(AllOf(StartsWith("t.toml:3: feed.a.partitions"), HasSubstr("feed.a.partitioner = \"murmur2\""))));
  EXPECT_THAT(clashes(with("partitioner = \"explicit\"\npartitions = { A = 1, \"*\" = 0 }")), IsEmpty());
}

TEST(Rules, RefuseOptionsWithoutEffect) {
  EXPECT_THAT(clashes(with("[feed.a.frames]\nlength_bytes = 4\nheader_bytes = 4")), testing::SizeIs(2));
  EXPECT_THAT(
      clashes(with("transport = \"frames\"\ndelivery = \"at_most_once\"\n[feed.a.soupbintcp]\nversion = \"4.1\"")),
      one("t.toml:6", "feed.a.soupbintcp.version", "feed.a.transport = \"frames\"", "t.toml:3"));
  EXPECT_THAT(clashes(with("transport = \"frames\"\ndelivery = \"at_most_once\"\nusername = \"me\"")),
              one("t.toml:5", "feed.a.username", "feed.a.transport = \"frames\"", "t.toml:3"));
  EXPECT_THAT(clashes(with("compression_starts = \"after-login\"")),
              one("t.toml:3", "feed.a.compression_starts", "feed.a.compression = \"none\"", "default"));
  EXPECT_THAT(clashes(with("compression_starts = \"after-login\"\ncompression = \"zlib-stream\"")), IsEmpty());
  EXPECT_THAT(clashes(with("[feed.a.frames]\nlength_bytes = 2\n[feed.a.soupbintcp]\nversion = \"3.00\"")), IsEmpty());
}

TEST(SharesTopic, IsAnotherFeedOfThatTopic) {
  Config config;
  for (const auto& [name, topic] : {std::pair{"a", "x"}, {"b", "y"}, {"c", "x"}}) {
    config.feeds.emplace_back();
    config.feeds.back().name = name;
    config.feeds.back().sink.topic = topic;
  }
  EXPECT_TRUE(shares_topic(config, config.feeds[0]));
  EXPECT_FALSE(shares_topic(config, config.feeds[1]));
  EXPECT_TRUE(shares_topic(config, config.feeds[2]));
}

TEST(Rules, RefuseTimesAndSizesThatExcludeEachOther) {
  EXPECT_THAT(clashes(with("reconnect_min = \"20s\"")),
              one("t.toml:3", "feed.a.reconnect_min", "feed.a.reconnect_max = \"10s\"", "default"));
  EXPECT_THAT(clashes(with("[feed.a.soupbintcp]\nheartbeat = \"20s\"")),
              one("t.toml:4", "feed.a.soupbintcp.heartbeat", "feed.a.soupbintcp.silence = \"15s\"", "default"));
  EXPECT_THAT(clashes(with("[pipeline]\nring_bytes = \"1MiB\"\ntask_bytes = \"512KiB\"")),
              one("t.toml:5", "pipeline.task_bytes", "pipeline.ring_bytes", "t.toml:4"));
  EXPECT_THAT(clashes(with(kLeast, "linger.ms = 500\ndelivery.timeout.ms = 500")),
              one("t.toml:5", "producer.linger.ms = 500", "producer.delivery.timeout.ms = 500", "t.toml:6"));
  const std::string frames = "transport = \"frames\"\ndelivery = \"at_most_once\"\n[feed.a.frames]\n";
  EXPECT_THAT(clashes(with(frames + "length_offset = 4")),
              one("t.toml:6", "feed.a.frames.length_offset", "feed.a.frames.header_bytes = 2", "default"));
  EXPECT_THAT(clashes(with(frames + "header_bytes = 100\nmax_packet_bytes = 50")),
              one("t.toml:6", "feed.a.frames.header_bytes", "feed.a.frames.max_packet_bytes = 50", "t.toml:7"));
}

TEST(Rules, NameTheFlagThatContradicts) {
  EXPECT_THAT(refusal(kFeed, {"feed.a.when_full=drop"}),
              StartsWith("--set feed.a.when_full: feed.a.when_full = \"drop\" contradicts feed.a.delivery"));
}

}  // namespace
}  // namespace tickbridge::config
