#include "pipeline/trading_day.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <chrono>
#include <sstream>

namespace tickbridge::pipeline {

namespace {

bool parse_date(const std::string& text, date::local_days& day) {
  std::istringstream in{text};
  in >> date::parse("%F", day);
  return !in.fail() && in.peek() == std::istringstream::traits_type::eof();
}

}  // namespace

Result<TradingDay> TradingDay::create(const std::string& date, const std::string& zone) {
  try {
    static_cast<void>(date::locate_zone(zone));
  } catch (const std::exception&) {
    return error(ExitCode::kConfig,
                 fmt::format("time_zone = \"{}\" is not in the time zone database; use a name such as "
                             "\"America/New_York\" (package tzdata)",
                             zone));
  }
  date::local_days day;
  if (date != "today" && !parse_date(date, day)) {
    return error(ExitCode::kConfig,
                 fmt::format("trading_date = \"{}\" is neither \"today\" nor a date such as 2019-12-30", date));
  }
  return TradingDay{date, zone};
}

std::int64_t TradingDay::midnight_ms(std::int64_t now_ns) const {
  const date::time_zone* const zone = date::locate_zone(zone_);
  date::local_days day;
  if (date_ == "today") {
    const auto now = date::sys_time<std::chrono::nanoseconds>{std::chrono::nanoseconds{now_ns}};
    day = date::floor<date::days>(zone->to_local(now));
  } else {
    parse_date(date_, day);
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             zone->to_sys(day, date::choose::earliest).time_since_epoch())
      .count();
}

}  // namespace tickbridge::pipeline
