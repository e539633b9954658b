// Values into fields, one function for each kind of field.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/nearest.h"
#include "config/option.h"

namespace tickbridge::config {
namespace {

Fault wrong_type(const Value& value) { return fmt::format("is {}", type_name(value)); }

Fault outside(const Option& option, std::int64_t number) {
  if (number < option.min) return "is too small";
  if (number > option.max) return "is too large";
  return std::nullopt;
}

Fault not_a_word(const Option& option, std::string_view word) {
  const std::string_view near = nearest(word, option.words);
  return fmt::format("is not one of its words; did you mean {}", in_quotes(near));
}

/// The word's place in the option's words.
std::optional<std::size_t> find_word(const Option& option, std::string_view word) {
  const auto at = std::find(option.words.begin(), option.words.end(), word);
  if (at == option.words.end()) return std::nullopt;
  return static_cast<std::size_t>(at - option.words.begin());
}

/// A number from a number, or from the texts that the kind allows.
std::optional<std::int64_t> number_of(const Option& option, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.data); number != nullptr) {
    if (option.kind == Kind::kDuration && *number != 0) return std::nullopt;  // a unit says what is meant
    return *number;
  }
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr) return std::nullopt;
  if (option.kind == Kind::kSize) return parse_size(*text);
  if (option.kind != Kind::kDuration && option.kind != Kind::kMilliseconds) return std::nullopt;
  const auto duration = parse_duration(*text);
  return duration ? std::optional{duration->count()} : std::nullopt;
}

/// Reads a number within the option's limits into `number`.
Fault read_number(const Option& option, const Value& value, std::int64_t& number) {
  const auto read = number_of(option, value);
  if (!read) {
    const bool unclear = std::holds_alternative<std::string>(value.data) && option.kind != Kind::kWhole;
    return unclear ? Fault{"cannot be read"} : wrong_type(value);
  }
  number = *read;
  if (!option.words.empty() && !find_word(option, std::to_string(number))) return "is not one of its values";
  return outside(option, number);
}

std::optional<std::string> text_of(const Option& option, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value.data)) return *text;
  if (!option.numbers) return std::nullopt;
  if (const auto* date = std::get_if<Date>(&value.data)) return date->text;
  if (const auto* number = std::get_if<std::int64_t>(&value.data)) return std::to_string(*number);
  return std::nullopt;
}

Fault check_text(const Option& option, const std::string& text) {
  if (option.kind == Kind::kWord && !find_word(option, text)) return not_a_word(option, text);
  if (option.kind == Kind::kWord) return std::nullopt;
  const auto size = static_cast<std::int64_t>(text.size());
  if (size < option.min) return text.empty() ? "is empty" : "is too short";
  if (size > option.max) return "is too long";
  return option.check != nullptr ? option.check(text) : std::nullopt;
}

Fault set(const Option& option, Word field, const Value& value) {
  const auto* word = std::get_if<std::string>(&value.data);
  if (word == nullptr) return wrong_type(value);
  const auto index = find_word(option, *word);
  if (!index) return not_a_word(option, *word);
  *field.index = static_cast<std::uint8_t>(*index);
  return std::nullopt;
}

Fault set(const Option&, bool* field, const Value& value) {
  const auto* on = std::get_if<bool>(&value.data);
  if (on == nullptr) return wrong_type(value);
  *field = *on;
  return std::nullopt;
}

Fault set(const Option& option, std::string* field, const Value& value) {
  auto text = text_of(option, value);
  if (!text) return wrong_type(value);
  if (option.kind == Kind::kHex) {
    text = parse_hex(*text);
    if (!text) return "is not hexadecimal";
  }
  if (Fault fault = check_text(option, *text)) return fault;
  *field = std::move(*text);
  return std::nullopt;
}

/// std::int32_t, std::uint32_t, std::size_t: the option's limits lie within the type's.
template <class Number>
Fault set(const Option& option, Number* field, const Value& value) {
  std::int64_t number = 0;
  if (Fault fault = read_number(option, value, number)) return fault;
  *field = static_cast<Number>(number);
  return std::nullopt;
}

Fault set(const Option& option, std::chrono::milliseconds* field, const Value& value) {
  std::int64_t number = 0;
  if (Fault fault = read_number(option, value, number)) return fault;
  *field = std::chrono::milliseconds{number};
  return std::nullopt;
}

/// A whole map: only the empty one comes here, the others as entries.
template <class Mapped>
Fault set(const Option&, std::map<std::string, Mapped>* field, const Value& value) {
  if (!std::holds_alternative<Table>(value.data)) return wrong_type(value);
  field->clear();
  return std::nullopt;
}

/// The texts of a list, or of one text with commas as a flag gives it.
std::optional<std::vector<std::string>> texts_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value.data)) return split_list(*text);
  const auto* list = std::get_if<std::vector<Value>>(&value.data);
  if (list == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  for (const Value& element : *list) {
    const auto* text = std::get_if<std::string>(&element.data);
    if (text == nullptr) return std::nullopt;
    texts.push_back(*text);
  }
  return texts;
}

Fault set(const Option& option, std::vector<sink::Header>* field, const Value& value) {
  const auto words = texts_of(value);
  if (!words) return wrong_type(value);
  std::vector<sink::Header> headers;
  for (const std::string& word : *words) {
    const auto index = find_word(option, word);
    if (!index) return fmt::format("has {}, which {}", in_quotes(word), *not_a_word(option, word));
    headers.push_back(static_cast<sink::Header>(*index));
    if (std::count(headers.begin(), headers.end(), headers.back()) > 1)
      return fmt::format("has {} twice", in_quotes(word));
  }
  *field = std::move(headers);
  return std::nullopt;
}

Fault set(const Option&, std::vector<net::Address>* field, const Value& value) {
  const auto texts = texts_of(value);
  if (!texts) return wrong_type(value);
  std::vector<net::Address> addresses;
  for (const std::string& text : *texts) {
    auto address = parse_address(text);
    if (!address) return fmt::format("has {}, which is not an address", in_quotes(text));
    addresses.push_back(std::move(*address));
  }
  if (addresses.empty()) return "is empty";
  *field = std::move(addresses);
  return std::nullopt;
}

/// The only address; a second one makes it unclear which is meant.
Fault only(std::vector<net::Address>& addresses) {
  if (addresses.size() > 1)
    return fmt::format("would replace one of {} addresses; set hosts instead", addresses.size());
  addresses.resize(1);
  return std::nullopt;
}

Fault set(const Option& option, HostOf field, const Value& value) {
  const auto* host = std::get_if<std::string>(&value.data);
  if (host == nullptr) return wrong_type(value);
  if (Fault fault = check_text(option, *host)) return fault;
  if (Fault fault = only(*field.addresses)) return fault;
  const bool bracketed = host->starts_with('[') && host->ends_with(']');
  field.addresses->front().host = bracketed ? host->substr(1, host->size() - 2) : *host;
  return std::nullopt;
}

Fault set(const Option& option, PortOf field, const Value& value) {
  std::int64_t port = 0;
  if (Fault fault = read_number(option, value, port)) return fault;
  if (Fault fault = only(*field.addresses)) return fault;
  field.addresses->front().port = static_cast<std::uint16_t>(port);
  return std::nullopt;
}

Fault set(const Option& option, Property field, const Value& value) {
  std::string text;
  if (option.kind == Kind::kSwitch) {
    bool on = false;
    if (Fault fault = set(option, &on, value)) return fault;
    text = on ? "true" : "false";
  } else if (option.kind == Kind::kText || option.kind == Kind::kWord) {
    if (Fault fault = set(option, &text, value)) return fault;
  } else {
    std::int64_t number = 0;
    if (Fault fault = read_number(option, value, number)) return fault;
    text = std::to_string(number);
  }
  if (option.translate != nullptr) text = option.translate(text);
  if (text.empty()) {  // as if it were not there: the library would take "" for a certificate
    field.properties->erase(std::string{option.library});
    return std::nullopt;
  }
  (*field.properties)[std::string{option.library}] = std::move(text);
  return std::nullopt;
}

Fault set_entry(const Option& option, std::map<std::string, std::int32_t>* field, const std::string& name,
                const Value& value) {
  std::int64_t number = 0;
  if (Fault fault = read_number(option, value, number)) return fault;
  (*field)[name] = static_cast<std::int32_t>(number);
  return std::nullopt;
}

Fault set_entry(const Option&, std::map<std::string, std::string>* field, const std::string& name, const Value& value) {
  const auto* text = std::get_if<std::string>(&value.data);
  const bool scalar = std::holds_alternative<bool>(value.data) || std::holds_alternative<std::int64_t>(value.data) ||
                      std::holds_alternative<double>(value.data);
  if (text == nullptr && !scalar) return wrong_type(value);
  (*field)[name] = text != nullptr ? *text : to_toml(value);
  return std::nullopt;
}

}  // namespace

Fault assign(const Option& option, const Field& field, const Value& value) {
  return std::visit([&](const auto& target) { return set(option, target, value); }, field);
}

Fault assign_entry(const Option& option, const Field& field, const std::string& name, const Value& value) {
  if (option.check != nullptr) {
    if (Fault fault = option.check(name)) return fault;
  }
  if (const auto* numbers = std::get_if<std::map<std::string, std::int32_t>*>(&field)) {
    return set_entry(option, *numbers, name, value);
  }
  if (const auto* texts = std::get_if<std::map<std::string, std::string>*>(&field)) {
    return set_entry(option, *texts, name, value);
  }
  return "is no table";
}

}  // namespace tickbridge::config
