#include "ops/status.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "metrics/system.h"
#include "ops/notices.h"

namespace tickbridge::ops {

namespace json = boost::json;
using metrics::DaemonCounter;
using metrics::DaemonGauge;
using metrics::FeedCounter;
using metrics::FeedGauge;
using metrics::FeedMetrics;
using metrics::Stage;

namespace {

constexpr std::array kStages{Stage::kHandOver, Stage::kAcknowledgement};

/// The figures of a feed that the contract names, in its order, then others; sums are not here.
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
    std::pair{"bytes_received", FeedCounter::kBytesReceived},
    std::pair{"dropped_repeat", FeedCounter::kDroppedRepeat},
    std::pair{"dropped_invalid", FeedCounter::kDroppedInvalid},
    std::pair{"dropped_unknown", FeedCounter::kDroppedUnknown},
    std::pair{"dropped_full", FeedCounter::kDroppedFull},
    std::pair{"dropped_delivery", FeedCounter::kDroppedDelivery},
    std::pair{"packets_missing", FeedCounter::kMessagesMissing},
    std::pair{"logins_rejected", FeedCounter::kLoginsRejected},
    std::pair{"protocol_errors", FeedCounter::kProtocolErrors},
    std::pair{"messages_unknown_type", FeedCounter::kMessagesUnknownType},
    std::pair{"messages_unknown_code", FeedCounter::kMessagesUnknownCode},
    std::pair{"checkpoints", FeedCounter::kCheckpoints},
    std::pair{"partitions_held_back", FeedCounter::kPartitionsHeldBack},
    std::pair{"read_stops", FeedCounter::kReadStops},
};

constexpr std::array kGauges{
    std::pair{"ring_used_bytes", FeedGauge::kRingUsedBytes},
    std::pair{"ring_bytes", FeedGauge::kRingBytes},
    std::pair{"held", FeedGauge::kMessagesHeld},
    std::pair{"in_flight", FeedGauge::kInFlight},
    std::pair{"in_flight_limit", FeedGauge::kInFlightLimit},
    std::pair{"recovery_ms", FeedGauge::kRecoverySeconds},
    std::pair{"checkpoint_ms", FeedGauge::kCheckpointSeconds},
};

double microseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1000; }

/// Microseconds, to 3 %.
json::object times_of(const metrics::Latency& latency) {
  json::object out;
  out["median_us"] = microseconds(latency.quantile_ns(0.5));
  out["p99_us"] = microseconds(latency.quantile_ns(0.99));
  out["p999_us"] = microseconds(latency.quantile_ns(0.999));
  out["max_us"] = microseconds(latency.max_ns());
  return out;
}

json::object times_of(const Lately::Times& times) {
  json::object out;
  out["count"] = times.count;
  out["median_us"] = microseconds(times.median_ns);
  out["p99_us"] = microseconds(times.p99_ns);
  out["p999_us"] = microseconds(times.p999_ns);
  out["max_us"] = microseconds(times.max_ns);
  return out;
}

json::object latencies_of(const FeedMetrics& feed) {
  json::object out;
  for (const Stage stage : kStages) {
    if (feed.latency(stage).count() != 0) out[metrics::name(stage)] = times_of(feed.latency(stage));
  }
  return out;
}

json::object recent_of(const Lately& lately) {
  json::object out;
  out["seconds"] = lately.seconds;
  out["messages_per_second"] = lately.messages_per_second;
  out["acknowledged_per_second"] = lately.acknowledged_per_second;
  out["bytes_per_second"] = lately.bytes_per_second;
  for (const Stage stage : kStages) {
    const Lately::Times& times = lately.latency[static_cast<std::size_t>(stage)];
    if (times.count != 0) out[metrics::name(stage)] = times_of(times);
  }
  return out;
}

json::object to_json(const Notice& notice) {
  return {{"time", time_text(notice.at_ns)}, {"level", notice.error ? "error" : "warn"}, {"text", notice.text}};
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
  for (const auto& [name, gauge] : kGauges) out[name] = feed.value(gauge);
  if (json::object latency = latencies_of(feed); !latency.empty()) out["latency"] = std::move(latency);
  if (const std::string problem = feed.last_error(); !problem.empty()) {
    out["last_error"] = valid_utf8(problem);
    out["last_error_time"] = time_text(feed.last_error_ns());
  }
  return out;
}

/// What the daemon says of itself: {"ready": true}, or why not.
void tell(json::object& out, const char* what, const char* why, const std::function<std::string()>& ask) {
  const std::string problem = ask ? ask() : std::string{};
  out[what] = problem.empty();
  if (!problem.empty()) out[why] = valid_utf8(problem);
}

json::object process() {
  const metrics::SystemSample sample = metrics::sample_system();
  json::object out;
  const auto add = [&](const char* name, double value) {
    if (std::isfinite(value)) out[name] = value;
  };
  add("cpu_seconds", sample.cpu_seconds);
  add("resident_bytes", sample.resident_bytes);
  add("threads", sample.threads);
  add("open_fds", sample.open_fds);
  return out;
}

json::object daemon_of(const metrics::DaemonMetrics& daemon) {
  json::object out;
  out["workers"] = daemon.value(DaemonGauge::kWorkers);
  out["workers_parked"] = daemon.value(DaemonGauge::kWorkersParked);
  std::uint64_t errors = 0;
  for (const DaemonCounter kind :
       {DaemonCounter::kErrorsConnection, DaemonCounter::kErrorsTimeout, DaemonCounter::kErrorsAccess,
        DaemonCounter::kErrorsBroker, DaemonCounter::kErrorsFatal, DaemonCounter::kErrorsOther})
    errors += daemon.value(kind);
  out["producer_errors"] = errors;
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

json::object to_json(const Placement& placement) {
  json::array all;
  for (std::size_t i = 0; i < placement.partitions.size(); ++i) {
    const PartitionLoad& load = placement.partitions[i];
    all.push_back(json::object{{"partition", i},
                               {"acknowledged", load.acknowledged},
                               {"in_flight", load.in_flight},
                               {"last_offset", load.last_offset}});
  }
  return {{"topic", valid_utf8(placement.topic)}, {"partitions", std::move(all)}};
}

json::object feeds_of(const Sources& sources) {
  const std::vector<Notice> told = notices().newest;
  json::object feeds;
  for (const FeedMetrics* feed : sources.registry->feeds()) {
    json::object out = status_of(*feed);
    if (sources.recent != nullptr) out["recent"] = recent_of(sources.recent->lately(feed->feed()));
    if (const Notice* const notice = newest_about(told, feed->feed())) out["last_notice"] = to_json(*notice);
    feeds[valid_utf8(feed->feed())] = std::move(out);
  }
  return feeds;
}

}  // namespace

std::string render_status(const Sources& sources, SteadyTime now) {
  json::object out;
  out["version"] = sources.registry->version();
  out["uptime_seconds"] = sources.registry->uptime_seconds(now);
  tell(out, "ready", "not_ready_because", sources.ready);
  tell(out, "healthy", "not_healthy_because", sources.healthy);
  if (sources.connected) out["kafka_connected"] = sources.connected();
  out["notices"] = count_notices();
  out["process"] = process();
  out["daemon"] = daemon_of(sources.registry->daemon());
  out["feeds"] = feeds_of(sources);
  return json::serialize(out) + "\n";
}

std::string render_latency(const metrics::Registry& registry) {
  json::object feeds;
  for (const FeedMetrics* feed : registry.feeds()) feeds[valid_utf8(feed->feed())] = histograms_of(*feed);
  return json::serialize(feeds) + "\n";
}

std::string render_partitions(const Sources& sources, std::string_view feed) {
  json::object feeds;
  for (const FeedMetrics* known : sources.registry->feeds()) {
    if (!sources.placement || (!feed.empty() && known->feed() != feed)) continue;
    feeds[valid_utf8(known->feed())] = to_json(sources.placement(known->feed()));
  }
  return json::serialize(feeds) + "\n";
}

std::string render_notices(const Sources& sources) {
  const Notices told = notices();
  json::array all;
  for (const Notice& notice : told.newest) {
    json::object out = to_json(notice);
    for (const FeedMetrics* feed : sources.registry->feeds()) {
      if (concerns(notice.text, feed->feed())) out["feed"] = valid_utf8(feed->feed());
    }
    all.push_back(std::move(out));
  }
  return json::serialize(json::object{{"total", told.total}, {"notices", std::move(all)}}) + "\n";
}

}  // namespace tickbridge::ops
