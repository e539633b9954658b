#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/values.h"

namespace tickbridge::config {

/// One `name = value` of a file or a flag.
struct Setting {
  std::vector<std::string> keys;  ///< the tables' names and the name: feed, nasdaq, topic
  Value value;
  std::string place;     ///< "file:line", or the flag
  std::string raw = {};  ///< a flag's value as typed, for options that take text
  bool is_flag = false;
};

/// Reads TOML 1.0 into settings in the order of their lines; an empty table gives one with Table{} as its value.
/// Errors: kConfig, the message begins with `file:line:`.
[[nodiscard]] Result<std::vector<Setting>> read_document(std::string_view toml, std::string_view file_name);

/// Reads the KEY=VALUE of `--set`; a value that is a TOML table gives several settings, one that is not TOML is text.
/// Errors: kUsage.
[[nodiscard]] Result<std::vector<Setting>> read_assignment(std::string_view assignment);

/// The keys joined by dots.
[[nodiscard]] std::string join(const std::vector<std::string>& keys, std::size_t from = 0);

}  // namespace tickbridge::config
