// Fields into text: a value as TOML, and what an option takes in words.
#include <fmt/format.h>

#include "config/option.h"

namespace tickbridge::config {
namespace {

constexpr std::string_view kHidden = "\"***\"";

std::string list(const std::vector<std::string>& items, char open, char close) {
  if (items.empty()) return {open, close};
  return fmt::format("{}{}{}", open, fmt::join(items, ", "), close);
}

bool is_number(Kind kind) {
  return kind == Kind::kWhole || kind == Kind::kSize || kind == Kind::kMilliseconds || kind == Kind::kDuration;
}

/// Builds the TOML of each kind of field.
struct Shown {
  const Option& option;

  std::string operator()(Word field) const { return in_quotes(option.words[*field.index]); }
  std::string operator()(const bool* field) const { return *field ? "true" : "false"; }
  std::string operator()(const std::string* field) const {
    if (option.secret && !field->empty()) return std::string{kHidden};
    return in_quotes(option.kind == Kind::kHex ? format_hex(*field) : *field);
  }
  template <class Number>
  std::string operator()(const Number* field) const {
    return std::to_string(*field);
  }
  std::string operator()(const std::chrono::milliseconds* field) const {
    return option.kind == Kind::kMilliseconds ? std::to_string(field->count()) : in_quotes(format_duration(*field));
  }
  std::string operator()(const std::map<std::string, std::int32_t>* field) const {
    std::vector<std::string> items;
    for (const auto& [name, number] : *field) items.push_back(fmt::format("{} = {}", in_quotes(name), number));
    return list(items, '{', '}');
  }
  std::string operator()(const std::map<std::string, std::string>* field) const {
    std::vector<std::string> items;
    for (const auto& [name, text] : *field) items.push_back(fmt::format("{} = {}", in_quotes(name), in_quotes(text)));
    return list(items, '{', '}');
  }
  std::string operator()(const std::vector<sink::Header>* field) const {
    std::vector<std::string> items;
    for (const sink::Header header : *field) items.push_back(in_quotes(option.words[static_cast<std::size_t>(header)]));
    return list(items, '[', ']');
  }
  std::string operator()(const std::vector<net::Address>* field) const {
    std::vector<std::string> items;
    for (const net::Address& address : *field) items.push_back(in_quotes(format_address(address)));
    return list(items, '[', ']');
  }
};

std::string limit(Kind kind, std::int64_t number) {
  return kind == Kind::kDuration ? in_quotes(format_duration(std::chrono::milliseconds{number}))
                                 : std::to_string(number);
}

std::string unit(Kind kind) {
  if (kind == Kind::kSize) return " bytes, or a size such as \"64MiB\"";
  if (kind == Kind::kMilliseconds) return " ms";
  return {};
}

}  // namespace

std::string Option::name(const Feed& feed) const {
  return is_feed() ? fmt::format("feed.{}.{}", feed.name, path.substr(7)) : std::string{path};
}

std::optional<std::string> show(const Option& option, const Field& field) {
  if (const auto* host = std::get_if<HostOf>(&field)) {
    return host->addresses->empty() ? std::nullopt : std::optional{in_quotes(host->addresses->front().host)};
  }
  if (const auto* port = std::get_if<PortOf>(&field)) {
    return port->addresses->empty() ? std::nullopt : std::optional{std::to_string(port->addresses->front().port)};
  }
  if (const auto* property = std::get_if<Property>(&field)) {
    const auto at = property->properties->find(std::string{option.library});
    if (at == property->properties->end()) return std::nullopt;
    if (option.secret) return std::string{kHidden};
    return is_number(option.kind) || option.kind == Kind::kSwitch ? at->second : in_quotes(at->second);
  }
  return std::visit(
      [&](const auto& target) -> std::string {
        if constexpr (std::is_invocable_v<Shown, decltype(target)>) return Shown{option}(target);
        return {};
      },
      field);
}

std::string allowed(const Option& option) {
  if (!option.allowed.empty()) return std::string{option.allowed};
  if (!option.words.empty()) {
    std::vector<std::string> words;
    for (const std::string_view word : option.words) {
      words.push_back(is_number(option.kind) ? std::string{word} : in_quotes(word));
    }
    return fmt::format("{}{}", option.kind == Kind::kWords ? "a list of " : "", fmt::join(words, ", "));
  }
  if (is_number(option.kind)) {
    return fmt::format("{} to {}{}", limit(option.kind, option.min), limit(option.kind, option.max), unit(option.kind));
  }
  if (option.kind == Kind::kSwitch) return "true, false";
  return option.max < 100'000 ? fmt::format("text of {} to {} letters", option.min, option.max) : "text";
}

}  // namespace tickbridge::config
