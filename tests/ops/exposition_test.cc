#include "ops/exposition.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "ops/exposition_parser.h"

namespace tickbridge::ops {
namespace {

using metrics::FeedCounter;
using metrics::FeedState;
using test::Exposition;
using test::parse_exposition;

constexpr const char* kHostile = "a\"b\\c\nd<script>\xff";

struct ExpositionTest : testing::Test {
  metrics::Registry registry{"1.2.3"};
  std::string text() const {
    return render_exposition(metrics::collect(registry, metrics::sample_system(), SteadyClock::now()));
  }
};

TEST_F(ExpositionTest, HoldsEveryCountExactly) {
  registry.add_feed("nasdaq").add(FeedCounter::kMessagesReceived, 123'456'789'012'345);
  const Exposition parsed = parse_exposition(text());
  EXPECT_EQ(parsed.problem, "");
  EXPECT_EQ(parsed.samples.at("tickbridge_feed_messages_received_total{feed=\"nasdaq\"}"), 123'456'789'012'345.0);
  EXPECT_EQ(parsed.types.at("tickbridge_feed_messages_received_total"), "counter");
  EXPECT_EQ(parsed.types.at("process_resident_memory_bytes"), "gauge");
}

TEST_F(ExpositionTest, LatenciesAreHistograms) {
  metrics::FeedMetrics& feed = registry.add_feed("nasdaq");
  feed.latency(metrics::Stage::kHandOver).record(15'000, 3);
  feed.latency(metrics::Stage::kHandOver).record(3'000'000'000, 1);
  const Exposition parsed = parse_exposition(text());
  EXPECT_EQ(parsed.problem, "");
  EXPECT_EQ(parsed.types.at("tickbridge_feed_latency_seconds"), "histogram");
  const auto sample = [&](const std::string& what, const std::string& bound) {
    return parsed.samples.at("tickbridge_feed_latency_seconds_" + what + R"({feed="nasdaq",to="hand_over")" + bound +
                             "}");
  };
  EXPECT_EQ(sample("bucket", R"(,le="1e-05")"), 0);
  EXPECT_EQ(sample("bucket", R"(,le="2e-05")"), 3);
  EXPECT_EQ(sample("bucket", R"(,le="5")"), 4);
  EXPECT_EQ(sample("bucket", R"(,le="+Inf")"), 4);
  EXPECT_EQ(sample("count", ""), 4);
  EXPECT_DOUBLE_EQ(sample("sum", ""), 3.000045);
}

TEST_F(ExpositionTest, IsWellFormedWhateverTheFeedsAreCalled) {
  registry.add_feed(kHostile);
  registry.add_feed("");
  const Exposition parsed = parse_exposition(text());
  EXPECT_EQ(parsed.problem, "");
  EXPECT_TRUE(parsed.samples.contains("tickbridge_feed_gaps_total{feed=\"a\\\"b\\\\c\\nd<script>\xef\xbf\xbd\"}"));
}

TEST_F(ExpositionTest, LeavesOutFamiliesWithoutSamples) {
  const Exposition parsed = parse_exposition(text());
  EXPECT_EQ(parsed.problem, "");
  EXPECT_FALSE(parsed.types.contains("tickbridge_feed_gaps_total"));
}

TEST_F(ExpositionTest, PleasesPromtool) {
  // NOLINTNEXTLINE(cert-env33-c): a fixed command
  ASSERT_EQ(std::system("command -v promtool >/dev/null"), 0) << "no promtool (package prometheus)";
  registry.add_feed("nasdaq");
  registry.add_feed(kHostile);
  const std::string path = testing::TempDir() + "/exposition_" + std::to_string(getpid());
  std::ofstream{path} << text();
  // NOLINTNEXTLINE(cert-env33-c): a fixed command
  EXPECT_EQ(std::system(("promtool check metrics < " + path).c_str()), 0);
  std::remove(path.c_str());
}

TEST(ExpositionParser, FindsFaults) {
  EXPECT_EQ(parse_exposition("# HELP a b\n# TYPE a gauge\na 1\n").problem, "");
  for (const auto* const bad : {"a 1\n", "# TYPE a gauge\na 1", "# TYPE a gauge\na{b=c} 1\n", "# TYPE a gauge\na x\n",
                                "# TYPE a gauge\na 1\na 1\n", "# TYPE a gauge\na 1\n# TYPE a gauge\n",
                                "# TYPE a gauge\na{b=\"c\nd\"} 1\n", "# TYPE a counter\na -1\n"}) {
    EXPECT_NE(parse_exposition(bad).problem, "") << bad;
  }
}

TEST(Status, TellsLatenciesOnceThereAreAny) {
  metrics::Registry registry{"1.2.3", SteadyTime{}};
  metrics::Latency& latency = registry.add_feed("nasdaq").latency(metrics::Stage::kAcknowledgement);
  latency.record(63, 999);
  latency.record(2'000'000, 1);
  const auto status = boost::json::parse(render_status(registry, SteadyTime{}));
  EXPECT_EQ(boost::json::parse(render_latency(registry)),
            boost::json::parse(R"({"nasdaq":{"hand_over":[],"acknowledgement":[[64,999],[2031616,1]]}})"));
  EXPECT_EQ(status.at("feeds").at("nasdaq").at("latency"),
            boost::json::parse(R"({"acknowledgement": {"median_us": 0.063, "p99_us": 0.063, "p999_us": 0.063,
                                  "max_us": 2000.0}})"));
}

TEST(Status, HasTheContractsNames) {
  metrics::Registry registry{"1.2.3", SteadyTime{}};
  metrics::FeedMetrics& feed = registry.add_feed("nasdaq");
  feed.set_state(FeedState::kLoggingIn);
  feed.set_session("S1");
  feed.set(metrics::FeedGauge::kNextSequence, 77);
  for (std::size_t i = 0; i < metrics::kFeedCounterRows.size(); ++i) feed.add(static_cast<FeedCounter>(i), 1);
  const auto status = boost::json::parse(render_status(registry, SteadyTime{milliseconds{2500}}));
  EXPECT_EQ(status, boost::json::parse(R"({"version": "1.2.3", "uptime_seconds": 2.5, "feeds": {"nasdaq": {
      "state": "logging_in", "session": "S1", "next_sequence": 77, "packets_received": 1, "messages_received": 1,
      "messages_committed": 1, "messages_acknowledged": 1, "messages_dead_lettered": 1, "messages_dropped": 5,
      "messages_skipped": 1, "gaps": 1, "sequence_repeats": 1, "reconnects": 1, "foreign_writes": 1, "doubles": 1}}})"));
}

TEST(Status, TellsTheLastErrorAndSurvivesAnyBytes) {
  metrics::Registry registry{"1"};
  metrics::FeedMetrics& feed = registry.add_feed(kHostile);
  feed.set_session(std::string{"\0\x80\"", 3});
  feed.set_last_error(kHostile);
  const auto feeds =
      boost::json::parse(render_status(registry, SteadyClock::now())).as_object().at("feeds").as_object();
  EXPECT_EQ(feeds.begin()->key(), "a\"b\\c\nd<script>\xef\xbf\xbd");
  EXPECT_EQ(feeds.begin()->value().at("last_error").as_string(), "a\"b\\c\nd<script>\xef\xbf\xbd");
}

TEST(Index, ShowsFeedsAndNothingOfTheirsAsMarkup) {
  metrics::Registry registry{"1"};
  registry.add_feed("nasdaq").set_state(FeedState::kStreaming);
  registry.add_feed(kHostile).set_last_error("<b>&</b>");
  const std::string page = render_index(registry, SteadyClock::now());
  EXPECT_NE(page.find("<td class=text>nasdaq</td><td class=text>streaming</td>"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(page.find("&lt;b&gt;&amp;&lt;/b&gt;"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
}

}  // namespace
}  // namespace tickbridge::ops
