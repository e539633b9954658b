#include "config/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/opening_hours.h"
#include "config/nearest.h"

namespace tickbridge::config {
namespace {

constexpr std::string_view kAlphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool only(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return kAlphanumeric.find(c) != std::string_view::npos || more.find(c) != std::string_view::npos;
  });
}

}  // namespace

Fault check_topic(const std::string& text) {
  if (text == "." || text == "..") return "is not a topic's name";
  if (!only(text, "._-")) return "has a letter that Kafka does not allow in a topic's name";
  return std::nullopt;
}

Fault check_start(const std::string& text) {
  constexpr std::array<std::string_view, 3> kWords{"checkpoint", "beginning", "now"};
  if (std::find(kWords.begin(), kWords.end(), text) != kWords.end()) return std::nullopt;
  if (const auto number = parse_whole(text)) {
    return *number >= 1 ? Fault{} : Fault{"is no sequence number: the first is 1"};
  }
  return fmt::format("is neither a word nor a number; did you mean {}", in_quotes(nearest(text, kWords)));
}

Fault check_date(const std::string& text) { return text == "today" ? std::nullopt : check_day(text); }

Fault check_day(const std::string& text) { return parse_day(text) ? Fault{} : Fault{"is not a date"}; }

Fault check_hours(const std::string& text) {
  return parse_open_ranges(text) ? Fault{} : Fault{"is not written as opening hours are"};
}

Fault check_weekdays(const std::string& text) {
  return parse_weekdays(text) ? Fault{} : Fault{"is not written as days of the week are"};
}

Fault check_time_zone(const std::string& text) {
  const std::filesystem::path zones = "/usr/share/zoneinfo";
  std::error_code problem;
  if (!only(text, "/_+-") || text.empty() || text.starts_with('/')) return "is not a time zone's name";
  if (!std::filesystem::is_directory(zones, problem)) return std::nullopt;
  if (std::filesystem::is_regular_file(zones / text, problem)) return std::nullopt;
  return "is not in this machine's time zone database";
}

Fault check_printable(const std::string& text) {
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  return printable ? Fault{} : Fault{"has a letter that is not printable ASCII"};
}

Fault check_session(const std::string& text) {
  return only(text, "") ? Fault{} : Fault{"has a letter that no session's name has"};
}

Fault check_host(const std::string& text) {
  const bool bare_v6 = text.find(':') != std::string::npos && !text.starts_with('[');
  const std::string address = bare_v6 ? fmt::format("[{}]:1", text) : text + ":1";
  return parse_address(address) ? Fault{} : Fault{"is not a host's name or address"};
}

Fault check_server_name(const std::string& text) {
  if (text.starts_with('[')) return "is written without brackets";
  return text.empty() ? std::nullopt : check_host(text);
}

Fault check_listen(const std::string& text) {
  if (text.empty() || parse_address(text)) return std::nullopt;
  const bool any_port = text.ends_with(":0") && parse_address(text.substr(0, text.size() - 1) + "1");
  return any_port ? Fault{} : Fault{"is not an address"};
}

Fault check_feed_name(const std::string& text) {
  if (text.empty()) return "is empty";
  if (text.size() > 64) return "is too long";
  return only(text, "_-") ? Fault{} : Fault{"has another letter"};
}

}  // namespace tickbridge::config
