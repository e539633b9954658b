#include "metrics/page.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/families.h"

namespace tickbridge::metrics {

namespace {

constexpr std::string_view kHead =
    R"(<!-- Generated from src/metrics/table.h; tests/metrics/page_test.cc says how to renew it. -->
# Metrics

`/metrics` on the daemon's HTTP address (`http.listen`) gives these in Prometheus' text format. Counters begin at 0
with the process and only rise; units stand in the names. `feed` is the feed's name in the configuration.
[alerts.md](alerts.md) says which of them to watch; alert rules and an example for scraping lie in `config/prometheus`, a Grafana dashboard
in `config/grafana`.

For each feed, once it rests (a packet that does not inflate or split counts as one message):
`messages_received + gap_letters = messages_committed + messages_dropped + messages_dead_lettered + messages_skipped + held_messages`
(without `reason="delivery"`, which comes after the hand-over), and
`messages_committed = messages_acknowledged + messages_dropped{reason="delivery"} + in_flight_messages`.
A recovery in place gives up what is held and in flight, and receives it again: the left sides are larger by that from then on.

| metric | type | labels | meaning |
|---|---|---|---|
)";

/// Labels whose values depend on where the daemon runs: only their names are told.
bool open_ended(const Family& family, const Label& label) {
  return label.name == "feed" || family.name == "tickbridge_build_info";
}

void add_value(std::vector<std::pair<std::string, std::string>>& columns, const Label& label, bool open) {
  auto column = std::ranges::find(columns, label.name, &std::pair<std::string, std::string>::first);
  if (column == columns.end()) column = columns.insert(columns.end(), {label.name, ""});
  if (!open) column->second += (column->second.empty() ? ": " : ", ") + label.value;
}

std::string labels_of(const Family& family) {
  std::vector<std::pair<std::string, std::string>> columns;
  for (const Sample& sample : family.samples) {
    for (const Label& label : sample.labels) add_value(columns, label, open_ended(family, label));
  }
  std::string text;
  for (const auto& [name, values] : columns) text += (text.empty() ? "`" : "; `") + name + "`" + values;
  return text;
}

std::string_view word(Kind kind) {
  if (kind == Kind::kHistogram) return "histogram";
  return kind == Kind::kCounter ? "counter" : "gauge";
}

SystemSample all_known() {
  SystemSample sample;
#define X(member, exposed, kind, help) sample.member = 0;
  TICKBRIDGE_SYSTEM_METRICS(X)
#undef X
  return sample;
}

}  // namespace

std::string render_metrics_page() {
  Registry registry{"", SteadyTime{}, {{"librdkafka", ""}}};
  registry.add_feed("example");
  std::string page{kHead};
  for (const Family& family : collect(registry, all_known(), SteadyTime{})) {
    page += "| `" + family.name + "` | " + std::string{word(family.kind)} + " | " + labels_of(family) + " | " +
            family.help + " |\n";
  }
  return page;
}

}  // namespace tickbridge::metrics
