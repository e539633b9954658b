#include "sink/topics.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>
#include <utility>

#include "sink/admin.h"
#include "sink/errors.h"
#include "sink/topic_settings.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;

constexpr auto kSlice = 500ms;  ///< how long one question waits, so that a refused login is told soon
constexpr auto kPause = 100ms;  ///< between questions that were answered "not yet"

std::string property(const Client& client, const char* name) {
  std::array<char, 1024> text{};
  std::size_t size = text.size();
  const auto found = rd_kafka_conf_get(rd_kafka_conf(client.handle), name, text.data(), &size);
  return found == RD_KAFKA_CONF_OK ? text.data() : "?";
}

std::string servers(const Client& client) { return property(client, "bootstrap.servers"); }

ProducerLimits limits(const Client& client) {
  return {.message_max_bytes = std::strtoll(property(client, "message.max.bytes").c_str(), nullptr, 10),
          .batch_size = std::strtoll(property(client, "batch.size").c_str(), nullptr, 10)};
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
  return error(
      ExitCode::kUnavailable,
      fmt::format("topic {0} does not exist. Create it: kafka-topics.sh --bootstrap-server {1} --create --topic "
                  "{0} --partitions {2} --replication-factor {3} (on the development cluster: tools/kafka "
                  "topic {0} --partitions {2}), or set topics.create = true",
                  topic, servers(client), options.partitions, options.replication_factor));
}

}  // namespace

Result<Topic*> Topics::open_data(const std::string& name, const TopicOptions& options, SteadyTime deadline) {
  const Result<Topic*> topic = open(name, options, options.create, deadline);
  return topic ? check(**topic, true, deadline) : topic;
}

Result<Topic*> Topics::open_dead_letters(const std::string& name, const TopicOptions& options, SteadyTime deadline) {
  TopicOptions one = options;
  one.partitions = 1;
  const Result<Topic*> topic = open(name, one, true, deadline);
  return topic ? check(**topic, false, deadline) : topic;
}

Result<Topic*> Topics::open(const std::string& name, const TopicOptions& options, bool create, SteadyTime deadline) {
  const auto known = topics_.find(name);
  if (known != topics_.end()) {
    known->second->shared.store(true);
    return known->second.get();
  }
  Result<std::unique_ptr<Topic>> topic = find_or_create(name, options, create, deadline);
  if (!topic) return topic.error();
  client_.connected.store(true);
  return (topics_[name] = std::move(*topic)).get();
}

Result<std::unique_ptr<Topic>> Topics::find_or_create(const std::string& name, const TopicOptions& options,
                                                      bool may_create, SteadyTime deadline) {
  auto topic = std::make_unique<Topic>();
  topic->name = name;
  topic->handle.reset(rd_kafka_topic_new(client_.handle, name.c_str(), nullptr));
  if (!topic->handle) {
    return error(ExitCode::kConfig, fmt::format("topic {}: {}", name, rd_kafka_err2str(rd_kafka_last_error())));
  }
  Result<Look> look = look_up(topic->handle.get(), false, deadline);
  if (look && look->missing && !may_create) return missing(client_, name, options);
  if (look && look->missing) look = create(topic->handle.get(), options, look->brokers, deadline);
  if (!look) return look.error();
  topic->info = look->info;
  broker_ = look->answered;
  return topic;
}

// Asked by handle, so that the answer reaches the library's own view of the topic too: a record handed over before
// that would wait "unassigned" and could be overtaken.
Result<Topics::Look> Topics::look_up(rd_kafka_topic_t* topic, bool just_created, SteadyTime deadline) const {
  const std::string_view name = rd_kafka_topic_name(topic);
  rd_kafka_resp_err_t last = RD_KAFKA_RESP_ERR__TIMED_OUT;
  for (; SteadyClock::now() < deadline; std::this_thread::sleep_for(kPause)) {
    const rd_kafka_metadata_t* found = nullptr;
    last = rd_kafka_metadata(client_.handle, 0, topic, &found, milliseconds_left(deadline, kSlice));
    const MetadataHandle metadata{found};
    if (last != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topic_cnt != 1) {
      if (login_refused(client_)) return refused_login(client_);
      continue;
    }
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
  return unreachable(client_, last);
}

Result<Topics::Look> Topics::create(rd_kafka_topic_t* topic, const TopicOptions& options, int brokers,
                                    SteadyTime deadline) const {
  const std::string name = rd_kafka_topic_name(topic);
  NewTopic wanted{.name = name,
                  .partitions = options.partitions,
                  .replication_factor = options.replication_factor,
                  .config = options.config};
  if (!options.create) {  // the daemon's own topic, which nobody asked for: as safe as the cluster can make it
    wanted.replication_factor = std::clamp(wanted.replication_factor, 1, std::max(brokers, 1));
    wanted.config.clear();
  }
  const std::string fault = create_topic(client_, wanted, deadline);
  if (!fault.empty()) {
    return error(
        ExitCode::kUnavailable,
        fmt::format("topic {} cannot be created with {} partitions and {} replicas on {} broker(s): {}; look at "
                    "topics.partitions, topics.replication_factor and topics.config, or create it by hand",
                    name, wanted.partitions, wanted.replication_factor, brokers, fault));
  }
  spdlog::info("created topic {} with {} partitions and {} replicas", name, wanted.partitions,
               wanted.replication_factor);
  return look_up(topic, true, deadline);
}

Result<Topic*> Topics::check(Topic& topic, bool data, SteadyTime deadline) {
  topic.info.max_record_bytes = max_record_bytes(kNoLimit, limits(client_));
  const Described answer = describe_topic(client_, broker_, topic.name, deadline);
  if (answer.outcome == Described::Outcome::kUnsupported) {
    if (!std::exchange(embedded_told_, true)) {
      spdlog::warn("embedded broker: topic settings not checked; it is for trying out only");
    }
    return &topic;
  }
  if (answer.outcome == Described::Outcome::kFailed) {
    spdlog::warn(
        "topic {}: its settings could not be read ({}) and are not checked; give the daemon's user the right: "
        "kafka-acls.sh --add --allow-principal User:NAME --operation DescribeConfigs --topic {}",
        topic.name, answer.text, topic.name);
    return &topic;
  }
  // A dead letter is written at least once whatever its topic's settings; only its size counts.
  const Delivery delivery = data ? client_.delivery : Delivery::kAtMostOnce;
  const auto warnings =
      apply_settings(topic.info, topic.name, answer.values, limits(client_), delivery, servers(client_));
  if (!warnings) return warnings.error();
  for (const std::string& warning : *warnings) spdlog::warn("{}", warning);
  return &topic;
}

}  // namespace tickbridge::sink
