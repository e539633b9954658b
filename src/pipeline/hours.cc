#include "pipeline/hours.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>

namespace tickbridge::pipeline {

namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr int kLooksAhead = 370;  // days

std::int64_t milliseconds_of(date::sys_seconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Error bad(const std::string& option, const std::string& value) {
  return error(ExitCode::kConfig, fmt::format("{} = \"{}\" is not written as opening hours are", option, value));
}

}  // namespace

Result<Hours> Hours::create(const FeedPolicies& policies) {
  try {
    static_cast<void>(date::locate_zone(policies.time_zone));
  } catch (const std::exception&) {
    return error(ExitCode::kConfig, fmt::format("time_zone = \"{}\" is not in the time zone database (package tzdata)",
                                                policies.time_zone));
  }
  Hours hours;
  hours.zone_ = policies.time_zone;
  const auto ranges = parse_open_ranges(policies.hours);
  if (!ranges) return bad("hours", policies.hours);
  hours.ranges_ = *ranges;
  const auto days = parse_weekdays(policies.days);
  if (!days) return bad("days", policies.days);
  hours.days_ = *days;
  for (const auto& [day, text] : policies.hours_on) {
    const auto date = parse_day(day);
    const auto other = parse_open_ranges(text);
    if (!date || !other) return bad("hours_on." + day, text);
    hours.on_[*date] = *other;
  }
  return hours;
}

std::vector<Hours::Span> Hours::spans(std::int64_t now_ns, int days_after) const {
  const date::time_zone* const zone = date::locate_zone(zone_);
  const date::sys_time<std::chrono::nanoseconds> now{std::chrono::nanoseconds{now_ns}};
  const date::local_days day = date::floor<date::days>(zone->to_local(now)) + date::days{days_after};
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day.time_since_epoch().count()}}};
  const auto special = on_.find(date);
  const bool usual = ((days_ >> date::weekday{day}.c_encoding()) & 1U) != 0;
  const std::vector<OpenRange> none;
  const std::vector<OpenRange>& ranges = special != on_.end() ? special->second : usual ? ranges_ : none;
  std::vector<Span> found;
  for (const OpenRange& range : ranges) {
    found.push_back({.from = milliseconds_of(zone->to_sys(day + range.from, date::choose::earliest)),
                     .to = milliseconds_of(zone->to_sys(day + range.to, date::choose::latest))});
  }
  return found;
}

bool Hours::open(std::int64_t now_ns) const {
  const std::int64_t now = now_ns / kMs;
  for (const int day : {-1, 0}) {
    const auto today = spans(now_ns, day);
    if (std::ranges::any_of(today, [now](const Span& span) { return span.from <= now && now < span.to; })) return true;
  }
  return false;
}

std::optional<std::int64_t> Hours::next_change_ms(std::int64_t now_ns) const {
  const bool is_open = open(now_ns);
  for (int day = -1; day < kLooksAhead; ++day) {
    std::vector<std::int64_t> ends;
    for (const Span& span : spans(now_ns, day)) {
      ends.push_back(span.from);
      ends.push_back(span.to);
    }
    std::ranges::sort(ends);
    for (const std::int64_t end : ends) {
      if (end > now_ns / kMs && open(end * kMs) != is_open) return end;
    }
  }
  return std::nullopt;
}

std::string Hours::local(std::int64_t time_ms) const {
  const date::sys_seconds time{std::chrono::seconds{time_ms / 1000}};
  return date::format("%F %T %Z", date::make_zoned(zone_, time));
}

}  // namespace tickbridge::pipeline
