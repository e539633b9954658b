#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tickbridge::metrics {

// clang-format off: one row, one line

/// Every counter of a feed: enumerator, exposed name (prefix tickbridge_feed_ and suffix _total are added),
/// extra label ("" or `reason="…"`), help. The only place where a metric is defined.
#define TICKBRIDGE_FEED_COUNTERS(X)                                                                                   \
  X(kBytesReceived, "received_bytes", "", "Bytes read from the exchange's socket")                                    \
  X(kReads, "reads", "", "Reads of the exchange's socket that brought bytes")                                         \
  X(kPacketsReceived, "packets_received", "", "Sequenced packets received, repeats included")                         \
  X(kPacketsUnsequenced, "packets_unsequenced", "", "Unsequenced and debug packets received, and ignored")            \
  X(kMessagesReceived, "messages_received", "",                                                                       \
    "Messages split out of packets, repeats included; a broken packet is one")                                        \
  X(kMessagesCommitted, "messages_committed", "", "Messages handed over to the producer, in order")                   \
  X(kMessagesAcknowledged, "messages_acknowledged", "", "Messages that Kafka has acknowledged")                       \
  X(kMessagesDeadLettered, "messages_dead_lettered", "",                                                              \
    "Messages, broken packets and told gaps for the dead-letter topic")                                               \
  X(kDroppedRepeat, "messages_dropped", "reason=\"repeat\"", "Messages dropped, by reason")                           \
  X(kDroppedInvalid, "messages_dropped", "reason=\"invalid\"", "Messages dropped, by reason")                         \
  X(kDroppedUnknown, "messages_dropped", "reason=\"unknown\"", "Messages dropped, by reason")                         \
  X(kDroppedFull, "messages_dropped", "reason=\"full\"", "Messages dropped, by reason")                               \
  X(kDroppedDelivery, "messages_dropped", "reason=\"delivery\"", "Messages dropped, by reason")                       \
  X(kMessagesSkipped, "messages_skipped", "", "Messages found in the log already while aligning")                     \
  X(kMessagesUnknownType, "messages_unknown", "kind=\"type\"", "Messages of a type or code not in the table")         \
  X(kMessagesUnknownCode, "messages_unknown", "kind=\"code\"", "Messages of a type or code not in the table")         \
  X(kGaps, "gaps", "", "Gaps in the sequence that nobody could fill")                                                 \
  X(kGapLetters, "gap_letters", "", "Dead letters that tell of a gap")                                                \
  X(kMessagesMissing, "packets_missing", "", "Sequence numbers that lie in gaps")                                     \
  X(kSequenceRepeats, "sequence_repeats", "", "Packets received again")                                               \
  X(kReconnects, "reconnects", "", "Connections to the exchange after the first")                                     \
  X(kLoginsRejected, "logins_rejected", "", "Logins that the exchange rejected")                                      \
  X(kProtocolErrors, "protocol_errors", "", "Connections given up because of bytes that cannot be")                   \
  X(kSessionChanges, "session_changes", "", "Logins answered with another session than asked for")                    \
  X(kForeignWrites, "foreign_writes", "", "Records of others found in the feed's partitions")                         \
  X(kDoubles, "doubles", "", "Records of our own found in the log a second time")                                     \
  X(kKeysByNumber, "keys_by_number", "", "Times that an instrument was used before its directory message: its number is the key")  \
  X(kCheckpoints, "checkpoints", "", "Checkpoints acknowledged by Kafka")                                             \
  X(kStandstillSeconds, "standstill_seconds", "", "Time in which commit stood still so that a transaction could end") \
  X(kHandOverRefused, "hand_over_refused", "", "Hand-overs refused or cut short because the share was full")          \
  X(kHandOverBatches, "hand_over_batches", "", "Hand-overs of one task and partition")                                \
  X(kPartitionsHeldBack, "partitions_held_back", "", "Times a partition was held back because Kafka did not answer")  \
  X(kTasks, "tasks", "", "Tasks decoded and committed")                                                               \
  X(kReadStops, "read_stops", "", "Times the reader stopped because the ring was full")                               \
  X(kDecodeRetries, "decode_retries", "", "Tasks decoded again after a failure of the environment")

/// Every gauge of a feed (prefix tickbridge_feed_). Times are kept in milliseconds and exposed in seconds.
#define TICKBRIDGE_FEED_GAUGES(X)                                                                                \
  X(kNextSequence, "next_sequence", "", "The next packet to ask the exchange for")                               \
  X(kLastReceive, "last_receive_timestamp_seconds", "",                                                          \
    "When bytes last came from the exchange, seconds since 1970 UTC; none yet: when the feed began")             \
  X(kLastPacket, "last_packet_timestamp_seconds", "",                                                            \
    "When a sequenced packet last came, seconds since 1970 UTC; none yet: when the feed began")                  \
  X(kRingUsedBytes, "ring_used_bytes", "", "Bytes in the ring, read and not yet committed")                      \
  X(kRingBytes, "ring_bytes", "", "The ring's size")                                                             \
  X(kMessagesHeld, "held_messages", "", "Messages received and waiting in a task for their turn or for room")    \
  X(kInFlight, "in_flight_messages", "", "Records handed over and not yet acknowledged")                         \
  X(kInFlightLimit, "in_flight_limit_messages", "", "The feed's share of what may be in flight")                 \
  X(kInFlightBytes, "in_flight_bytes", "", "What the records in flight cost in the client library")              \
  X(kInFlightLimitBytes, "in_flight_limit_bytes", "", "The feed's share of what they may cost")                  \
  X(kAcknowledgementWait, "acknowledgement_wait_seconds", "",                                                    \
    "For how long the partition that waits longest has had records in flight and no answer")                     \
  X(kHeldBackPartitions, "held_back_partitions", "", "Partitions held back now because Kafka does not answer")   \
  X(kRecoverySeconds, "recovery_seconds", "", "From the start of the last recovery to owning the feed")          \
  X(kAlignmentSeconds, "alignment_seconds", "", "Comparing the replay with the log in the last recovery")        \
  X(kCheckpointSeconds, "checkpoint_seconds", "", "Until the last checkpoint was acknowledged")                  \
  X(kDrainSeconds, "drain_seconds", "", "Until all of the last transaction was acknowledged, before its commit")

/// Counters of the whole daemon (prefix tickbridge_, suffix _total).
#define TICKBRIDGE_DAEMON_COUNTERS(X)                                                                       \
  X(kErrorsConnection, "producer_errors", "kind=\"connection\"", "Errors told by the Kafka client library") \
  X(kErrorsTimeout, "producer_errors", "kind=\"timeout\"", "Errors told by the Kafka client library")       \
  X(kErrorsAccess, "producer_errors", "kind=\"access\"", "Errors told by the Kafka client library")         \
  X(kErrorsBroker, "producer_errors", "kind=\"broker\"", "Errors told by the Kafka client library")         \
  X(kErrorsFatal, "producer_errors", "kind=\"fatal\"", "Errors told by the Kafka client library")           \
  X(kErrorsOther, "producer_errors", "kind=\"other\"", "Errors told by the Kafka client library")           \
  X(kHttpOk, "http_requests", "code=\"2xx\"", "HTTP requests answered, by class of the answer")             \
  X(kHttpRefused, "http_requests", "code=\"4xx\"", "HTTP requests answered, by class of the answer")        \
  X(kHttpFailed, "http_requests", "code=\"5xx\"", "HTTP requests answered, by class of the answer")         \
  X(kHttpUnauthorized, "http_unauthorized", "", "HTTP requests that did not show the token, and were refused") \
  X(kHttpHandshakesFailed, "http_handshakes_failed", "", "HTTPS connections whose TLS handshake failed") \
  X(kHttpEvicted, "http_connections_evicted", "", "HTTP connections closed to make room for newer ones")

/// What the log's front counts (prefix tickbridge_, suffix _total): LogCounts' member, exposed name, extra label, help.
#define TICKBRIDGE_LOG_COUNTERS(X)                                                      \
  X(debug, "log_lines", "level=\"debug\"", "Lines written to the log, by level")        \
  X(info, "log_lines", "level=\"info\"", "Lines written to the log, by level")          \
  X(warn, "log_lines", "level=\"warn\"", "Lines written to the log, by level")          \
  X(error, "log_lines", "level=\"error\"", "Lines written to the log, by level")        \
  X(held_back, "log_held_back", "", "Lines of the log held back by its limit (log.burst)")

/// Gauges of the whole daemon (prefix tickbridge_).
#define TICKBRIDGE_DAEMON_GAUGES(X)                                                                             \
  X(kReady, "ready", "", "1 while /readyz says 200")                                                            \
  X(kProducerConnected, "producer_connected", "", "1 while every producer has a broker that answers")           \
  X(kProducerInFlight, "producer_in_flight_messages", "", "Records of all feeds handed over, not acknowledged") \
  X(kProducerInFlightLimit, "producer_in_flight_limit_messages", "", "What may be in flight over all feeds")    \
  X(kWorkers, "workers", "", "Worker threads")                                                                  \
  X(kWorkersParked, "workers_parked", "", "Worker threads asleep because there is nothing to do")               \
  X(kHttpConnections, "http_connections", "", "HTTP connections open")

/// What the system says of the process, under the names every Prometheus exporter uses: member, name, kind, help.
#define TICKBRIDGE_SYSTEM_METRICS(X)                                                                          \
  X(cpu_seconds, "process_cpu_seconds_total", kCounter, "Processor time used, user and system, in seconds")   \
  X(start_time_seconds, "process_start_time_seconds", kGauge, "Start of the process, seconds since 1970 UTC") \
  X(resident_bytes, "process_resident_memory_bytes", kGauge, "Memory in RAM")                                 \
  X(virtual_bytes, "process_virtual_memory_bytes", kGauge, "Address space; each feed's ring counts twice")    \
  X(open_fds, "process_open_fds", kGauge, "File descriptors open")                                            \
  X(max_fds, "process_max_fds", kGauge, "File descriptors allowed")                                           \
  X(threads, "process_threads", kGauge, "Threads, the Kafka client library's included")

// clang-format on

enum class Kind : std::uint8_t { kCounter, kGauge, kHistogram };

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

enum class DaemonCounter : std::uint8_t {
#define X(id, exposed, labels, help) id,
  TICKBRIDGE_DAEMON_COUNTERS(X)
#undef X
      kCount
};

enum class DaemonGauge : std::uint8_t {
#define X(id, exposed, labels, help) id,
  TICKBRIDGE_DAEMON_GAUGES(X)
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
inline constexpr std::array kDaemonCounterRows{
#define X(id, exposed, labels, help) Row{exposed, labels, help},
    TICKBRIDGE_DAEMON_COUNTERS(X)
#undef X
};
inline constexpr std::array kLogCounterRows{
#define X(member, exposed, labels, help) Row{exposed, labels, help},
    TICKBRIDGE_LOG_COUNTERS(X)
#undef X
};
inline constexpr std::array kDaemonGaugeRows{
#define X(id, exposed, labels, help) Row{exposed, labels, help},
    TICKBRIDGE_DAEMON_GAUGES(X)
#undef X
};

/// Rows of one name stand together and say the same: they become one family.
template <std::size_t N>
consteval bool families_are_whole(const std::array<Row, N>& rows) {
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = i + 1; j < N; ++j) {
      if (rows[i].name != rows[j].name) continue;
      if (rows[j - 1].name != rows[j].name || rows[i].help != rows[j].help || rows[i].labels == rows[j].labels)
        return false;
    }
  }
  return true;
}
static_assert(kFeedCounterRows.size() == static_cast<std::size_t>(FeedCounter::kCount));
static_assert(kFeedGaugeRows.size() == static_cast<std::size_t>(FeedGauge::kCount));
static_assert(families_are_whole(kFeedCounterRows) && families_are_whole(kFeedGaugeRows));
static_assert(families_are_whole(kDaemonCounterRows) && families_are_whole(kDaemonGaugeRows));
static_assert(families_are_whole(kLogCounterRows));

}  // namespace tickbridge::metrics
