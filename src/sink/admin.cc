#include "sink/admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sink/errors.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;

using OptionsHandle = std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;
using ResourceHandle = std::unique_ptr<rd_kafka_ConfigResource_t, Destroy<rd_kafka_ConfigResource_destroy>>;
using NewTopicHandle = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;

constexpr auto kMostWait = 60s;
constexpr auto kMostDescribeWait = 10s;  ///< the daemon can go on without

OptionsHandle options_for(const Client& client, rd_kafka_admin_op_t operation, int timeout_ms) {
  OptionsHandle options{rd_kafka_AdminOptions_new(client.handle, operation)};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms, nullptr, 0);
  return options;
}

Described described(const rd_kafka_ConfigResource_t* resource) {
  const rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return {.values = {}, .text = describe(code)};
  Described answer{.outcome = Described::Outcome::kKnown, .values = {}, .text = {}};
  std::size_t count = 0;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(resource, &count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* const value = rd_kafka_ConfigEntry_value(entries[i]);
    answer.values[rd_kafka_ConfigEntry_name(entries[i])] = value == nullptr ? "" : value;
  }
  return answer;
}

}  // namespace

int milliseconds_left(SteadyTime deadline, std::chrono::milliseconds most) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds>(left, 1ms, most).count());
}

Described describe_topic(const Client& client, std::int32_t broker, const std::string& name, SteadyTime deadline) {
  const int timeout_ms = milliseconds_left(deadline, kMostDescribeWait);
  const QueueHandle queue{rd_kafka_queue_new(client.handle)};
  const ResourceHandle resource{rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str())};
  const OptionsHandle options = options_for(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
  rd_kafka_AdminOptions_set_broker(options.get(), broker, nullptr, 0);
  rd_kafka_ConfigResource_t* asked = resource.get();
  rd_kafka_DescribeConfigs(client.handle, &asked, 1, options.get(), queue.get());
  const EventHandle event{rd_kafka_queue_poll(queue.get(), timeout_ms + 1000)};  // the request's own time-out first
  if (!event) return {.values = {}, .text = "no answer"};
  const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get());
  if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE) {
    return {.outcome = Described::Outcome::kUnsupported, .values = {}, .text = {}};
  }
  std::size_t count = 0;
  const rd_kafka_DescribeConfigs_result_t* result = rd_kafka_event_DescribeConfigs_result(event.get());
  const rd_kafka_ConfigResource_t** found =
      code != RD_KAFKA_RESP_ERR_NO_ERROR ? nullptr : rd_kafka_DescribeConfigs_result_resources(result, &count);
  if (count != 1) return {.values = {}, .text = rd_kafka_event_error_string(event.get())};
  return described(found[0]);
}

std::string create_topic(const Client& client, const NewTopic& topic, SteadyTime deadline, bool only_try) {
  const int timeout_ms = milliseconds_left(deadline, kMostWait);
  std::array<char, 256> text{};
  const NewTopicHandle wanted{
      rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, topic.replication_factor, text.data(), text.size())};
  if (!wanted) return text.data();
  for (const auto& [name, value] : topic.config)
    rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str());
  const QueueHandle queue{rd_kafka_queue_new(client.handle)};
  const OptionsHandle options = options_for(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
  if (only_try) rd_kafka_AdminOptions_set_validate_only(options.get(), 1, nullptr, 0);
  rd_kafka_NewTopic_t* asked = wanted.get();
  rd_kafka_CreateTopics(client.handle, &asked, 1, options.get(), queue.get());
  const EventHandle event{rd_kafka_queue_poll(queue.get(), timeout_ms + 1000)};
  if (!event) return "no answer";
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_kafka_event_error_string(event.get());
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (count != 1) return "no answer for the topic";
  const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return {};
  const char* const reason = rd_kafka_topic_result_error_string(results[0]);
  return reason == nullptr ? describe(code) : fmt::format("{}: {}", describe(code), reason);
}

}  // namespace tickbridge::sink
