#include "sink/lookup.h"

#include <fmt/format.h>

#include <array>
#include <thread>

#include "sink/admin.h"
#include "sink/certificates.h"
#include "sink/connection.h"
#include "sink/errors.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;

constexpr auto kSlice = 500ms;  ///< how long one question waits, so that a refused login is told soon
constexpr auto kPause = 100ms;  ///< between questions that were answered "not yet"

}  // namespace

bool login_refused(const Client& client) {
  const auto code = client.last_error().first;
  return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
}

Error refused_login(const Client& client) {
  const auto [code, text] = client.last_error();
  return error(ExitCode::kUnavailable, fmt::format("Kafka at bootstrap.servers = {} refuses the login: {}; {}",
                                                   servers(client), text, advice_for(client, code, text)));
}

std::string property(const Client& client, const char* name) {
  std::array<char, 1024> text{};
  std::size_t size = text.size();
  const auto found = rd_kafka_conf_get(rd_kafka_conf(client.handle), name, text.data(), &size);
  return found == RD_KAFKA_CONF_OK ? text.data() : "?";
}

std::string advice_for(const Client& client, rd_kafka_resp_err_t code, std::string_view text) {
  return connection_advice({.code = code,
                            .text = text,
                            .certificate = last_certificate_fault(),
                            .mechanism = property(client, "sasl.mechanisms"),
                            .library = rd_kafka_version()});
}

std::string servers(const Client& client) { return property(client, "bootstrap.servers"); }

Error unreachable(const Client& client, rd_kafka_resp_err_t code) {
  const auto [last, text] = client.last_error();
  std::string advice = advice_for(client, last, text);
  if (advice.empty()) advice = "check the address and that the broker runs and lets this machine in";
  return error(ExitCode::kUnavailable,
               fmt::format("Kafka does not answer at bootstrap.servers = {}: {}{}{}; {}", servers(client),
                           describe(code), text.empty() ? "" : "; last error: ", text, advice));
}

// Asked by handle, so that the answer reaches the library's own view of the topic too: a record handed over before
// that would wait "unassigned" and could be overtaken.
Result<Look> look_up(Client& client, rd_kafka_topic_t* topic, bool just_created, SteadyTime deadline) {
  const std::string_view name = rd_kafka_topic_name(topic);
  rd_kafka_resp_err_t last = RD_KAFKA_RESP_ERR__TIMED_OUT;
  for (; SteadyClock::now() < deadline; std::this_thread::sleep_for(kPause)) {
    const rd_kafka_metadata_t* found = nullptr;
    last = rd_kafka_metadata(client.handle, 0, topic, &found, milliseconds_left(deadline, kSlice));
    const MetadataHandle metadata{found};
    if (last != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topic_cnt != 1) {
      if (login_refused(client)) return refused_login(client);
      continue;
    }
    if (!client.failed.load()) client.forget_error();
    const rd_kafka_metadata_topic_t& answer = metadata->topics[0];
    last = answer.err;
    if (last == RD_KAFKA_RESP_ERR_NO_ERROR && answer.partition_cnt > 0) {
      return Look{.info = {.partitions = answer.partition_cnt, .replication_factor = answer.partitions[0].replica_cnt},
                  .brokers = metadata->broker_cnt,
                  .answered = metadata->orig_broker_id};
    }
    if (last == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      if (just_created) continue;
      return Look{.info = {}, .brokers = metadata->broker_cnt, .answered = metadata->orig_broker_id, .missing = true};
    }
    if (judge(last) == Verdict::kRefused) {
      return error(ExitCode::kUnavailable, fmt::format("topic {}: {}; {}", name, describe(last), advice(last, name)));
    }
  }
  return unreachable(client, last);
}

}  // namespace tickbridge::sink
