#include "sink/errors.h"

#include <fmt/format.h>

namespace tickbridge::sink {

Verdict judge(rd_kafka_resp_err_t code) noexcept {
  switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return Verdict::kDelivered;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
    case RD_KAFKA_RESP_ERR__FATAL:
      return Verdict::kDiscarded;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return Verdict::kRefused;
    // Answers that the library retries: they come up only when its time or retries are used up.
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    // The idempotent producer's own: the sequence is lost, the record itself is fine.
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
      return Verdict::kLost;
    default:
      return code > 0 ? Verdict::kRefused : Verdict::kLost;  // below 0: the library's own, time-outs above all
  }
}

metrics::DaemonCounter counter_of(rd_kafka_resp_err_t code) noexcept {
  using metrics::DaemonCounter;
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
      return DaemonCounter::kErrorsConnection;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return DaemonCounter::kErrorsTimeout;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return DaemonCounter::kErrorsAccess;
    case RD_KAFKA_RESP_ERR__FATAL:
      return DaemonCounter::kErrorsFatal;
    default:
      return code > 0 ? DaemonCounter::kErrorsBroker : DaemonCounter::kErrorsOther;
  }
}

std::string advice(rd_kafka_resp_err_t code, std::string_view topic) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return fmt::format(
          "raise the topic's max.message.bytes (kafka-configs.sh --alter --entity-type topics --entity-name {} "
          "--add-config max.message.bytes=N) or lower producer.batch.size",
          topic);
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
      return fmt::format(
          "lift the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms (before Kafka 3.6: "
          "message.timestamp.difference.max.ms) on topic {}, or set the feed's timestamp to \"send\"",
          topic);
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return fmt::format(
          "the broker checks records: a topic with cleanup.policy=compact takes none without a key, and "
          "message.timestamp.*.max.ms limits timestamps; look at the settings of topic {}",
          topic);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return fmt::format(
          "give the daemon's user the right to write: kafka-acls.sh --add --allow-principal User:NAME --producer "
          "--idempotent --topic {}",
          topic);
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return fmt::format("topic {} is not there any more: create it again and start the daemon", topic);
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
      return "raise or remove producer.delivery.timeout.ms, or look why the broker does not answer";
    default:
      return "look at the broker's log; start the daemon again when it is cured: nothing is lost";
  }
}

std::string describe(rd_kafka_resp_err_t code) {
  return fmt::format("{} ({})", rd_kafka_err2str(code), rd_kafka_err2name(code));
}

}  // namespace tickbridge::sink
