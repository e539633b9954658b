#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/options.h"

namespace tickbridge::config {

/// A date as TOML writes it without quotes.
struct Date {
  std::string text;  ///< 2019-12-30
};
/// A table where no table is a value, or an empty one.
struct Table {};

/// What stands behind an option's name, before the option gives it a meaning.
struct Value {
  std::variant<bool, std::int64_t, double, std::string, Date, Table, std::vector<Value>> data;
};

/// "a whole number", "text", …: what the value is, for messages.
[[nodiscard]] std::string_view type_name(const Value& value);
/// The value as TOML writes it.
[[nodiscard]] std::string to_toml(const Value& value);
/// Text as a basic TOML string, quotes included.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// "250ms", "5s", "1m", "2h": a whole number and its unit. "0" needs none. nullopt: not a duration or too long.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// In the largest unit that leaves no rest.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

/// "4096", "64KiB", "64MiB", "1GiB", also kB, MB, GB (1,000s): bytes. nullopt: not a size or over 2^63.
[[nodiscard]] std::optional<std::int64_t> parse_size(std::string_view text);

/// A whole decimal number, all of `text`.
[[nodiscard]] std::optional<std::int64_t> parse_whole(std::string_view text);

/// "host:port", "10.1.1.1:9000", "[::1]:9000".
[[nodiscard]] std::optional<net::Address> parse_address(std::string_view text);
[[nodiscard]] std::string format_address(const net::Address& address);

/// "babe" → two bytes. nullopt: an odd length or another letter.
[[nodiscard]] std::optional<std::string> parse_hex(std::string_view text);
[[nodiscard]] std::string format_hex(std::string_view bytes);

/// Splits at commas; an empty text has no parts.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

}  // namespace tickbridge::config
