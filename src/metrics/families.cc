#include "metrics/families.h"

#include <array>
#include <cmath>
#include <iterator>
#include <span>
#include <string_view>

#include "base/log.h"

namespace tickbridge::metrics {

namespace {

/// A table's labels column: "" or `name="value"`.
std::vector<Label> parse_labels(std::string_view text) {
  if (text.empty()) return {};
  const std::size_t equals = text.find('=');
  return {{std::string{text.substr(0, equals)}, std::string{text.substr(equals + 2, text.size() - equals - 3)}}};
}

std::string full_name(std::string_view prefix, const Row& row, Kind kind) {
  return std::string{prefix} + std::string{row.name} + (kind == Kind::kCounter ? "_total" : "");
}

/// One family for each name of a table; `fill(family, row index, labels)` adds the samples of a row.
template <class Fill>
void add_table(std::vector<Family>& out, std::string_view prefix, std::span<const Row> rows, Kind kind, Fill fill) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string name = full_name(prefix, rows[i], kind);
    if (out.empty() || out.back().name != name) out.push_back({std::move(name), kind, std::string{rows[i].help}, {}});
    fill(out.back(), i, parse_labels(rows[i].labels));
  }
}

/// Times are kept as whole milliseconds.
double unit(const Row& row) { return row.name.ends_with("_seconds") ? 0.001 : 1; }

template <class Id>
void add_feeds(std::vector<Family>& out, std::span<const FeedMetrics* const> feeds, std::span<const Row> rows,
               Kind kind) {
  add_table(out, "tickbridge_feed_", rows, kind, [&](Family& family, std::size_t row, const std::vector<Label>& extra) {
    for (const FeedMetrics* feed : feeds) {
      std::vector<Label> labels{{"feed", feed->feed()}};
      labels.insert(labels.end(), extra.begin(), extra.end());
      family.samples.push_back(
          {std::move(labels), unit(rows[row]) * static_cast<double>(feed->value(static_cast<Id>(row)))});
    }
  });
}

template <class Id>
void add_daemon(std::vector<Family>& out, const DaemonMetrics& daemon, std::span<const Row> rows, Kind kind) {
  add_table(out, "tickbridge_", rows, kind, [&](Family& family, std::size_t row, std::vector<Label> labels) {
    family.samples.push_back({std::move(labels), static_cast<double>(daemon.value(static_cast<Id>(row)))});
  });
}

void add_log(std::vector<Family>& out) {
  const LogCounts counts = log_counts();
#define X(member, exposed, labels, help) counts.member,
  const std::array values{TICKBRIDGE_LOG_COUNTERS(X)};
#undef X
  add_table(out, "tickbridge_", kLogCounterRows, Kind::kCounter,
            [&](Family& family, std::size_t row, std::vector<Label> labels) {
              family.samples.push_back({std::move(labels), static_cast<double>(values[row])});
            });
}

/// One sample for each feed and state, 1 for the state the feed is in: what alerts ask for by name.
Family states(std::span<const FeedMetrics* const> feeds) {
  Family family{"tickbridge_feed_state", Kind::kGauge, "1 for the state that the feed is in", {}};
  for (const FeedMetrics* feed : feeds) {
    const FeedState now = feed->state();
    for (std::size_t i = 0; i < kFeedStates; ++i) {
      const auto state = static_cast<FeedState>(i);
      family.samples.push_back(
          {{{"feed", feed->feed()}, {"state", std::string{name(state)}}}, state == now ? 1.0 : 0.0});
    }
  }
  return family;
}

/// 1, 2 and 5 of each decade from 10 µs to 10 s, in ns.
std::vector<std::uint64_t> bounds() {
  std::vector<std::uint64_t> out;
  for (std::uint64_t decade = 10'000; decade < 10'000'000'000; decade *= 10) {
    for (const std::uint64_t digit : {1U, 2U, 5U}) out.push_back(decade * digit);
  }
  out.push_back(10'000'000'000);
  return out;
}

Family latencies(std::span<const FeedMetrics* const> feeds) {
  Family family{"tickbridge_feed_latency_seconds",
                Kind::kHistogram,
                "From a message's arrival in the socket (or a little earlier: docs/latency.md) to its hand-over to the "
                "producer, and "
                "to Kafka's acknowledgement; wall clock",
                {}};
  for (const FeedMetrics* feed : feeds) {
    for (const Stage stage : {Stage::kHandOver, Stage::kAcknowledgement}) {
      const Latency& latency = feed->latency(stage);
      Sample sample{{{"feed", feed->feed()}, {"to", std::string{name(stage)}}}};
      for (const std::uint64_t bound : bounds()) {
        sample.below.emplace_back(static_cast<double>(bound) / 1e9, latency.count_below(bound));
      }
      sample.count = latency.count();
      sample.value = latency.sum_seconds();
      family.samples.push_back(std::move(sample));
    }
  }
  return family;
}

Family build_info(const Registry& registry) {
  Sample sample{{{"version", registry.version()}, {"compiler", __VERSION__}}, 1};
  for (const auto& [name, value] : registry.build()) sample.labels.push_back({name, value});
  return {"tickbridge_build_info", Kind::kGauge, "What was built, and with what; always 1", {std::move(sample)}};
}

void add_system(std::vector<Family>& out, const SystemSample& system) {
#define X(member, exposed, kind, help) \
  if (!std::isnan(system.member)) out.push_back({exposed, Kind::kind, help, {{{}, system.member}}});
  TICKBRIDGE_SYSTEM_METRICS(X)
#undef X
}

}  // namespace

std::vector<Family> collect(const Registry& registry, const SystemSample& system, SteadyTime now) {
  const std::vector<const FeedMetrics*> feeds = registry.feeds();
  std::vector<Family> out;
  out.push_back(build_info(registry));
  out.push_back(
      {"tickbridge_uptime_seconds", Kind::kGauge, "Time since the start", {{{}, registry.uptime_seconds(now)}}});
  out.push_back(states(feeds));
  out.push_back(latencies(feeds));
  add_feeds<FeedCounter>(out, feeds, kFeedCounterRows, Kind::kCounter);
  add_feeds<FeedGauge>(out, feeds, kFeedGaugeRows, Kind::kGauge);
  add_daemon<DaemonCounter>(out, registry.daemon(), kDaemonCounterRows, Kind::kCounter);
  add_log(out);
  add_daemon<DaemonGauge>(out, registry.daemon(), kDaemonGaugeRows, Kind::kGauge);
  add_system(out, system);
  return out;
}

}  // namespace tickbridge::metrics
