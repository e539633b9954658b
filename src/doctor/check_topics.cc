#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

#include "config/values.h"
#include "doctor/checks.h"
#include "doctor/kafka_world.h"
#include "net/scanner.h"
#include "pipeline/start_facts.h"
#include "pipeline/trading_day.h"
#include "sink/lookup.h"
#include "sink/topic_settings.h"

namespace tickbridge::doctor {

namespace {

std::string setting(const sink::Topic& topic, const char* name) {
  const auto found = topic.settings.find(name);
  return found == topic.settings.end() ? std::string{"?"} : found->second;
}

std::int64_t number(const sink::Topic& topic, const char* name) {
  const std::string text = setting(topic, name);
  std::int64_t value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string retention(const sink::Topic& topic) {
  const std::int64_t ms = number(topic, "retention.ms");
  return ms < 0 ? "without end" : config::format_duration(std::chrono::milliseconds{ms});
}

std::string facts(const sink::Topic& topic) {
  std::string text =
      fmt::format("{} partition(s), replication {}", topic.info.partitions, topic.info.replication_factor);
  if (topic.settings.empty()) return text;
  return text + fmt::format(", min.insync.replicas {}, cleanup.policy {}, retention {}, {}, max.message.bytes {}",
                            setting(topic, "min.insync.replicas"), setting(topic, "cleanup.policy"), retention(topic),
                            setting(topic, "message.timestamp.type"), setting(topic, "max.message.bytes"));
}

/// A topic that is there, or could be made. Returns whether to look further.
bool tell(const std::string& subject, const FoundTopic& found, Findings& out) {
  if (!found.topic) {
    out.push_back(failure(subject, found.topic.error()));
    return false;
  }
  const sink::Topic& topic = **found.topic;
  if (topic.missing) {
    out.push_back(ok(subject, fmt::format("not there yet; the daemon will create it, with {}", facts(topic))));
    return false;
  }
  out.push_back(ok(subject, facts(topic)));
  for (const std::string& text : found.warnings) out.push_back(warning(subject, text));
  return true;
}

/// With fewer replicas than the topic wants in sync, acks = all is refused again and again.
void check_in_sync(const std::string& subject, const sink::Topic& topic, sink::Client& client, Findings& out) {
  const auto health = sink::partition_health(client, topic.handle.get(), SteadyClock::now() + kPatience);
  if (!health) {
    out.push_back(skipped(subject, fmt::format("leaders and replicas: {}", health.error().message)));
    return;
  }
  const std::string acks = sink::property(client, "acks");
  const bool all = acks == "-1" || acks == "all";
  if (health->without_leader != 0) {
    out.push_back(
        warning(subject, fmt::format("{} partition(s) have no leader now: their records wait; look whether all "
                                     "brokers run",
                                     health->without_leader)));
  }
  if (!all || !topic.info.settings_known) return;
  const int wanted = topic.info.min_insync_replicas;
  if (wanted > topic.info.replication_factor) {
    out.push_back(failure(
        subject, ExitCode::kUnacknowledged,
        fmt::format("min.insync.replicas = {} with {} replica(s): Kafka would acknowledge nothing; {}", wanted,
                    topic.info.replication_factor,
                    sink::alter_command(
                        sink::servers(client), topic.name,
                        fmt::format("min.insync.replicas={}", std::max(topic.info.replication_factor - 1, 1))))));
  } else if (health->least_in_sync < wanted) {
    out.push_back(
        warning(subject, fmt::format("a partition has {} replica(s) in sync, min.insync.replicas is {}: Kafka "
                                     "acknowledges nothing there until more are; look whether all brokers run",
                                     health->least_in_sync, wanted)));
  }
}

/// Kafka deletes by the records' own times: those of an old day are old when they come.
void check_retention(const config::Feed& feed, const sink::Topic& topic, const std::string& subject, Findings& out) {
  const std::int64_t keep = number(topic, "retention.ms");
  if (feed.policies.timestamp != pipeline::Timestamp::kExchange || topic.info.log_append_time || keep < 0) return;
  const auto day = pipeline::TradingDay::create(feed.policies.trading_date, feed.policies.time_zone);
  if (!day) return;
  const std::int64_t now_ns = wall_nanoseconds();
  if (now_ns / 1'000'000 - day->midnight_ms(now_ns) < keep) return;
  out.push_back(
      warning(subject, fmt::format("retention is {}, and the records of trading_date {} carry that day's times: "
                                   "Kafka deletes them soon; set the feed's timestamp to \"send\", or raise "
                                   "retention.ms",
                                   retention(topic), feed.policies.trading_date)));
}

void check_size(const config::Feed& feed, const sink::Topic& topic, const std::string& subject, Findings& out) {
  const bool plain =
      feed.codec.compression == codec::Compression::kNone && feed.codec.transport == codec::Transport::kSoupBinTcp;
  const std::size_t packet = net::PacketScanner{feed.codec}.max_packet_bytes();
  if (!plain || topic.info.max_record_bytes == 0 || topic.info.max_record_bytes >= packet) return;
  out.push_back(warning(subject, fmt::format("a record may have {} bytes, a packet {}: what is larger becomes a dead "
                                             "letter; raise max.message.bytes",
                                             topic.info.max_record_bytes, packet)));
}

void check_data(const config::Feed& feed, const Context& context, KafkaWorld& kafka, Findings& out) {
  const std::string subject = fmt::format("topic {}", feed.sink.topic);
  const FoundTopic& found = kafka.data(feed);
  if (!tell(subject, found, out)) return;
  const sink::Topic& topic = **found.topic;
  const auto warnings = pipeline::check_topic({.feed = feed.name,
                                               .topic = feed.sink.topic,
                                               .servers = context.config.producer.properties.at("bootstrap.servers"),
                                               .policies = feed.policies,
                                               .routing = feed.routing,
                                               .exact = feed.sink.delivery == sink::Delivery::kExactlyOnce},
                                              topic.info);
  if (!warnings) {
    out.push_back(failure(subject, warnings.error()));
  } else {
    for (const std::string& text : *warnings) out.push_back(warning(subject, text));
  }
  check_retention(feed, topic, subject, out);
  check_size(feed, topic, subject, out);
  if (const auto client = kafka.client(feed)) check_in_sync(subject, topic, **client, out);
}

}  // namespace

void check_topics(const Context& context, KafkaWorld& kafka, Findings& out) {
  if (!kafka.cluster()) {
    out.push_back(skipped("topics", kNoKafka));
    return;
  }
  std::set<std::string> told;
  for (const config::Feed& feed : context.config.feeds) {
    check_data(feed, context, kafka, out);
    const std::string& dead = feed.sink.dead_letter_topic;
    if (!dead.empty() && told.insert(dead).second)
      tell(fmt::format("dead letters {}", dead), kafka.dead_letters(feed), out);
  }
  const std::string& notes = context.config.checkpoint.topic;
  if (std::ranges::none_of(context.config.feeds, journaled)) return;
  tell(fmt::format("checkpoints {}", notes), kafka.notes(notes), out);
  tell(fmt::format("state {}.state", notes), kafka.notes(notes + ".state"), out);
}

}  // namespace tickbridge::doctor
