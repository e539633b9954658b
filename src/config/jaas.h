#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/option.h"

namespace tickbridge::config {

/// What Java's sasl.jaas.config says, for PLAIN and SCRAM.
struct Login {
  std::string username;
  std::string password;
};

/// Reads `…PlainLoginModule required username="me" password="…";`, or ScramLoginModule. Errors: kConfig, what is wrong
/// with it and what to do, without the value: it holds a password.
[[nodiscard]] Result<Login> read_jaas(std::string_view text);
/// The same as an option's check.
[[nodiscard]] Fault check_jaas(const std::string& text);

}  // namespace tickbridge::config
