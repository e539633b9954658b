#include "base/opening_hours.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace tickbridge {

namespace {

using std::chrono::seconds;
constexpr seconds kDay{86'400};

/// A number of exactly so many digits.
std::optional<int> digits(std::string_view text, std::size_t count) {
  int number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = code == std::errc{} && end == text.data() + text.size() && text.size() == count;
  return whole && number >= 0 && text[0] != '-' ? std::optional{number} : std::nullopt;
}

/// What lies before and behind the first `separator`.
std::optional<std::pair<std::string_view, std::string_view>> split(std::string_view text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return std::pair{text.substr(0, at), text.substr(at + 1)};
}

/// "09:30" or "09:30:15"; at most 24:00.
std::optional<seconds> parse_time(std::string_view text) {
  const auto minutes_behind = split(text, ':');
  if (!minutes_behind) return std::nullopt;
  const auto hours = digits(minutes_behind->first, 2);
  const auto seconds_behind = split(minutes_behind->second, ':');
  const auto minutes = digits(seconds_behind ? seconds_behind->first : minutes_behind->second, 2);
  const auto rest = seconds_behind ? digits(seconds_behind->second, 2) : std::optional{0};
  if (!hours || !minutes || !rest || *minutes > 59 || *rest > 59) return std::nullopt;
  const seconds time = std::chrono::hours{*hours} + std::chrono::minutes{*minutes} + seconds{*rest};
  return time <= kDay ? std::optional{time} : std::nullopt;
}

std::optional<OpenRange> parse_range(std::string_view text) {
  const auto ends = split(text, '-');
  if (!ends) return std::nullopt;
  const auto from = parse_time(ends->first);
  const auto to = parse_time(ends->second);
  if (!from || !to || *from == kDay) return std::nullopt;
  return OpenRange{.from = *from, .to = *to > *from ? *to : *to + kDay};
}

std::optional<unsigned> parse_weekday(std::string_view text) {
  constexpr std::array<std::string_view, 7> kNames{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
  const auto at = std::ranges::find(kNames, text);
  return at == kNames.end() ? std::nullopt : std::optional{static_cast<unsigned>(at - kNames.begin())};
}

/// Calls `take` with each part between commas; false as soon as it says so.
template <class Take>
bool each_part(std::string_view text, Take take) {
  while (true) {
    const std::size_t comma = text.find(',');
    if (!take(text.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

std::optional<std::vector<OpenRange>> parse_open_ranges(std::string_view text) {
  std::vector<OpenRange> ranges;
  if (text == "closed") return ranges;
  const bool good = each_part(text, [&](std::string_view part) {
    const auto range = parse_range(part);
    if (!range || (!ranges.empty() && range->from < ranges.back().to)) return false;
    ranges.push_back(*range);
    return true;
  });
  if (!good || ranges.back().to > ranges.front().from + kDay) return std::nullopt;
  return ranges;
}

std::optional<Weekdays> parse_weekdays(std::string_view text) {
  Weekdays days = 0;
  const bool good = each_part(text, [&](std::string_view part) {
    const auto ends = split(part, '-');
    const auto first = parse_weekday(ends ? ends->first : part);
    const auto last = parse_weekday(ends ? ends->second : part);
    if (!first || !last) return false;
    for (unsigned day = *first;; day = (day + 1) % 7) {
      days = static_cast<Weekdays>(days | (1U << day));
      if (day == *last) return true;
    }
  });
  return good ? std::optional{days} : std::nullopt;
}

std::optional<std::chrono::year_month_day> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits(text.substr(0, 4), 4);
  const auto month = digits(text.substr(5, 2), 2);
  const auto day = digits(text.substr(8), 2);
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  return date.ok() ? std::optional{date} : std::nullopt;
}

}  // namespace tickbridge
