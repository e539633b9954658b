#include "config/values.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace tickbridge::config {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array<Unit, 4> kDurations{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 8> kSizes{{{"", 1},
                                      {"B", 1},
                                      {"KiB", 1 << 10},
                                      {"MiB", 1 << 20},
                                      {"GiB", 1 << 30},
                                      {"kB", 1'000},
                                      {"MB", 1'000'000},
                                      {"GB", 1'000'000'000}}};

/// A number of units; nullopt if either is unknown or the product does not fit.
template <std::size_t N>
std::optional<std::int64_t> in_units(std::string_view text, const std::array<Unit, N>& units) {
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || number < 0) return std::nullopt;
  std::string_view name{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  while (name.starts_with(' ')) name.remove_prefix(1);
  for (const Unit& unit : units) {
    std::int64_t product = 0;
    if (unit.name == name && !__builtin_mul_overflow(number, unit.factor, &product)) return product;
  }
  return std::nullopt;
}

std::string array_to_toml(const std::vector<Value>& values) {
  std::string text = "[";
  for (const Value& value : values) {
    if (text.size() > 1) text += ", ";
    text += to_toml(value);
  }
  return text + "]";
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_whole(text);
  if (!port || *port < 1 || *port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

bool is_host(std::string_view host, bool bracketed) {
  if (host.empty()) return false;
  constexpr std::string_view kNever = "[]/\\\" \t\r\n,";
  return host.find_first_of(kNever) == std::string_view::npos &&
         (bracketed || host.find(':') == std::string_view::npos);
}

}  // namespace

std::string_view type_name(const Value& value) {
  return std::visit(Overloaded{[](bool) -> std::string_view { return "true or false"; },
                               [](std::int64_t) -> std::string_view { return "a whole number"; },
                               [](double) -> std::string_view { return "a broken number"; },
                               [](const std::string&) -> std::string_view { return "text"; },
                               [](const Date&) -> std::string_view { return "a date"; },
                               [](const Table&) -> std::string_view { return "a table"; },
                               [](const std::vector<Value>&) -> std::string_view { return "a list"; }},
                    value.data);
}

std::string to_toml(const Value& value) {
  return std::visit(
      Overloaded{[](bool v) -> std::string { return v ? "true" : "false"; },
                 [](std::int64_t v) { return std::to_string(v); }, [](double v) { return fmt::format("{}", v); },
                 [](const std::string& v) { return in_quotes(v); }, [](const Date& v) { return v.text; },
                 [](const Table&) -> std::string { return "{}"; },
                 [](const std::vector<Value>& v) { return array_to_toml(v); }},
      value.data);
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      out += fmt::format("\\u{:04x}", code);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds{0};
  const auto count = in_units(text, kDurations);
  if (!count) return std::nullopt;
  return std::chrono::milliseconds{*count};
}

std::string format_duration(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return "0s";
  for (const Unit& unit : kDurations) {
    const bool one = duration.count() == unit.factor && unit.factor > 1'000;  // "60s" says more than "1m"
    if (duration.count() % unit.factor == 0 && !one)
      return fmt::format("{}{}", duration.count() / unit.factor, unit.name);
  }
  return {};
}

std::optional<std::int64_t> parse_size(std::string_view text) { return in_units(text, kSizes); }

std::optional<std::int64_t> parse_whole(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<net::Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!port || !is_host(host, bracketed)) return std::nullopt;
  return net::Address{std::string{host}, *port};
}

std::string format_address(const net::Address& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return brackets ? fmt::format("[{}]:{}", address.host, address.port)
                  : fmt::format("{}:{}", address.host, address.port);
}

std::optional<std::string> parse_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::string format_hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return parts;
}

}  // namespace tickbridge::config
