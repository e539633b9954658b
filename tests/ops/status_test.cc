#include "ops/status.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <memory>

#include "ops/index.h"
#include "ops/notices.h"

namespace tickbridge::ops {
namespace {

using metrics::FeedCounter;
using metrics::FeedState;
using metrics::Stage;

constexpr const char* kHostile = "a\"b\\c\nd<script>\xff";

// What is logged here goes nowhere else.
void log(spdlog::level::level_enum level, const std::string& text) {
  spdlog::logger{"test", notice_sink()}.log(level, text);
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(Status, TellsLatenciesOnceThereAreAny) {
  metrics::Registry registry{"1.2.3", SteadyTime{}};
  metrics::Latency& latency = registry.add_feed("nasdaq").latency(Stage::kAcknowledgement);
  latency.record(63, 999);
  latency.record(2'000'000, 1);
  const auto status = boost::json::parse(render_status({.registry = &registry}, SteadyTime{}));
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
  const auto status = boost::json::parse(render_status({.registry = &registry}, SteadyTime{milliseconds{2500}}));
  EXPECT_EQ(status.at("version").as_string(), "1.2.3");
  EXPECT_EQ(status.at("uptime_seconds").as_double(), 2.5);
  const auto& told = status.at("feeds").at("nasdaq").as_object();
  const auto wanted = boost::json::parse(R"({
      "state": "logging_in", "session": "S1", "next_sequence": 77, "packets_received": 1, "messages_received": 1,
      "messages_committed": 1, "messages_acknowledged": 1, "messages_dead_lettered": 1, "messages_dropped": 5,
      "messages_skipped": 1, "gaps": 1, "sequence_repeats": 1, "reconnects": 1, "foreign_writes": 1, "doubles": 1})");
  for (const auto& [name, value] : wanted.as_object()) EXPECT_EQ(told.at(name), value) << name;
  EXPECT_FALSE(told.contains("recent"));
}

TEST(Status, TellsTheLastErrorAndSurvivesAnyBytes) {
  metrics::Registry registry{"1"};
  metrics::FeedMetrics& feed = registry.add_feed(kHostile);
  feed.set_session(std::string{"\0\x80\"", 3});
  feed.set_last_error(kHostile);
  const auto status = boost::json::parse(render_status({.registry = &registry}, SteadyClock::now()));
  const auto& feeds = status.at("feeds").as_object();
  EXPECT_EQ(feeds.begin()->key(), "a\"b\\c\nd<script>\xef\xbf\xbd");
  EXPECT_EQ(feeds.begin()->value().at("last_error").as_string(), "a\"b\\c\nd<script>\xef\xbf\xbd");
  EXPECT_EQ(feeds.begin()->value().at("last_error_time").as_string().size(), time_text(0).size());
}

TEST(Status, SaysWhyItIsNotReadyOrHealthy) {
  metrics::Registry registry{"1"};
  const Sources sources{.registry = &registry,
                        .ready = [] { return std::string{"feed a is connecting"}; },
                        .healthy = [] { return std::string{}; },
                        .connected = [] { return false; }};
  const auto status = boost::json::parse(render_status(sources, SteadyClock::now()));
  EXPECT_FALSE(status.at("ready").as_bool());
  EXPECT_EQ(status.at("not_ready_because").as_string(), "feed a is connecting");
  EXPECT_TRUE(status.at("healthy").as_bool());
  EXPECT_FALSE(status.as_object().contains("not_healthy_because"));
  EXPECT_FALSE(status.at("kafka_connected").as_bool());
  EXPECT_GT(status.at("process").at("resident_bytes").as_double(), 0);
}

TEST(Partitions, AreThoseOfTheFeedThatIsAskedFor) {
  metrics::Registry registry{"1"};
  for (const auto* const name : {"a", "b"}) registry.add_feed(name);
  const Sources sources{.registry = &registry, .placement = [](std::string_view feed) {
                          return Placement{.topic = "t-" + std::string{feed}, .partitions = {{7, 2, 11}, {}}};
                        }};
  const auto one = boost::json::parse(R"({"topic": "t-b", "partitions": [
      {"partition": 0, "acknowledged": 7, "in_flight": 2, "last_offset": 11},
      {"partition": 1, "acknowledged": 0, "in_flight": 0, "last_offset": -1}]})");
  EXPECT_EQ(boost::json::parse(answer("/api/partitions?feed=b", sources).body), boost::json::value({{"b", one}}));
  EXPECT_EQ(boost::json::parse(answer("/api/partitions", sources).body).as_object().size(), 2U);
  EXPECT_EQ(answer("/api/partitions?feed=c", sources).body, "{}\n");
}

TEST(Notices, KeepTheNewestWarningsAndErrors) {
  const std::uint64_t before = count_notices();
  log(spdlog::level::info, "not this one");
  for (std::size_t i = 0; i < kKept; ++i) log(spdlog::level::warn, "feed a: " + std::to_string(i));
  log(spdlog::level::err, "one\nline");
  const Notices told = notices();
  EXPECT_EQ(told.total, before + kKept + 1);
  ASSERT_EQ(told.newest.size(), kKept);
  EXPECT_EQ(told.newest.front().text, "feed a: 1");
  EXPECT_FALSE(told.newest.front().error);
  EXPECT_EQ(told.newest.back().text, "one\\nline");
  EXPECT_TRUE(told.newest.back().error);
  EXPECT_EQ(newest_about(told.newest, "a")->text, "feed a: 63");
  EXPECT_EQ(newest_about(told.newest, "b"), nullptr);
}

TEST(Notices, AreAboutTheFeedThatTheyName) {
  EXPECT_TRUE(concerns("feed a: lost", "a"));
  EXPECT_TRUE(concerns("no login in time; feed a stops (code 69)", "a"));
  EXPECT_FALSE(concerns("feed ab: lost", "a"));
  EXPECT_FALSE(concerns("feed b: a feed of lies", "a"));
  EXPECT_FALSE(concerns("refeed a: lost", "a"));
}

TEST(Notices, NameTheirFeedInJson) {
  metrics::Registry registry{"1"};
  registry.add_feed("a");
  log(spdlog::level::err, "feed a: <b>");
  const auto told = boost::json::parse(render_notices({.registry = &registry}));
  const auto& last = told.at("notices").as_array().back();
  EXPECT_EQ(last.at("feed").as_string(), "a");
  EXPECT_EQ(last.at("level").as_string(), "error");
  EXPECT_EQ(told.at("total").as_int64(), static_cast<std::int64_t>(count_notices()));
}

TEST(Index, ShowsFeedsAndNothingOfTheirsAsMarkup) {
  metrics::Registry registry{"1"};
  registry.add_feed("nasdaq").set_state(FeedState::kStreaming);
  metrics::FeedMetrics& feed = registry.add_feed(kHostile);
  feed.set_last_error("<b>&</b>{{version}}");
  feed.set_session("<i>");
  log(spdlog::level::warn, "feed nasdaq: <script>alert(1)</script>");
  const Sources sources{.registry = &registry, .ready = [] { return std::string{"<img src=x>"}; }};
  const std::string page = render_index(sources, SteadyClock::now());
  EXPECT_NE(page.find(R"(<th scope="row" class="text">nasdaq</th>)"), std::string::npos);
  EXPECT_NE(page.find(R"(<span class="state streaming">streaming</span>)"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(page.find("&lt;b&gt;&amp;&lt;/b&gt;{{version}}"), std::string::npos);
  EXPECT_NE(page.find("not ready: &lt;img src=x&gt;"), std::string::npos);
  EXPECT_EQ(count(page, "<script"), 1U);  // the page's own
  for (const auto* const theirs : {"<i>", "<img", "<b>"}) EXPECT_EQ(page.find(theirs), std::string::npos) << theirs;
}

TEST(Index, RowsAreAsWideAsTheirHead) {
  metrics::Registry registry{"1"};
  registry.add_feed("a").set_last_error("wrong");
  const std::string page = render_index({.registry = &registry}, SteadyClock::now());
  const std::string row =
      page.substr(page.find("<tbody>"), page.find("</tr>", page.find("<tbody>")) - page.find("<tbody>"));
  const std::size_t columns = count(page, R"(<th scope="col")");
  EXPECT_EQ(count(row, "<td") + count(row, "<th "), columns);
  EXPECT_NE(page.find("colspan=\"" + std::to_string(columns) + "\""), std::string::npos);
}

TEST(Index, EveryFileItAsksForIsThere) {
  metrics::Registry registry{"1"};
  const Sources sources{.registry = &registry};
  const std::string page = answer("/", sources).body;
  EXPECT_EQ(page.find("{{"), std::string::npos);
  for (const auto* const file : {"dashboard/icon.svg", "dashboard/dashboard.css", "dashboard/dashboard.js"}) {
    EXPECT_NE(page.find("\"" + std::string{file} + "\""), std::string::npos) << file;
  }
  for (const auto& [file, type] :
       {std::pair{"icon.svg", "image/svg+xml"}, std::pair{"dashboard.css", "text/css; charset=utf-8"},
        std::pair{"dashboard.js", "text/javascript; charset=utf-8"},
        std::pair{"dom.js", "text/javascript; charset=utf-8"}, std::pair{"format.js", "text/javascript; charset=utf-8"},
        std::pair{"model.js", "text/javascript; charset=utf-8"},
        std::pair{"panel.js", "text/javascript; charset=utf-8"},
        std::pair{"view.js", "text/javascript; charset=utf-8"}}) {
    const Reply reply = answer("/dashboard/" + std::string{file}, sources);
    EXPECT_EQ(reply.status, 200U) << file;
    EXPECT_EQ(reply.content_type, type);
    EXPECT_GT(reply.body.size(), 100U);
  }
}

}  // namespace
}  // namespace tickbridge::ops
