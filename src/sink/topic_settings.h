#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sink/options.h"
#include "sink/producer.h"

namespace tickbridge::sink {

/// A record batch's own bytes (Kafka's message format 2), and the most that a record in it has besides key,
/// value and headers (its length, attributes, two deltas and three more lengths, as the library reckons).
constexpr std::size_t kBatchOverhead = 61;
constexpr std::size_t kRecordOverhead = 36;

/// What the producer itself allows (properties message.max.bytes and batch.size).
struct ProducerLimits {
  std::int64_t message_max_bytes = 1'000'000;
  std::int64_t batch_size = 1'000'000;
};

/// A data topic's settings, read by describe_topic, put into `info` (whose partitions and replication_factor are
/// known already). Returns warnings, each with its cure. Errors: kConfig for settings under which Kafka would
/// refuse what the daemon writes.
[[nodiscard]] Result<std::vector<std::string>> apply_settings(TopicInfo& info, std::string_view topic,
                                                              const std::map<std::string, std::string>& values,
                                                              const ProducerLimits& limits, Delivery delivery,
                                                              std::string_view servers);

/// The segments of the daemon's notes (checkpoints, state): compaction leaves the newest alone.
constexpr std::int64_t kNotesSegmentBytes = 4 << 20;

/// A topic of the daemon's notes, its settings as read. Returns warnings, each with its cure. Errors: kConfig for one
/// that is not compacted.
[[nodiscard]] Result<std::vector<std::string>> check_notes_settings(std::string_view topic,
                                                                    const std::map<std::string, std::string>& values,
                                                                    std::string_view servers);

/// What fits into a record of a topic whose settings are not known.
[[nodiscard]] std::size_t max_record_bytes(std::int64_t max_message_bytes, const ProducerLimits& limits) noexcept;

/// The command that sets a topic's setting.
[[nodiscard]] std::string alter_command(std::string_view servers, std::string_view topic, std::string_view setting);

}  // namespace tickbridge::sink
