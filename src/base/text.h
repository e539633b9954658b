#pragma once

#include <string>
#include <string_view>

namespace tickbridge {

/// The text with each byte that is no part of well-formed UTF-8 (RFC 3629, section 4) replaced by U+FFFD. For bytes
/// from outside that go into JSON, HTML or a label.
[[nodiscard]] std::string valid_utf8(std::string_view text);

/// Valid UTF-8 in one line: control characters become \n, \t or \x1b. For log lines, so that nobody from outside
/// writes a line of his own or moves a terminal's cursor.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace tickbridge
