#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <source_location>
#include <string_view>

#include "base/clock.h"
#include "base/events.h"
#include "base/log_limit.h"

// The log's front: all of src/ logs through log_event(), and a test enforces it. Nothing logs per message.
namespace tickbridge {

/// A line about this feed; "feed NAME: " comes before its text, unless that begins so.
[[nodiscard]] inline Source of_feed(std::string_view feed) noexcept { return {.feed = feed}; }

/// An event, and the place in the code that tells it.
struct EventAt {
  Event event;
  std::source_location where;
  EventAt(Event what, const std::source_location& place = std::source_location::current()) noexcept  // NOLINT: implicit
      : event{what}, where{place} {}
};

/// What a line carries besides its text.
struct LogFields {
  Event event;
  Source source;
  std::uint64_t held_back;  ///< lines like this one that the limit held back before it
  std::source_location where;
};

/// Of the line that the calling thread is writing just now, for formatters and sinks; nullptr: none of ours.
[[nodiscard]] const LogFields* current_fields() noexcept;

/// As log_event(), of a text that is to be made. Never throws: a line that cannot be made is lost, its cause is not.
void log_formatted(const EventAt& what, const Source& source, fmt::string_view text, fmt::format_args args) noexcept;

/// Logs the event at its level, unless the limit holds it back. Any thread.
template <class... Args>
void log_event(EventAt what, const Source& source, fmt::format_string<Args...> text, Args&&... args) noexcept {
  log_formatted(what, source, text, fmt::make_format_args(args...));
}
/// The same of the daemon as a whole.
template <class... Args>
void log_event(EventAt what, fmt::format_string<Args...> text, Args&&... args) noexcept {
  log_formatted(what, {}, text, fmt::make_format_args(args...));
}

/// How many lines of one event and feed are let through in each interval.
void limit_log(std::uint32_t burst, milliseconds interval);

/// Tells how many lines were held back in intervals that are over. To be called now and then.
void tell_held_back(SteadyTime now) noexcept;

/// The same of all, and flushes: before the process ends. The log works on.
void end_log() noexcept;

/// What was written so far, by level (a critical line counts as an error), and what was not.
struct LogCounts {
  std::uint64_t debug;
  std::uint64_t info;
  std::uint64_t warn;
  std::uint64_t error;
  std::uint64_t held_back;
};
[[nodiscard]] LogCounts log_counts() noexcept;

}  // namespace tickbridge
