#include <fmt/format.h>

#include <chrono>
#include <random>

#include "config/generate.h"
#include "config/helpers.h"

namespace tickbridge::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

std::string feed(std::string_view more) { return fmt::format("{}{}\n", kFeed, more); }

TEST(Parse, ReadsEveryKindOfValue) {
  const Config config = accepted(R"(
startup_timeout = "5s"
[feed.nasdaq]
hosts = ["10.1.1.1:9000", "[::1]:9001"]
compression = "zlib-auto"
max_inflated_bytes = "2MiB"
start = 135
trading_date = 2019-12-30
partitioner = "explicit"
partitions = { AAPL = 3, "BRK.A" = 4, "*" = 0 }
headers = ["feed", "sequence"]
[feed.nasdaq.soupbintcp]
version = "4.1"
heartbeat = "500ms"
[feed.b3]
topic = "b3"
host = "localhost"
port = 9000
transport = "frames"
delivery = "at_most_once"
[feed.b3.frames]
length_bytes = 4
header_bytes = 4
byte_order = "little"
length_counts = "packet"
magic = "50eb"
[producer]
linger.ms = 7
"buffer.memory" = "64MiB"
max_in_flight_messages = 1000
[producer.librdkafka]
socket.keepalive.enable = true
[topics]
config = { "min.insync.replicas" = 2 }
[log]
format = "json"
)");
  ASSERT_EQ(config.feeds.size(), 2U);
  const Feed& nasdaq = config.feeds[0];
  EXPECT_EQ(nasdaq.name, "nasdaq");
  EXPECT_EQ(nasdaq.net.hosts[1].host, "::1");
  EXPECT_EQ(nasdaq.codec.compression, codec::Compression::kZlibAuto);
  EXPECT_EQ(nasdaq.codec.max_inflated_bytes, 2U << 20U);
  EXPECT_EQ(nasdaq.codec.soup_version, codec::SoupVersion::k410);
  EXPECT_EQ(nasdaq.net.start, "135");
  EXPECT_EQ(nasdaq.net.heartbeat, 500ms);
  EXPECT_EQ(nasdaq.policies.trading_date, "2019-12-30");
  EXPECT_EQ(nasdaq.routing.partitions.at("BRK.A"), 4);
  EXPECT_THAT(nasdaq.sink.headers, testing::ElementsAre(sink::Header::kFeed, sink::Header::kSequence));
  const Feed& b3 = config.feeds[1];
  EXPECT_FALSE(b3.codec.frames.big_endian);
  EXPECT_TRUE(b3.codec.frames.length_counts_packet);
  EXPECT_EQ(b3.codec.frames.magic, "\x50\xeb");
  EXPECT_EQ(b3.sink.delivery, sink::Delivery::kAtMostOnce);
  EXPECT_EQ(config.startup_timeout, 5s);
  EXPECT_EQ(config.producer.buffer_memory, 64U << 20U);
  EXPECT_EQ(config.producer.properties.at("linger.ms"), "7");
  EXPECT_EQ(config.producer.properties.at("socket.keepalive.enable"), "true");
  EXPECT_EQ(config.producer.properties.at("bootstrap.servers"), "localhost:9092");
  EXPECT_EQ(config.topics.config.at("min.insync.replicas"), "2");
  EXPECT_EQ(config.log.format, ops::LogFormat::kJson);
}

TEST(Parse, NamesFileAndLineOfEachMistake) {
  struct Case {
    std::string toml;
    std::string message;
  };
  const Case cases[] = {
      {feed("topik = \"x\""), "t.toml:3: feed.a.topik is no option; did you mean feed.a.topic?"},
      {feed("key = \"symbl\""), "t.toml:3: feed.a.key = \"symbl\" is not one of its words; did you mean \"symbol\""},
      {"\n[pipeline]\nworkers = 300\n", "t.toml:3: pipeline.workers = 300 is too large; allowed: 0 to 256"},
      {"[pipeline]\nworkers = \"2\"\n", "t.toml:2: pipeline.workers = \"2\" is text; allowed: 0 to 256"},
      {"workers = 3\n", "t.toml:1: workers is no option; did you mean pipeline.workers?"},
      {"[piepline]\nworkers = 3\n", "t.toml:2: piepline.workers is no option; did you mean pipeline.workers?"},
      {"[piepline]\n", "t.toml:1: piepline is no option; did you mean pipeline?"},
      {"pipeline = 3\n", "t.toml:1: pipeline is no table"},
      {"feed = 3\n", "t.toml:1: feed is no table; write [feed.NAME]"},
      {"[[feed]]\nhost = \"a\"\n", "t.toml:1: feed is no table; write [feed.NAME]"},
      {"feed.a = 3\n", "t.toml:1: feed.a is no table"},
      {"[feed.\"a b\"]\nport = 1\n", "t.toml:2: the feed's name \"a b\" has another letter"},
      {feed("port = 1"), "t.toml:3: feed.a.port and feed.a.hosts (t.toml:2) both give the address"},
      {"[feed.a]\n", "t.toml:1: feed.a has no address; set hosts"},
      {"[feed.a]\nhost = \"x\"\n", "t.toml:2: feed.a has no port"},
      {"startup_timeout = 5\n", "t.toml:1: startup_timeout = 5 is a whole number; allowed: \"1ms\" to \"60m\""},
      {"startup_timeout = \"5 days\"\n", "t.toml:1: startup_timeout = \"5 days\" cannot be read; allowed: \"1ms\""},
      {feed("session = \"toolongasession\""), "t.toml:3: feed.a.session = \"toolongasession\" is too long"},
      {feed("start = \"beginnig\""), "did you mean \"beginning\""},
      {feed("start = 0"), "is no sequence number: the first is 1"},
      {feed("trading_date = \"2019-13-30\""), "is not a date; allowed: \"today\" or a date such as 2019-12-30"},
      {feed("time_zone = \"America/New York\""), "t.toml:3: feed.a.time_zone"},
      {feed("time_zone = \"../../../etc/passwd\""), "is not a time zone's name"},
      {feed("topic = \"a/b\""), "has a letter that Kafka does not allow"},
      {feed("headers = [\"sequense\"]"), "did you mean \"sequence\""},
      {feed("headers = [\"feed\", \"feed\"]"), "has \"feed\" twice"},
      {"[feed.a]\nhosts = [\"localhost\"]\n",
       "t.toml:2: feed.a.hosts = [\"localhost\"] has \"localhost\", which is not an"},
      {"[feed.a]\nhosts = []\n", "is empty"},
      {feed("partitioner = \"explicit\"\npartitions = { AAPL = -1 }"), "feed.a.partitions.AAPL = -1 is too small"},
      {feed("[feed.a.frames]\nmagic = \"xyz\""), "is not hexadecimal"},
      {feed("[feed.a.frames]\nlength_bytes = 3"), "is not one of its values; allowed: 1, 2, 4"},
      {"a = = 3\n", "t.toml:1: this is not TOML"},
      {"[feed.a]\nport = 1\nport = 2\n", "t.toml:3: this is not TOML"},
      {"[http]\nlisten = \"nowhere\"\n", "t.toml:2: http.listen"},
  };
  for (const Case& c : cases) EXPECT_THAT(refusal(c.toml), HasSubstr(c.message)) << c.toml;
}

TEST(Parse, TellsAllMistakesAtOnce) {
  const std::string message = refusal("[pipeline]\nworkers = 300\nring = 1\n[log]\nlevel = \"loud\"\n");
  EXPECT_THAT(message, AllOf(HasSubstr("t.toml:2: "), HasSubstr("\nt.toml:3: "), HasSubstr("\nt.toml:5: ")));
}

TEST(Parse, NeverShowsASecretInAMessage) {
  EXPECT_THAT(refusal("[producer]\n\"sasl.password\" = [\"hunter2\"]\n"), testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(refusal("", {"producer.ssl.key.password=[\"hunter2\"]", "nothing=1"}),
              testing::Not(HasSubstr("hunter2")));
}

TEST(Parse, MakesAFeedNamedDefaultIfNoneIsNamed) {
  Overrides overrides;
  overrides.host = "exchange";
  overrides.port = 9000;
  const auto config = parse("", "built-in defaults", overrides);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->feeds.at(0).name, "default");
  EXPECT_EQ(config->feeds.at(0).net.hosts.at(0).host, "exchange");
  EXPECT_THAT(refusal(""), HasSubstr("feed.default has no address"));
}

TEST(Parse, TakesLocalhostForAHostThatIsNotGiven) {
  EXPECT_EQ(accepted("[feed.a]\nport = 9000\n").feeds.at(0).net.hosts.at(0).host, "localhost");
}

TEST(Set, WinsOverHostAndPortWhichWinOverTheFile) {
  Overrides overrides;
  overrides.host = "flag";
  overrides.port = 2;
  overrides.set = {"feed.a.port=3"};
  const auto config = parse("[feed.a]\nhosts = [\"x:1\", \"y:1\"]\n", "t.toml", overrides);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->feeds.at(0).net.hosts.size(), 1U);
  EXPECT_EQ(config->feeds.at(0).net.hosts.at(0).host, "flag");
  EXPECT_EQ(config->feeds.at(0).net.hosts.at(0).port, 3);
}

TEST(Set, TakesValuesAsAShellGivesThem) {
  const Config config = accepted(
      kFeed, {"feed.a.topic=x", "producer.linger.ms=5", "feed.a.session=0000000001", "feed.a.soupbintcp.version=4.1",
              "feed.a.start=17", "startup_timeout=2s", "pipeline.ring_bytes=128MiB", "topics.create=true",
              "feed.a.headers=feed,sequence", "feed.a.trading_date=2019-12-30", "feed.a.username=123",
              "topics.config.min.insync.replicas=2", "feed.a.partitioner=explicit", "feed.a.partitions={A=1}",
              "feed.a.partitions.*=0", "producer.librdkafka.socket.keepalive.enable=true", "http.listen="});
  const Feed& a = config.feeds.at(0);
  EXPECT_EQ(a.sink.topic, "x");
  EXPECT_EQ(a.net.session, "0000000001");
  EXPECT_EQ(a.net.username, "123");
  EXPECT_EQ(a.codec.soup_version, codec::SoupVersion::k410);
  EXPECT_EQ(a.net.start, "17");
  EXPECT_EQ(a.policies.trading_date, "2019-12-30");
  EXPECT_EQ(a.sink.headers.size(), 2U);
  EXPECT_EQ(a.routing.partitions.size(), 2U);
  EXPECT_EQ(config.producer.properties.at("linger.ms"), "5");
  EXPECT_EQ(config.producer.properties.at("socket.keepalive.enable"), "true");
  EXPECT_EQ(config.topics.config.at("min.insync.replicas"), "2");
  EXPECT_EQ(config.pipeline.ring_bytes, 128U << 20U);
  EXPECT_EQ(config.http.listen, "");
}

TEST(Set, IsNamedInItsErrors) {
  EXPECT_THAT(refusal(kFeed, {"feed.a.topik=x"}), StartsWith("--set feed.a.topik: feed.a.topik is no option"));
  EXPECT_THAT(refusal(kFeed, {"feed.b.topic=x"}),
              AllOf(StartsWith("--set feed.b.topic: "), HasSubstr("did you mean \"a\"")));
  EXPECT_THAT(refusal(kFeed, {"topic"}), StartsWith("--set topic: needs KEY=VALUE"));
  EXPECT_EQ(read(kFeed, {"=x"}).error().code, ExitCode::kUsage);
  EXPECT_THAT(refusal(kFeed, {"pipeline.workers=999"}), HasSubstr("--set pipeline.workers: "));
}

TEST(Set, TakesTheLastOfTheSameName) {
  EXPECT_EQ(accepted(kFeed, {"pipeline.workers=2", "pipeline.workers=3"}).pipeline.workers, 3U);
}

TEST(Parse, NeedsToKnowWhichFeedAHostIsFor) {
  Overrides overrides;
  overrides.port = 1;
  const auto unclear = parse("[feed.a]\nport = 5\n[feed.b]\nport = 6\n", "t.toml", overrides);
  EXPECT_EQ(unclear.error().code, ExitCode::kUsage);
  EXPECT_THAT(unclear.error().message, HasSubstr("--feed: a, b"));
  overrides.feed = "b";
  const auto clear = parse("[feed.a]\nport = 5\n[feed.b]\nport = 6\ntopic = \"b\"\n", "t.toml", overrides);
  EXPECT_EQ(clear->feeds.at(1).net.hosts.at(0).port, 1);
  overrides.feed = "bb";
  EXPECT_THAT(parse("[feed.a]\nport = 5\n", "t.toml", overrides).error().message, HasSubstr("did you mean \"a\""));
}

TEST(Parse, SurvivesGarbage) {
  const auto seed = std::random_device{}();
  std::mt19937 random{seed};
  SCOPED_TRACE(fmt::format("seed {}", seed));
  const std::string good = example();
  for (int round = 0; round < 400; ++round) {
    std::string text = good.substr(random() % good.size(), random() % 400);
    for (auto n = random() % 8; n > 0 && !text.empty(); --n) text[random() % text.size()] = static_cast<char>(random());
    const auto config = read(text);
    EXPECT_TRUE(config || !config.error().message.empty());
  }
}

TEST(Parse, SurvivesGarbageInSet) {
  const auto seed = std::random_device{}();
  std::mt19937 random{seed};
  SCOPED_TRACE(fmt::format("seed {}", seed));
  for (int round = 0; round < 2'000; ++round) {
    constexpr std::string_view kLetters = "feed.a.topicproducer={}[]\"'\n# 0129,-";
    std::string text = round % 2 == 0 ? "feed.a.partitions=" : "";
    for (auto n = random() % 20; n > 0; --n) text += kLetters[random() % kLetters.size()];
    const auto config = read(kFeed, {text});
    EXPECT_TRUE(config || !config.error().message.empty());
  }
}

}  // namespace
}  // namespace tickbridge::config
