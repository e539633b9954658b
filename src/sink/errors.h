#pragma once

#include <librdkafka/rdkafka.h>

#include <string>
#include <string_view>

#include "metrics/table.h"

namespace tickbridge::sink {

/// What a delivery error says about its records (docs/producer.md has the table).
enum class Verdict : std::uint8_t {
  kDelivered,  ///< no error
  kRefused,    ///< the broker will never take this record: 65
  kLost,       ///< the library gave up (time or retries used up, sequence lost): 75
  kDiscarded,  ///< we or a fatal error before it threw the record away: says nothing of its own
};

[[nodiscard]] Verdict judge(rd_kafka_resp_err_t code) noexcept;
/// Where an error that the library tells by itself is counted.
[[nodiscard]] metrics::DaemonCounter counter_of(rd_kafka_resp_err_t code) noexcept;
/// What a person can do about it, one sentence without a full stop. `topic` is put in where a command needs it.
[[nodiscard]] std::string advice(rd_kafka_resp_err_t code, std::string_view topic);
/// "Broker: Message size too large (MSG_SIZE_TOO_LARGE)"
[[nodiscard]] std::string describe(rd_kafka_resp_err_t code);

}  // namespace tickbridge::sink
