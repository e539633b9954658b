#pragma once

#include <string>

namespace tickbridge::config {

/// What --help prints.
[[nodiscard]] std::string help();
/// docs/configuration.md.
[[nodiscard]] std::string reference();
/// config/tickbridge.toml: every option with its default, all commented out but the exchange's address.
[[nodiscard]] std::string example();

}  // namespace tickbridge::config
