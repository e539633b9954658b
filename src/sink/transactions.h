#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "sink/client.h"

namespace tickbridge::sink {

/// Calls one of rd_kafka_init_transactions, _commit_transaction, _abort_transaction until it is done, fails, or the
/// deadline passes: a call that runs out of time goes on in the library, and is asked for again. Null: done.
[[nodiscard]] ErrorHandle until_done(rd_kafka_error_t* (*call)(rd_kafka_t*, int), rd_kafka_t* client,
                                     SteadyTime deadline);

/// Whether a transaction has been open for longer than its coordinator allows. It gives such a one up, and answers from
/// then on as if a newer owner were there (both raise the epoch): that says nothing about owners. Any thread.
[[nodiscard]] bool transaction_aged(const Client& client);

/// A producer's transactions (see Producer). One thread at a time.
class Transactions {
 public:
  explicit Transactions(Client& client) : client_{client} {}

  [[nodiscard]] Result<void> init(SteadyTime deadline);
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<void> send(const std::string& topic, std::string_view key, std::string_view value);
  /// REQUIRES: nothing of the lanes is in flight, or the commit is to fail.
  [[nodiscard]] Result<void> commit(SteadyTime deadline);

  /// Lets the library's topics go; before the client does.
  void clear() { topics_.clear(); }

 private:
  [[nodiscard]] Result<rd_kafka_topic_t*> topic(const std::string& name);
  [[nodiscard]] Error failure(std::string_view what, const ErrorHandle& fault) const;

  Client& client_;
  std::map<std::string, TopicHandle> topics_;
};

}  // namespace tickbridge::sink
