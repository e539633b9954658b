#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "sink/client.h"
#include "sink/producer.h"

namespace tickbridge::sink {

/// What a look at a topic's metadata found.
struct Look {
  TopicInfo info;             ///< partitions and replication_factor only
  int brokers = 0;            ///< in the cluster
  std::int32_t answered = 0;  ///< the broker that answered
  bool missing = false;
};

/// Asks until an answer is there that says something, by handle, so that the answer reaches the library's own view of
/// the topic too. `just_created`: a missing topic is asked for again. Errors: kUnavailable, with what to do.
[[nodiscard]] Result<Look> look_up(Client& client, rd_kafka_topic_t* topic, bool just_created, SteadyTime deadline);

/// A login that is refused will be refused again: no need to wait for the deadline.
[[nodiscard]] bool login_refused(const Client& client);
[[nodiscard]] Error refused_login(const Client& client);
/// "Kafka does not answer at …", with the last error that the client has told.
[[nodiscard]] Error unreachable(const Client& client, rd_kafka_resp_err_t code);
/// The client's property, as the library has it.
[[nodiscard]] std::string property(const Client& client, const char* name);
[[nodiscard]] std::string servers(const Client& client);
/// What to do about an error of this client's connections; "" if it says nothing of a cause.
[[nodiscard]] std::string advice_for(const Client& client, rd_kafka_resp_err_t code, std::string_view text);

}  // namespace tickbridge::sink
