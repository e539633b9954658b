#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <string>
#include <vector>

namespace tickbridge {

namespace {

std::array<std::atomic<std::uint64_t>, 5> g_lines{};  // by LogLevel
std::atomic<std::uint64_t> g_held_back{0};
thread_local const LogFields* t_fields = nullptr;

LogLimit& limit() {
  static LogLimit one{20, milliseconds{10'000}};  // until limit_log() says
  return one;
}

spdlog::level::level_enum level_of(Event event) {
  constexpr std::array kLevels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err,
                               spdlog::level::critical};
  return kLevels[static_cast<std::size_t>(row_of(event).level)];
}

void write(const LogFields& fields, const std::string& text) {
  g_lines[static_cast<std::size_t>(row_of(fields.event).level)].fetch_add(1);
  t_fields = &fields;  // spdlog writes before it returns, and throws nothing
  spdlog::default_logger_raw()->log(level_of(fields.event), text);
  t_fields = nullptr;
}

std::string with_feed(std::string_view feed, std::string text) {
  if (feed.empty()) return text;
  const std::string prefix = fmt::format("feed {}: ", feed);
  return text.starts_with(prefix) ? text : prefix + text;
}

void tell_all(const std::vector<LogLimit::Held>& all) {
  for (const auto& [event, feed, facility, lines] : all) {
    write({event, {feed, facility}, lines, std::source_location::current()},
          with_feed(feed, fmt::format("{} more lines of this event were held back{}{}", lines,
                                      facility.empty() ? "" : ", of ", facility)));
  }
}

}  // namespace

const LogFields* current_fields() noexcept { return t_fields; }

void log_formatted(const EventAt& what, const Source& source, fmt::string_view text, fmt::format_args args) noexcept
    try {
  if (!spdlog::default_logger_raw()->should_log(level_of(what.event))) return;
  std::uint64_t held_back = 0;
  if (row_of(what.event).hold == LogHold::kLimited) {
    const auto admitted = limit().admit(what.event, source, SteadyClock::now());
    if (!admitted) {
      g_held_back.fetch_add(1);
      return;
    }
    held_back = *admitted;
  }
  std::string line = with_feed(source.feed, fmt::vformat(text, args));
  if (held_back != 0) line += fmt::format(" ({} more lines of this event were held back before)", held_back);
  write({what.event, source, held_back, what.where}, line);
} catch (...) {  // no memory: the line is lost, the feed is not
}

void limit_log(std::uint32_t burst, milliseconds interval) { limit().set(burst, interval); }

void tell_held_back(SteadyTime now) noexcept try { tell_all(limit().take_ended(now)); } catch (...) {  // as above
}

void end_log() noexcept try {
  tell_all(limit().take_all());
  spdlog::default_logger_raw()->flush();
} catch (...) {  // as above
}

LogCounts log_counts() noexcept {
  const auto lines = [](LogLevel level) { return g_lines[static_cast<std::size_t>(level)].load(); };
  return {.debug = lines(LogLevel::kDebug),
          .info = lines(LogLevel::kInfo),
          .warn = lines(LogLevel::kWarn),
          .error = lines(LogLevel::kError) + lines(LogLevel::kCritical),
          .held_back = g_held_back.load()};
}

}  // namespace tickbridge
