#include "sink/topic_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tickbridge::sink {

namespace {

using Values = std::map<std::string, std::string>;

constexpr std::int64_t kMostNotesSegmentBytes = 64 << 20;

std::int64_t number(const Values& values, const char* name, std::int64_t otherwise) {
  const auto found = values.find(name);
  std::int64_t value = otherwise;
  if (found != values.end()) std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

std::string text(const Values& values, const char* name) {
  const auto found = values.find(name);
  return found == values.end() ? std::string{} : found->second;
}

void read_timestamps(TopicInfo& info, const Values& values) {
  info.log_append_time = text(values, "message.timestamp.type") == "LogAppendTime";
  // Before Kafka 3.6 one limit for both sides; from 4.0 on only the two; in between the smaller one counts.
  const std::int64_t both = number(values, "message.timestamp.difference.max.ms", kNoLimit);
  info.timestamp_before_max_ms = std::min(both, number(values, "message.timestamp.before.max.ms", kNoLimit));
  info.timestamp_after_max_ms = std::min(both, number(values, "message.timestamp.after.max.ms", kNoLimit));
}

std::vector<std::string> durability_warnings(const TopicInfo& info, std::string_view topic, const Values& values,
                                             std::string_view servers) {
  std::vector<std::string> warnings;
  if (info.replication_factor == 1) {
    warnings.push_back(
        fmt::format("topic {} has one replica: a lost broker loses its records; use "
                    "--replication-factor 3",
                    topic));
  } else if (info.min_insync_replicas < 2) {
    warnings.push_back(
        fmt::format("topic {} has min.insync.replicas = 1: acknowledged records can be lost with one "
                    "broker; {}",
                    topic, alter_command(servers, topic, "min.insync.replicas=2")));
  }
  if (text(values, "unclean.leader.election.enable") == "true") {
    warnings.push_back(fmt::format("topic {} allows unclean leader elections, which lose acknowledged records; {}",
                                   topic, alter_command(servers, topic, "unclean.leader.election.enable=false")));
  }
  return warnings;
}

}  // namespace

std::string alter_command(std::string_view servers, std::string_view topic, std::string_view setting) {
  return fmt::format(
      "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {} --add-config {}", servers,
      topic, setting);
}

std::size_t max_record_bytes(std::int64_t max_message_bytes, const ProducerLimits& limits) noexcept {
  constexpr std::int64_t kOverhead = kBatchOverhead + kRecordOverhead;
  return static_cast<std::size_t>(
      std::max<std::int64_t>(std::min(max_message_bytes, limits.message_max_bytes) - kOverhead, 0));
}

Result<std::vector<std::string>> apply_settings(TopicInfo& info, std::string_view topic, const Values& values,
                                                const ProducerLimits& limits, Delivery delivery,
                                                std::string_view servers) {
  info.settings_known = true;
  read_timestamps(info, values);
  info.min_insync_replicas = static_cast<std::int32_t>(number(values, "min.insync.replicas", 1));
  info.compacted = text(values, "cleanup.policy").find("compact") != std::string::npos;
  const std::int64_t most = number(values, "max.message.bytes", limits.message_max_bytes);
  info.max_record_bytes = max_record_bytes(most, limits);
  std::vector<std::string> warnings = durability_warnings(info, topic, values, servers);
  std::vector<std::string> faults;
  // A batch that the broker finds too large is refused as a whole, though each record in it would fit.
  const std::int64_t batch = std::min(limits.batch_size, limits.message_max_bytes);
  if (batch > most) {
    faults.push_back(fmt::format(
        "topic {} takes batches of at most {} bytes, the producer makes batches of up to {}: "
        "set producer.batch.size = {}, or {}",
        topic, most, batch, most, alter_command(servers, topic, fmt::format("max.message.bytes={}", batch))));
  }
  if (info.compacted) {
    faults.push_back(
        fmt::format("topic {} is compacted: Kafka refuses records without a key there and deletes older "
                    "records of each key; {}",
                    topic, alter_command(servers, topic, "cleanup.policy=delete")));
  }
  const bool tolerant = delivery == Delivery::kAtMostOnce;
  if (!faults.empty() && !tolerant) return error(ExitCode::kConfig, faults.front());
  warnings.insert(warnings.end(), faults.begin(), faults.end());
  return warnings;
}

Result<std::vector<std::string>> check_notes_settings(std::string_view topic, const Values& values,
                                                      std::string_view servers) {
  const std::string policy = text(values, "cleanup.policy");
  if (policy != "compact") {
    return error(
        ExitCode::kConfig,
        fmt::format(
            "topic {} has cleanup.policy = {}; the daemon's notes must be compacted, never deleted by age: {}, or "
            "name another topic with checkpoint.topic",
            topic, policy.empty() ? "?" : policy, alter_command(servers, topic, "cleanup.policy=compact")));
  }
  std::vector<std::string> warnings;
  if (const std::int64_t segment = number(values, "segment.bytes", kNotesSegmentBytes);
      segment > kMostNotesSegmentBytes) {
    warnings.push_back(fmt::format(
        "topic {} has segment.bytes = {}: nothing of a segment is compacted before it is full, so old checkpoints pile "
        "up; {}",
        topic, segment, alter_command(servers, topic, fmt::format("segment.bytes={}", kNotesSegmentBytes))));
  }
  return warnings;
}

std::string timestamps_refused(const TopicInfo& info, std::string_view servers, std::string_view topic,
                               std::int64_t first_ms, std::int64_t last_ms, std::int64_t now_ms) {
  if (info.log_append_time) return {};
  const bool before = now_ms - first_ms > info.timestamp_before_max_ms;
  const bool after = last_ms - now_ms > info.timestamp_after_max_ms;
  if (!before && !after) return {};
  const char* const setting = before ? "message.timestamp.before.max.ms" : "message.timestamp.after.max.ms";
  return fmt::format(
      "topic {} refuses timestamps more than {} ms {} the broker's clock, and the feed's lie there; {} "
      "(before Kafka 3.6: message.timestamp.difference.max.ms), or set the feed's timestamp to \"send\"",
      topic, before ? info.timestamp_before_max_ms : info.timestamp_after_max_ms, before ? "before" : "after",
      alter_command(servers, topic, fmt::format("{}={}", setting, kNoLimit)));
}

}  // namespace tickbridge::sink
