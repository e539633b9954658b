#include "ops/exposition.h"

#include <gtest/gtest.h>
#include <unistd.h>

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

}  // namespace
}  // namespace tickbridge::ops
