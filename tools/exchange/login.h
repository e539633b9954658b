#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "exchange/options.h"

namespace tickbridge::exchange {

/// A SoupBinTCP login request, padding taken off.
struct LoginRequest {
  std::string username;
  std::string password;
  std::string session;           ///< empty: whichever is current
  std::uint64_t sequence = 1;    ///< 0: from the newest
  std::uint32_t timeout_ms = 0;  ///< 4.1: after which silence is death; 0: not said
};

/// Parses what follows the `L`. nullopt: not this version's length, or no numbers.
[[nodiscard]] std::optional<LoginRequest> parse_login(SoupVersion version, Bytes payload);
void append_accepted(const std::string& session, std::uint64_t sequence, std::vector<std::byte>& out);
void append_rejected(char reason, std::vector<std::byte>& out);

}  // namespace tickbridge::exchange
