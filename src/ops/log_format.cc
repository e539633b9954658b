#include "ops/log_format.h"

#include <spdlog/details/log_msg.h>
#include <time.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <chrono>
#include <string>

#include "base/log.h"
#include "base/text.h"

namespace tickbridge::ops {

namespace {

namespace json = boost::json;
using spdlog::details::log_msg;
using Line = spdlog::memory_buf_t;

/// RFC 3339, UTC, microseconds.
std::string timestamp(const log_msg& message) {
  const auto since = message.time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto micros = std::chrono::floor<std::chrono::microseconds>(since - seconds);
  const time_t whole = seconds.count();
  tm utc{};
  gmtime_r(&whole, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, micros.count());
}

std::string_view payload(const log_msg& message) { return {message.payload.data(), message.payload.size()}; }

void append(Line& line, std::string_view text) { line.append(text.data(), text.data() + text.size()); }

/// With the event's name, by which docs/events.md is read.
void append_message(Line& line, const log_msg& message) {
  append(line, one_line(payload(message)));
  if (const LogFields* const fields = current_fields())
    append(line, " [" + std::string{row_of(fields->event).name} + "]");
}

void append_text(Line& line, const log_msg& message) {
  append(line, timestamp(message) + " ");
  message.color_range_start = line.size();
  append(line, level_word(message.level));
  message.color_range_end = line.size();
  append(line, message.level == spdlog::level::info || message.level == spdlog::level::warn ? "  " : " ");
  append_message(line, message);
}

void append_json_field(Line& line, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  append(line, ",\"" + std::string{name} + "\":");
  append(line, json::serialize(json::string{valid_utf8(value)}));
}

void append_json_fields(Line& line, const LogFields& fields) {
  append_json_field(line, "event", row_of(fields.event).name);
  append_json_field(line, "feed", fields.source.feed);
  append_json_field(line, "facility", fields.source.facility);
  if (fields.held_back != 0) append(line, ",\"held_back\":" + std::to_string(fields.held_back));
}

void append_json(Line& line, const log_msg& message) {
  append(line, "{\"time\":\"" + timestamp(message) + "\",\"level\":\"" + std::string{level_word(message.level)} +
                   "\",\"thread\":" + std::to_string(message.thread_id));
  if (const LogFields* const fields = current_fields()) append_json_fields(line, *fields);
  append(line, ",\"message\":" + json::serialize(json::string{valid_utf8(payload(message))}) + "}");
}

class Formatter final : public spdlog::formatter {
 public:
  explicit Formatter(LogStyle style) : style_{style} {}

  void format(const log_msg& message, Line& line) override {
    const bool journal = style_ == LogStyle::kJournal || style_ == LogStyle::kJournalJson;
    if (journal) append(line, "<" + std::to_string(priority(message.level)) + ">");
    if (style_ == LogStyle::kText) append_text(line, message);
    if (style_ == LogStyle::kJournal) append_message(line, message);
    if (style_ == LogStyle::kJson || style_ == LogStyle::kJournalJson) append_json(line, message);
    append(line, "\n");
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<Formatter>(style_);
  }

 private:
  LogStyle style_;
};

}  // namespace

std::unique_ptr<spdlog::formatter> make_formatter(LogStyle style) { return std::make_unique<Formatter>(style); }

std::string_view level_word(spdlog::level::level_enum level) noexcept {
  constexpr std::array<std::string_view, spdlog::level::n_levels> kWords{"trace", "debug",    "info", "warn",
                                                                         "error", "critical", "off"};
  return kWords[static_cast<std::size_t>(level)];
}

int priority(spdlog::level::level_enum level) noexcept {
  constexpr std::array<int, spdlog::level::n_levels> kPriorities{7, 7, 6, 4, 3, 2, 2};
  return kPriorities[static_cast<std::size_t>(level)];
}

}  // namespace tickbridge::ops
