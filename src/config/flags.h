#pragma once

#include <span>
#include <string_view>

namespace tickbridge::config {

/// One flag of the command line.
struct Flag {
  std::string_view name;   ///< --config
  std::string_view value;  ///< what follows it, by name; empty: nothing
  std::string_view doc;
};

/// Every flag there is, in the order of --help.
[[nodiscard]] std::span<const Flag> flags();

}  // namespace tickbridge::config
