#include "ops/exposition.h"

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace tickbridge::ops {

namespace json = boost::json;
using metrics::FeedCounter;
using metrics::FeedGauge;
using metrics::FeedMetrics;

namespace {

prometheus::ClientMetric convert(const metrics::Sample& sample, metrics::Kind kind) {
  prometheus::ClientMetric metric;
  for (const metrics::Label& label : sample.labels) metric.label.push_back({label.name, valid_utf8(label.value)});
  if (kind == metrics::Kind::kHistogram) {
    metric.histogram.sample_count = sample.count;
    metric.histogram.sample_sum = sample.value;
    for (const auto& [bound, count] : sample.below) metric.histogram.bucket.push_back({count, bound});
    return metric;
  }
  (kind == metrics::Kind::kCounter ? metric.counter.value : metric.gauge.value) = sample.value;
  return metric;
}

prometheus::MetricType type_of(metrics::Kind kind) {
  if (kind == metrics::Kind::kHistogram) return prometheus::MetricType::Histogram;
  return kind == metrics::Kind::kCounter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
}

prometheus::MetricFamily convert(const metrics::Family& family) {
  prometheus::MetricFamily out{family.name, family.help, type_of(family.kind), {}};
  for (const metrics::Sample& sample : family.samples) out.metric.push_back(convert(sample, family.kind));
  return out;
}

}  // namespace

std::string render_exposition(const std::vector<metrics::Family>& families) {
  std::vector<prometheus::MetricFamily> all;
  for (const metrics::Family& family : families) {
    if (!family.samples.empty()) all.push_back(convert(family));
  }
  return prometheus::TextSerializer{}.Serialize(all);
}

namespace {

/// The figures of a feed that the contract names, in its order; sums are not here.
constexpr std::array kFigures{
    std::pair{"packets_received", FeedCounter::kPacketsReceived},
    std::pair{"messages_received", FeedCounter::kMessagesReceived},
    std::pair{"messages_committed", FeedCounter::kMessagesCommitted},
    std::pair{"messages_acknowledged", FeedCounter::kMessagesAcknowledged},
    std::pair{"messages_dead_lettered", FeedCounter::kMessagesDeadLettered},
    std::pair{"messages_skipped", FeedCounter::kMessagesSkipped},
    std::pair{"gaps", FeedCounter::kGaps},
    std::pair{"sequence_repeats", FeedCounter::kSequenceRepeats},
    std::pair{"reconnects", FeedCounter::kReconnects},
    std::pair{"foreign_writes", FeedCounter::kForeignWrites},
    std::pair{"doubles", FeedCounter::kDoubles},
};

/// Microseconds, to 3 %.
json::object times_of(const metrics::Latency& latency) {
  const auto us = [](std::uint64_t ns) { return static_cast<double>(ns) / 1000; };
  json::object out;
  out["median_us"] = us(latency.quantile_ns(0.5));
  out["p99_us"] = us(latency.quantile_ns(0.99));
  out["p999_us"] = us(latency.quantile_ns(0.999));
  out["max_us"] = us(latency.max_ns());
  return out;
}

json::object status_of(const FeedMetrics& feed) {
  json::object out;
  out["state"] = metrics::name(feed.state());
  out["session"] = valid_utf8(feed.session());
  out["next_sequence"] = feed.value(FeedGauge::kNextSequence);
  for (const auto& [name, counter] : kFigures) {
    if (counter == FeedCounter::kMessagesSkipped) out["messages_dropped"] = metrics::messages_dropped(feed);
    out[name] = feed.value(counter);
  }
  json::object latency;
  for (const metrics::Stage stage : {metrics::Stage::kHandOver, metrics::Stage::kAcknowledgement}) {
    if (feed.latency(stage).count() != 0) latency[metrics::name(stage)] = times_of(feed.latency(stage));
  }
  if (!latency.empty()) out["latency"] = std::move(latency);
  if (const std::string problem = feed.last_error(); !problem.empty()) out["last_error"] = valid_utf8(problem);
  return out;
}

json::object histograms_of(const FeedMetrics& feed) {
  json::object out;
  for (const metrics::Stage stage : {metrics::Stage::kHandOver, metrics::Stage::kAcknowledgement}) {
    json::array buckets;
    feed.latency(stage).for_each(
        [&](std::uint64_t end_ns, std::uint64_t count) { buckets.push_back({end_ns, count}); });
    out[metrics::name(stage)] = std::move(buckets);
  }
  return out;
}

}  // namespace

std::string render_latency(const metrics::Registry& registry) {
  json::object feeds;
  for (const FeedMetrics* feed : registry.feeds()) feeds[valid_utf8(feed->feed())] = histograms_of(*feed);
  return json::serialize(feeds) + "\n";
}

std::string render_status(const metrics::Registry& registry, SteadyTime now) {
  json::object feeds;
  for (const FeedMetrics* feed : registry.feeds()) feeds[valid_utf8(feed->feed())] = status_of(*feed);
  json::object out;
  out["version"] = registry.version();
  out["uptime_seconds"] = registry.uptime_seconds(now);
  out["feeds"] = std::move(feeds);
  return json::serialize(out) + "\n";
}

namespace {

std::string html(std::string_view text) {
  std::string out;
  for (const char c : valid_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

constexpr std::string_view kIndexHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>tickbridge</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="3">
<style>body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}th,td{padding:.3em .8em;text-align:right;
border-bottom:1px solid gray}td.text,th.text{text-align:left}</style></head>
<body><h1>tickbridge</h1>
)";

constexpr std::string_view kIndexTail = R"(<p><a href="/metrics">/metrics</a> for Prometheus ·
<a href="/api/status">/api/status</a> as JSON · <a href="/readyz">/readyz</a> · <a href="/healthz">/healthz</a></p>
</body></html>
)";

constexpr std::array<std::string_view, 9> kIndexColumns{"next sequence", "packets",      "messages",
                                                        "committed",     "acknowledged", "dead letters",
                                                        "dropped",       "gaps",         "reconnects"};

std::string index_row(const FeedMetrics& feed) {
  std::string row = fmt::format("<tr><td class=text>{}</td><td class=text>{}</td><td class=text>{}</td>",
                                html(feed.feed()), metrics::name(feed.state()), html(feed.session()));
  row += fmt::format("<td>{}</td>", feed.value(FeedGauge::kNextSequence));
  for (const auto counter :
       {FeedCounter::kPacketsReceived, FeedCounter::kMessagesReceived, FeedCounter::kMessagesCommitted,
        FeedCounter::kMessagesAcknowledged, FeedCounter::kMessagesDeadLettered}) {
    row += fmt::format("<td>{}</td>", feed.value(counter));
  }
  row += fmt::format("<td>{}</td><td>{}</td><td>{}</td><td class=text>{}</td></tr>\n", metrics::messages_dropped(feed),
                     feed.value(FeedCounter::kGaps), feed.value(FeedCounter::kReconnects), html(feed.last_error()));
  return row;
}

}  // namespace

std::string render_index(const metrics::Registry& registry, SteadyTime now) {
  std::string page{kIndexHead};
  page += fmt::format("<p>Version {}, up for {:.0f} s</p>\n<table><tr>", html(registry.version()),
                      registry.uptime_seconds(now));
  for (const std::string_view column : {"feed", "state", "session"})
    page += fmt::format("<th class=text>{}</th>", column);
  for (const std::string_view column : kIndexColumns) page += fmt::format("<th>{}</th>", column);
  page += "<th class=text>last error</th></tr>\n";
  for (const FeedMetrics* feed : registry.feeds()) page += index_row(*feed);
  page += "</table>\n";
  return page += kIndexTail;
}

}  // namespace tickbridge::ops
