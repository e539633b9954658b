#pragma once

#include <string>
#include <string_view>

#include "config/option.h"

namespace tickbridge::config {

constexpr std::string_view kTopicAllowed = "letters, digits, \".\", \"_\" and \"-\", as Kafka allows them, at most 249";

/// A name that Kafka takes for a topic.
[[nodiscard]] Fault check_topic(const std::string& text);
/// checkpoint | beginning | now | a sequence number from 1.
[[nodiscard]] Fault check_start(const std::string& text);
/// today | a date such as 2019-12-30.
[[nodiscard]] Fault check_date(const std::string& text);
/// A name of the time zone database; taken unseen where the machine has none.
[[nodiscard]] Fault check_time_zone(const std::string& text);
/// Opening hours: "09:30-16:00", several of them, or "closed".
[[nodiscard]] Fault check_hours(const std::string& text);
/// Days of the week: "mon-fri", "mon,wed".
[[nodiscard]] Fault check_weekdays(const std::string& text);
/// A date such as 2026-12-25.
[[nodiscard]] Fault check_day(const std::string& text);
/// Printable ASCII, as a login carries it.
[[nodiscard]] Fault check_printable(const std::string& text);
/// Letters and digits: a session's name.
[[nodiscard]] Fault check_session(const std::string& text);
/// A host's name or address, IPv6 with or without brackets.
[[nodiscard]] Fault check_host(const std::string& text);
/// A host's name or address without brackets, or nothing.
[[nodiscard]] Fault check_server_name(const std::string& text);
/// host:port with port 0 to 65535, or nothing.
[[nodiscard]] Fault check_listen(const std::string& text);
/// Letters, digits, "_" and "-": a feed's name.
[[nodiscard]] Fault check_feed_name(const std::string& text);

}  // namespace tickbridge::config
