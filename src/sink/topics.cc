#include "sink/topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "sink/errors.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;

constexpr auto kSlice = 500ms;  ///< how long one question waits, so that a refused login is told soon
constexpr auto kPause = 100ms;  ///< between questions that were answered "not yet"

int milliseconds_left(SteadyTime deadline, std::chrono::milliseconds most) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
  return static_cast<int>(std::clamp(left, 1ms, most).count());
}

std::string servers(const Client& client) {
  std::array<char, 512> text{};
  std::size_t size = text.size();
  if (rd_kafka_conf_get(rd_kafka_conf(client.handle), "bootstrap.servers", text.data(), &size) != RD_KAFKA_CONF_OK) {
    return "?";
  }
  return text.data();
}

Error unreachable(const Client& client, rd_kafka_resp_err_t code) {
  const auto [last, text] = client.last_error();
  return error(ExitCode::kUnavailable,
               fmt::format("Kafka does not answer at bootstrap.servers = {}: {}{}{}; check the address and that the "
                           "broker runs and lets this machine in",
                           servers(client), describe(code), text.empty() ? "" : "; last error: ", text));
}

/// A login that is refused will be refused again: no need to wait for the deadline.
bool login_refused(const Client& client) {
  const auto code = client.last_error().first;
  return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
}

Error refused_login(const Client& client) {
  return error(ExitCode::kUnavailable,
               fmt::format("Kafka at bootstrap.servers = {} refuses the login: {}; check producer.sasl.username, "
                           "producer.sasl.password, producer.sasl.mechanism and producer.security.protocol",
                           servers(client), client.last_error().second));
}

Error missing(const Client& client, std::string_view topic, const TopicOptions& options) {
  return error(ExitCode::kUnavailable,
               fmt::format("topic {0} does not exist. Create it: kafka-topics.sh --bootstrap-server {1} --create --topic "
                           "{0} --partitions {2} --replication-factor {3} (on the development cluster: tools/kafka "
                           "topic {0} --partitions {2}), or set topics.create = true",
                           topic, servers(client), options.partitions, options.replication_factor));
}

}  // namespace

Result<TopicInfo> look_up(const Client& client, rd_kafka_topic_t* topic, const TopicOptions& options,
                          SteadyTime deadline) {
  const std::string_view name = rd_kafka_topic_name(topic);
  rd_kafka_resp_err_t last = RD_KAFKA_RESP_ERR__TIMED_OUT;
  while (SteadyClock::now() < deadline) {
    const rd_kafka_metadata_t* found = nullptr;
    last = rd_kafka_metadata(client.handle, 0, topic, &found, milliseconds_left(deadline, kSlice));
    const MetadataHandle metadata{found};
    if (last == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1) {
      const rd_kafka_metadata_topic_t& answer = metadata->topics[0];
      last = answer.err;
      if (last == RD_KAFKA_RESP_ERR_NO_ERROR && answer.partition_cnt > 0) {
        return TopicInfo{.partitions = answer.partition_cnt, .max_record_bytes = 1'000'000 - 36 - 61};
      }
      if (last == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return missing(client, name, options);
      if (judge(last) == Verdict::kRefused) {
        return error(ExitCode::kUnavailable,
                     fmt::format("topic {}: {}; {}", name, describe(last), advice(last, name)));
      }
    } else if (login_refused(client)) {
      return refused_login(client);
    }
    std::this_thread::sleep_for(kPause);
  }
  return unreachable(client, last);
}

}  // namespace tickbridge::sink
