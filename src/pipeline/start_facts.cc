#include "pipeline/start_facts.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "codec/protocol.h"
#include "pipeline/trading_day.h"
#include "routing/partitioner.h"
#include "sink/topic_settings.h"

namespace tickbridge::pipeline {

namespace {

using Warnings = std::vector<std::string>;

/// Whether the topic takes the exchange's times of the whole trading day. A live feed's are near the broker's clock, so
/// for "today" it is a warning; a day that was named is refused, because its records would be.
Result<void> check_timestamps(const TopicDemand& demand, const sink::TopicInfo& topic, Warnings& warnings) {
  const auto day = TradingDay::create(demand.policies.trading_date, demand.policies.time_zone);
  if (!day) return day.error();
  if (demand.policies.timestamp != Timestamp::kExchange) return {};
  constexpr std::int64_t kDayMs = 86'400'000;
  const std::int64_t now_ns = wall_nanoseconds();
  const std::int64_t midnight = day->midnight_ms(now_ns);
  std::string refused = sink::timestamps_refused(topic, demand.servers, demand.topic, midnight, midnight + kDayMs - 1,
                                                 now_ns / 1'000'000);
  if (refused.empty()) return {};
  if (demand.policies.trading_date != "today") return error(ExitCode::kUnavailable, std::move(refused));
  warnings.push_back(fmt::format("feed {}: a session replayed today could be refused: {}", demand.feed, refused));
  return {};
}

Result<void> check_time_type(const TopicDemand& demand, const sink::TopicInfo& topic, Warnings& warnings) {
  const bool wants_broker_time = demand.policies.timestamp == Timestamp::kBroker;
  if (wants_broker_time && !topic.log_append_time) {
    return error(
        ExitCode::kUnavailable,
        fmt::format("feed.{}.timestamp = \"broker\" needs a topic with LogAppendTime; run: {}", demand.feed,
                    sink::alter_command(demand.servers, demand.topic, "message.timestamp.type=LogAppendTime")));
  }
  if (!wants_broker_time && topic.log_append_time) {
    warnings.push_back(fmt::format(
        "feed {}: topic {} has message.timestamp.type=LogAppendTime, so the broker replaces the timestamps; set "
        "feed.{}.timestamp = \"broker\" to say that it is meant",
        demand.feed, demand.topic, demand.feed));
  }
  return {};
}

}  // namespace

Result<Warnings> check_topic(const TopicDemand& demand, const sink::TopicInfo& topic) {
  if (auto there = routing::check_partitions(demand.routing, topic.partitions); !there) return there.error();
  Warnings warnings;
  if (auto fits = check_time_type(demand, topic, warnings); !fits) return fits.error();
  if (demand.exact && topic.compacted) {
    return error(
        ExitCode::kConfig,
        fmt::format("feed {}: topic {} is compacted, and exactly_once needs every record to align with; run: {}",
                    demand.feed, demand.topic,
                    sink::alter_command(demand.servers, demand.topic, "cleanup.policy=delete")));
  }
  if (auto fits = check_timestamps(demand, topic, warnings); !fits) return fits.error();
  return warnings;
}

std::string check_intervals(const std::string& feed, sink::Delivery delivery, milliseconds checkpoints,
                            milliseconds transactions) {
  if (delivery != sink::Delivery::kTransactional || transactions <= checkpoints) return {};
  return fmt::format(
      "feed {}: commits come every {} ms: producer.transaction_interval is {} ms, and checkpoint.interval, the proof "
      "that this owner lives, is shorter",
      feed, checkpoints.count(), transactions.count());
}

journal::Parameters parameters_in_force(journal::Parameters shaping, const sink::TopicInfo& topic,
                                        const std::string& protocol) {
  shaping[std::string{journal::kTopicPartitions}] = std::to_string(topic.partitions);
  shaping[std::string{journal::kMaxRecordBytes}] = std::to_string(topic.max_record_bytes);
  const codec::Protocol* const known = codec::Protocol::find(protocol);
  shaping["protocol_table"] = fmt::format("{:016x}", known == nullptr ? 0 : known->fingerprint());
  return shaping;
}

Result<std::vector<journal::Checkpoint>> parse_checkpoints(const std::string& feed, const std::string& topic,
                                                           const std::vector<sink::Entry>& entries) {
  std::unordered_map<std::string_view, std::int64_t> buried;
  for (const sink::Entry& entry : entries) {
    if (!entry.value) buried[entry.key] = entry.offset;
  }
  std::vector<journal::Checkpoint> checkpoints;
  for (const sink::Entry& entry : entries) {
    const auto tombstone = buried.find(entry.key);
    if (!entry.value || (tombstone != buried.end() && entry.offset < tombstone->second)) continue;
    auto checkpoint = journal::parse_checkpoint(*entry.value);
    if (!checkpoint) {
      return error(
          ExitCode::kData,
          fmt::format("feed {}: the checkpoint at offset {} of topic {} cannot be read: {}; did another program "
                      "write there?",
                      feed, entry.offset, topic, checkpoint.error().message));
    }
    checkpoints.push_back(std::move(*checkpoint));
  }
  return checkpoints;
}

}  // namespace tickbridge::pipeline
