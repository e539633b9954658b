#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sink/handles.h"

namespace tickbridge::sink {

/// An error that the client library told of a connection.
struct ConnectionFault {
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string_view text;         ///< the library's
  int certificate = 0;           ///< last_certificate_fault()
  std::string_view mechanism{};  ///< sasl.mechanisms
  int library = 0;               ///< rd_kafka_version()
};

/// A connection ended, and the library knows no more: what brokers do with idle ones, and when they stop.
[[nodiscard]] bool is_mere_disconnect(std::string_view text) noexcept;

/// What a person can do about it, one sentence without a full stop; "" if the error says nothing of a cause.
[[nodiscard]] std::string connection_advice(const ConnectionFault& fault);

/// kConfig: the library makes no client of the user's properties. `text`: its words.
[[nodiscard]] Error refused_properties(std::string_view text);

}  // namespace tickbridge::sink
