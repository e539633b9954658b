#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tickbridge {

/// A stretch of a day in which something is open, from its midnight on: `from` in [0, 24 h), `to` in (from, from + 24
/// h].
struct OpenRange {
  std::chrono::seconds from{0};
  std::chrono::seconds to{0};
  friend bool operator==(const OpenRange&, const OpenRange&) = default;
};

/// The days of a week as bits, Sunday the lowest.
using Weekdays = std::uint8_t;
constexpr Weekdays kEveryDay = 0x7f;

/// "09:30-16:00", "09:00-11:30,13:00-15:00", "18:00-17:00" (into the next day), "00:00-24:00"; "closed": none.
/// Ranges stand in order and do not overlap. nullopt: not written so.
[[nodiscard]] std::optional<std::vector<OpenRange>> parse_open_ranges(std::string_view text);

/// "mon-fri", "sun-thu", "mon,wed-fri". nullopt: not written so.
[[nodiscard]] std::optional<Weekdays> parse_weekdays(std::string_view text);

/// "2026-12-25". nullopt: no such day.
[[nodiscard]] std::optional<std::chrono::year_month_day> parse_day(std::string_view text);

}  // namespace tickbridge
