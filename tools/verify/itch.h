#pragma once

#include <cstdint>
#include <string_view>

namespace tickbridge::verify {

/// What the verifier has to know of a message: written anew from the specification (TotalView-ITCH 5.0), so that a
/// mistake in the daemon's table is not repeated here.
struct Message {
  bool invalid = false;    ///< belongs among the dead letters, not into the topic
  bool unknown = false;    ///< a type or a code that the specification does not list
  bool directory = false;  ///< a valid R
  std::uint16_t instrument = 0;
  std::int64_t time_ns = -1;  ///< since midnight; -1: none readable
};

[[nodiscard]] Message look_at_itch(std::string_view bytes) noexcept;

/// The symbol in a valid R, without trailing spaces.
[[nodiscard]] std::string_view directory_symbol(std::string_view bytes) noexcept;

}  // namespace tickbridge::verify
