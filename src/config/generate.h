#pragma once

#include <string>

namespace tickbridge::config {

/// What --help prints.
[[nodiscard]] std::string help();
/// docs/configuration.md.
[[nodiscard]] std::string reference();
/// config/tickbridge.toml: every option with its default, all commented out but the exchange's address.
[[nodiscard]] std::string example();
/// docs/man/tickbridge.8 and docs/man/tickbridge.toml.5, in roff (man(7)).
[[nodiscard]] std::string manual_program();
[[nodiscard]] std::string manual_file();

}  // namespace tickbridge::config
