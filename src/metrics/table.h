#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tickbridge::metrics {

/// Every counter of a feed: enumerator, exposed name (prefix tickbridge_feed_ and suffix _total are added),
/// extra label ("" or `reason="…"`), help. The only place where a metric is defined.
#define TICKBRIDGE_FEED_COUNTERS(X)                                                                              \
  X(kBytesReceived, "received_bytes", "", "Bytes read from the exchange's socket")                               \
  X(kReads, "reads", "", "Reads of the exchange's socket that brought bytes")                                    \
  X(kPacketsReceived, "packets_received", "", "Sequenced packets received, repeats included")                    \
  X(kPacketsUnsequenced, "packets_unsequenced", "", "Unsequenced and debug packets received, and ignored")       \
  X(kMessagesReceived, "messages_received", "", "Messages split out of packets, repeats included")               \
  X(kMessagesCommitted, "messages_committed", "", "Messages handed over to the producer, in order")              \
  X(kMessagesAcknowledged, "messages_acknowledged", "", "Messages that Kafka has acknowledged")                  \
  X(kMessagesDeadLettered, "messages_dead_lettered", "", "Messages and packets sent to the dead-letter topic")   \
  X(kDroppedRepeat, "messages_dropped", "reason=\"repeat\"", "Messages dropped, by reason")                      \
  X(kDroppedInvalid, "messages_dropped", "reason=\"invalid\"", "Messages dropped, by reason")                    \
  X(kDroppedUnknown, "messages_dropped", "reason=\"unknown\"", "Messages dropped, by reason")                    \
  X(kDroppedFull, "messages_dropped", "reason=\"full\"", "Messages dropped, by reason")                          \
  X(kDroppedDelivery, "messages_dropped", "reason=\"delivery\"", "Messages dropped, by reason")                  \
  X(kMessagesSkipped, "messages_skipped", "", "Messages found in the log already while aligning")                \
  X(kMessagesUnknownType, "messages_unknown", "kind=\"type\"", "Messages of a type or code not in the table")    \
  X(kMessagesUnknownCode, "messages_unknown", "kind=\"code\"", "Messages of a type or code not in the table")    \
  X(kGaps, "gaps", "", "Gaps in the sequence that nobody could fill")                                            \
  X(kMessagesMissing, "packets_missing", "", "Sequence numbers that lie in gaps")                                \
  X(kSequenceRepeats, "sequence_repeats", "", "Packets received again")                                          \
  X(kReconnects, "reconnects", "", "Connections to the exchange after the first")                                \
  X(kLoginsRejected, "logins_rejected", "", "Logins that the exchange rejected")                                 \
  X(kProtocolErrors, "protocol_errors", "", "Connections given up because of bytes that cannot be")              \
  X(kSessionChanges, "session_changes", "", "Logins answered with another session than asked for")               \
  X(kForeignWrites, "foreign_writes", "", "Records of others found in the feed's partitions")                    \
  X(kHandOverRefused, "hand_over_refused", "", "Hand-overs refused or cut short because the share was full")     \
  X(kHandOverBatches, "hand_over_batches", "", "Hand-overs of one task and partition")                           \
  X(kTasks, "tasks", "", "Tasks decoded and committed")                                                          \
  X(kReadStops, "read_stops", "", "Times the reader stopped because the ring was full")                          \
  X(kDecodeRetries, "decode_retries", "", "Tasks decoded again after a failure of the environment")

/// Every gauge of a feed (prefix tickbridge_feed_).
#define TICKBRIDGE_FEED_GAUGES(X)                                                                                \
  X(kNextSequence, "next_sequence", "", "The next packet to ask the exchange for")                               \
  X(kRingUsedBytes, "ring_used_bytes", "", "Bytes in the ring, read and not yet committed")                      \
  X(kRingBytes, "ring_bytes", "", "The ring's size")                                                             \
  X(kInFlight, "in_flight_messages", "", "Records handed over and not yet acknowledged")                         \
  X(kInFlightLimit, "in_flight_limit", "", "The feed's share of what may be in flight")

enum class FeedCounter : std::uint8_t {
#define X(id, exposed, labels, help) id,
  TICKBRIDGE_FEED_COUNTERS(X)
#undef X
  kCount
};

enum class FeedGauge : std::uint8_t {
#define X(id, exposed, labels, help) id,
  TICKBRIDGE_FEED_GAUGES(X)
#undef X
  kCount
};

struct Row {
  std::string_view name;
  std::string_view labels;
  std::string_view help;
};

inline constexpr std::array kFeedCounterRows{
#define X(id, exposed, labels, help) Row{exposed, labels, help},
    TICKBRIDGE_FEED_COUNTERS(X)
#undef X
};
inline constexpr std::array kFeedGaugeRows{
#define X(id, exposed, labels, help) Row{exposed, labels, help},
    TICKBRIDGE_FEED_GAUGES(X)
#undef X
};
static_assert(kFeedCounterRows.size() == static_cast<std::size_t>(FeedCounter::kCount));
static_assert(kFeedGaugeRows.size() == static_cast<std::size_t>(FeedGauge::kCount));

}  // namespace tickbridge::metrics
