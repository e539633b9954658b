#include "sink/transactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "sink/admin.h"
#include "sink/errors.h"
#include "sink/lookup.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;

constexpr auto kSlice = 2s;  ///< one call of the library
constexpr auto kAbort = 2s;  ///< for a courtesy: the next init does it too
constexpr auto kTopicWait = 10s;

bool fenced(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

std::string_view cure(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return "; give the daemon's user the right: kafka-acls.sh --add --allow-principal User:NAME --producer "
             "--transactional-id NAME";
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
      return "; the brokers' transaction.max.timeout.ms is less than the producer's transaction.timeout.ms";
    default:
      return "";
  }
}

}  // namespace

ErrorHandle until_done(rd_kafka_error_t* (*call)(rd_kafka_t*, int), rd_kafka_t* client, SteadyTime deadline) {
  for (;;) {
    ErrorHandle fault{call(client, milliseconds_left(deadline, kSlice))};
    const bool goes_on = fault && rd_kafka_error_is_retriable(fault.get()) != 0;
    if (!goes_on || SteadyClock::now() >= deadline) return fault;
  }
}

bool transaction_aged(const Client& client) {
  const SteadyClock::duration begun{client.transaction_begun.load()};
  const std::chrono::milliseconds allowed{std::atoll(property(client, "transaction.timeout.ms").c_str())};
  return begun.count() != 0 && SteadyClock::now().time_since_epoch() - begun >= allowed;
}

Error Transactions::failure(std::string_view what, const ErrorHandle& fault) const {
  const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client_.handle, nullptr, 0);
  const rd_kafka_resp_err_t code = fatal != RD_KAFKA_RESP_ERR_NO_ERROR ? fatal : rd_kafka_error_code(fault.get());
  const std::string text = fmt::format("{}: {}: {}", what, describe(code), rd_kafka_error_string(fault.get()));
  if (!fenced(code)) return error(ExitCode::kUnavailable, text + std::string{cure(code)});
  if (transaction_aged(client_))
    return error(ExitCode::kUnavailable, text + " (the transaction was older than transaction.timeout.ms)");
  return error(ExitCode::kProtocol, text + "; a newer owner has this feed's transactional id");
}

Result<void> Transactions::init(SteadyTime deadline) {
  const ErrorHandle fault = until_done(rd_kafka_init_transactions, client_.handle, deadline);
  if (fault) return failure("transactions could not be started", fault);
  return {};
}

Result<void> Transactions::begin() {
  const ErrorHandle fault{rd_kafka_begin_transaction(client_.handle)};
  if (fault) return failure("a transaction could not be begun", fault);
  client_.transaction_begun.store(SteadyClock::now().time_since_epoch().count());
  return {};
}

// Known to the library before the first record: one for a topic that it does not know waits unassigned.
Result<rd_kafka_topic_t*> Transactions::topic(const std::string& name) {
  const auto known = topics_.find(name);
  if (known != topics_.end()) return known->second.get();
  TopicHandle handle{rd_kafka_topic_new(client_.handle, name.c_str(), nullptr)};
  if (!handle) {
    return error(ExitCode::kConfig, fmt::format("topic {}: {}", name, rd_kafka_err2str(rd_kafka_last_error())));
  }
  const Result<Look> look = look_up(client_, handle.get(), true, SteadyClock::now() + kTopicWait);
  if (!look) return look.error();
  return (topics_[name] = std::move(handle)).get();
}

Result<void> Transactions::send(const std::string& topic_name, std::string_view key, std::string_view value) {
  const Result<rd_kafka_topic_t*> to = topic(topic_name);
  if (!to) return to.error();
  if (rd_kafka_produce(*to, 0, RD_KAFKA_MSG_F_COPY, const_cast<char*>(value.data()), value.size(), key.data(),
                       key.size(), nullptr) == 0) {
    return {};
  }
  const rd_kafka_resp_err_t code = rd_kafka_last_error();
  return failure(fmt::format("a record for topic {} was not taken", topic_name),
                 ErrorHandle{rd_kafka_error_new(code, "%s", rd_kafka_err2str(code))});
}

Result<void> Transactions::commit(SteadyTime deadline) {
  const ErrorHandle fault = until_done(rd_kafka_commit_transaction, client_.handle, deadline);
  if (!fault) return {};
  const Error told = failure("the transaction was not committed", fault);
  if (rd_kafka_error_txn_requires_abort(fault.get()) != 0) {
    (void)until_done(rd_kafka_abort_transaction, client_.handle, SteadyClock::now() + kAbort);
  }
  return told;
}

}  // namespace tickbridge::sink
