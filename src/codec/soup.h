#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "codec/options.h"

namespace tickbridge::codec::soup {

constexpr char kDebug = '+', kAccepted = 'A', kRejected = 'J', kSequenced = 'S', kUnsequenced = 'U',
               kServerHeartbeat = 'H', kEndOfSession = 'Z', kLogin = 'L', kClientHeartbeat = 'R', kLogout = 'O';

/// A session's name as it stands on the wire: 10 characters, padded with spaces; kept without padding.
using Session = std::string;

struct Login {
  std::string_view username;                   ///< up to 6 characters
  std::string_view password;                   ///< up to 10
  std::string_view session;                    ///< up to 10; empty: whichever is current
  std::uint64_t sequence = 1;                  ///< 0: the newest; 1: from the start
  std::uint32_t heartbeat_timeout_ms = 15000;  ///< 4.1 only
};
/// The login request as it goes on the wire.
[[nodiscard]] std::string login_request(SoupVersion version, const Login& login);
[[nodiscard]] std::string_view client_heartbeat() noexcept;
[[nodiscard]] std::string_view logout_request() noexcept;

struct Accepted {
  Session session;
  std::uint64_t sequence = 0;  ///< number of the next sequenced packet
};
/// Parses the payload of an `A` packet. nullopt: not 30 bytes, no number, or a session name
/// that is not printable ASCII (it goes into logs, headers and the next login).
[[nodiscard]] std::optional<Accepted> parse_accepted(Bytes payload) noexcept;

}  // namespace tickbridge::codec::soup
