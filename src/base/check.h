#pragma once

#include <source_location>
#include <string_view>

namespace tickbridge {

/// Logs the broken invariant with its place and aborts.
[[noreturn]] void check_failed(std::string_view what, const std::source_location& where) noexcept;

/// Asserts an invariant of our own, in release builds too. Never for input from outside.
inline void check(bool holds, std::string_view what,
                  const std::source_location& where = std::source_location::current()) noexcept {
  if (!holds) [[unlikely]] {
    check_failed(what, where);
  }
}

}  // namespace tickbridge
