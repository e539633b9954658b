#pragma once

#include <string>
#include <string_view>

#include "config/option.h"

namespace tickbridge::config {

// What the generated documents have in common.

/// The option's default as the file would have it; "": none.
[[nodiscard]] std::string default_of(const Option& option);
/// "feed.*.topic" → "feed.NAME.topic".
[[nodiscard]] std::string with_name(std::string_view path, std::string_view name);
/// What a table is for, in one or two sentences; "": nothing to say.
[[nodiscard]] std::string_view title_doc(std::string_view table);

}  // namespace tickbridge::config
