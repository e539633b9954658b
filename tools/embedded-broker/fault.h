#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace tickbridge::embedded {

/// An error that the broker answers instead of doing what it was asked: "API:ERROR[*COUNT][@RTT_MS]", for example
/// "produce:NOT_ENOUGH_REPLICAS*3" or "produce:NO_ERROR*1@70000" (done, but the answer comes after that time).
struct Fault {
  std::int16_t api = 0;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  int count = 1;
  int rtt_ms = 0;
};

/// Nothing where the text is no fault.
[[nodiscard]] std::optional<Fault> parse_fault(std::string_view text);

}  // namespace tickbridge::embedded
