#include "sink/rights.h"

#include <fmt/format.h>

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "sink/admin.h"
#include "sink/conf.h"
#include "sink/errors.h"
#include "sink/reader.h"
#include "sink/side_client.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;
using Answer = Right::Answer;

using OptionsHandle = std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;
using FilterHandle = std::unique_ptr<rd_kafka_AclBindingFilter_t, Destroy<rd_kafka_AclBinding_destroy>>;

constexpr const char* kNoAcks = "2";  ///< only 0, 1 and -1 are known to the protocol
constexpr auto kMostWait = 5s;

/// What became of the one record. The client's thread tells, another one waits.
class Report {
 public:
  void tell(rd_kafka_event_t* event) {
    const rd_kafka_message_t* const message = rd_kafka_event_message_next(event);
    if (message == nullptr) return;
    const std::scoped_lock lock{mutex_};
    code_ = message->err;
    told_.notify_all();
  }
  [[nodiscard]] std::optional<rd_kafka_resp_err_t> wait(SteadyTime deadline) {
    std::unique_lock lock{mutex_};
    told_.wait_until(lock, deadline, [this] { return code_.has_value(); });
    return code_;
  }

 private:
  std::mutex mutex_;  // guards code_
  std::condition_variable told_;
  std::optional<rd_kafka_resp_err_t> code_;
};

Right judge_write(std::optional<rd_kafka_resp_err_t> code, const Client& client) {
  if (!code) return {Answer::kUnknown, fmt::format("no answer; last error: {}", client.last_error().second)};
  switch (*code) {
    case RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS:
      return {Answer::kGiven, {}};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return {Answer::kMissing, describe(*code)};
    default:
      return {Answer::kUnknown, describe(*code)};
  }
}

/// Whether an ACL gives or takes the right to write under the id; the others do not matter.
std::optional<bool> judge_acl(const rd_kafka_AclBinding_t* acl, const std::string& principal) {
  const rd_kafka_ResourceType_t type = rd_kafka_AclBinding_restype(acl);
  // 2.0.2 does not know the type "transactional id": it makes "unknown" of it, of topic and group it does not.
  if (type == RD_KAFKA_RESOURCE_TOPIC || type == RD_KAFKA_RESOURCE_GROUP || type == RD_KAFKA_RESOURCE_BROKER) return {};
  const std::string who = rd_kafka_AclBinding_principal(acl);
  if (who != principal && who != "User:*") return {};
  const rd_kafka_AclOperation_t what = rd_kafka_AclBinding_operation(acl);
  if (what != RD_KAFKA_ACL_OPERATION_ALL && what != RD_KAFKA_ACL_OPERATION_WRITE) return {};
  return rd_kafka_AclBinding_permission_type(acl) == RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW;
}

Right judge_acls(const rd_kafka_event_t* event, const std::string& id, const std::string& principal) {
  std::size_t count = 0;
  const rd_kafka_AclBinding_t** const acls = rd_kafka_DescribeAcls_result_acls(
      rd_kafka_event_DescribeAcls_result(const_cast<rd_kafka_event_t*>(event)), &count);
  bool given = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::optional<bool> says = judge_acl(acls[i], principal);
    if (says && !*says) return {Answer::kMissing, fmt::format("an ACL denies it to {}", principal)};
    given = given || says.value_or(false);
  }
  if (given) return {Answer::kGiven, {}};
  return {Answer::kUnknown, fmt::format("no ACL on transactional id {} names {}, so only a super user may use it, or "
                                        "everybody where the brokers have allow.everyone.if.no.acl.found",
                                        id, principal)};
}

FilterHandle filter_for(const std::string& id) {
  std::array<char, 256> text{};
  return FilterHandle{rd_kafka_AclBindingFilter_new(RD_KAFKA_RESOURCE_ANY, id.c_str(), RD_KAFKA_RESOURCE_PATTERN_MATCH,
                                                    nullptr, nullptr, RD_KAFKA_ACL_OPERATION_ANY,
                                                    RD_KAFKA_ACL_PERMISSION_TYPE_ANY, text.data(), text.size())};
}

}  // namespace

Right may_write(const ProducerOptions& options, const std::string& topic, SteadyTime deadline) {
  Properties properties = connection_properties(options);
  properties["acks"] = kNoAcks;
  properties["enable.idempotence"] = "false";
  properties["message.send.max.retries"] = "0";
  properties["message.timeout.ms"] = std::to_string(milliseconds_left(deadline, kMostWait));
  properties["linger.ms"] = "0";
  Report report;  // outlives the client
  auto side = SideClient::create({.type = RD_KAFKA_PRODUCER,
                                  .properties = properties,
                                  .on_reports = [&report](rd_kafka_event_t* event) { report.tell(event); }});
  if (!side) return {Answer::kUnknown, side.error().message};
  Client& client = (*side)->client();
  const TopicHandle handle{rd_kafka_topic_new(client.handle, topic.c_str(), nullptr)};
  std::string value = "tickbridge doctor";
  if (!handle || rd_kafka_produce(handle.get(), 0, RD_KAFKA_MSG_F_COPY, value.data(), value.size(), value.data(),
                                  value.size(), nullptr) != 0) {
    return {Answer::kUnknown, describe(rd_kafka_last_error())};
  }
  const Right right = judge_write(report.wait(deadline), client);
  rd_kafka_purge(client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  return right;
}

Right may_read(const ProducerOptions& options, const std::string& topic, SteadyTime deadline) {
  const auto reader = Reader::open(options, topic, "read_uncommitted");
  if (!reader) return {Answer::kUnknown, reader.error().message};
  const auto offsets = (*reader)->offsets(1, deadline);
  if (!offsets) return {Answer::kUnknown, offsets.error().message};
  const auto nothing = [](const rd_kafka_message_t&) {};
  const auto read = (*reader)->follow(0, offsets->front().end, nothing, 0ms);
  if (!read) return {Answer::kMissing, read.error().message};
  return {Answer::kGiven, {}};
}

Right may_use_transactional_id(const Client& client, const std::string& id, const std::string& principal,
                               SteadyTime deadline) {
  const int timeout_ms = milliseconds_left(deadline, kMostWait);
  const QueueHandle queue{rd_kafka_queue_new(client.handle)};
  const OptionsHandle options{rd_kafka_AdminOptions_new(client.handle, RD_KAFKA_ADMIN_OP_DESCRIBEACLS)};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms, nullptr, 0);
  const FilterHandle filter = filter_for(id);
  rd_kafka_DescribeAcls(client.handle, filter.get(), options.get(), queue.get());
  const EventHandle event{rd_kafka_queue_poll(queue.get(), timeout_ms + 1000)};
  if (!event) return {Answer::kUnknown, "no answer"};
  switch (const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get())) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return judge_acls(event.get(), id, principal);
    case RD_KAFKA_RESP_ERR_SECURITY_DISABLED:
      return {Answer::kGiven, kNoAuthorizer};
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return {Answer::kUnknown, "ACLs may be read only by who has Describe on the cluster"};
    default:
      return {Answer::kUnknown, describe(code)};
  }
}

}  // namespace tickbridge::sink
