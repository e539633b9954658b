#include "config/document.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

namespace tickbridge::config {
namespace {

/// A setting and where it stands, to sort by.
struct Found {
  toml::source_position at;
  Setting setting;
};

template <class T>
std::string as_text(const T& date) {
  std::ostringstream out;
  out << date;
  return out.str();
}

Value scalar(const toml::node& node) {
  if (const auto* v = node.as_boolean()) return {v->get()};
  if (const auto* v = node.as_integer()) return {v->get()};
  if (const auto* v = node.as_floating_point()) return {v->get()};
  if (const auto* v = node.as_string()) return {v->get()};
  if (const auto* v = node.as_date()) return {Date{as_text(v->get())}};
  if (const auto* v = node.as_time()) return {Date{as_text(v->get())}};
  if (const auto* v = node.as_date_time()) return {Date{as_text(v->get())}};
  return {Table{}};
}

Value to_value(const toml::node& node) {
  const toml::array* const array = node.as_array();
  if (array == nullptr) return scalar(node);
  std::vector<Value> values;
  for (const toml::node& element : *array) values.push_back(to_value(element));
  return {std::move(values)};
}

/// Walks a table and its tables; what is not a non-empty table is a setting.
class Walk {
 public:
  explicit Walk(std::string_view file_name) : file_name_{file_name} {}

  void table(const toml::table& table) {
    for (const auto& [key, node] : table) {
      keys_.emplace_back(key.str());
      const toml::table* const inner = node.as_table();
      if (inner != nullptr && !inner->empty()) {
        this->table(*inner);
      } else {
        add(key.source().begin, node);
      }
      keys_.pop_back();
    }
  }

  std::vector<Setting> in_order() && {
    std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
      return std::pair{a.at.line, a.at.column} < std::pair{b.at.line, b.at.column};
    });
    std::vector<Setting> settings;
    for (Found& found : found_) settings.push_back(std::move(found.setting));
    return settings;
  }

 private:
  void add(toml::source_position at, const toml::node& node) {
    found_.push_back({at, {keys_, to_value(node), fmt::format("{}:{}", file_name_, at.line)}});
  }

  std::string_view file_name_;
  std::vector<std::string> keys_;
  std::vector<Found> found_;
};

std::vector<std::string> split(std::string_view name) {
  std::vector<std::string> keys;
  for (; name.find('.') != std::string_view::npos; name.remove_prefix(name.find('.') + 1)) {
    keys.emplace_back(name.substr(0, name.find('.')));
  }
  keys.emplace_back(name);
  return keys;
}

/// `v = <text>`, if that is TOML and one value.
std::optional<toml::table> typed_value(std::string_view text) {
  try {
    toml::table table = toml::parse(fmt::format("v = {}", text));
    if (table.size() == 1) return table;
  } catch (const toml::parse_error&) {  // plain text, as a shell gives it
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// A flag's table: each of its settings below the flag's name.
std::vector<Setting> under(const std::vector<std::string>& name, const toml::table& table, const std::string& place) {
  Walk walk{""};
  walk.table(table);
  std::vector<Setting> settings = std::move(walk).in_order();
  for (Setting& setting : settings) {
    setting.keys.insert(setting.keys.begin(), name.begin(), name.end());
    setting.place = place;
    setting.is_flag = true;
  }
  return settings;
}

}  // namespace

Result<std::vector<Setting>> read_document(std::string_view toml, std::string_view file_name) {
  try {
    const toml::table table = toml::parse(toml, file_name);
    Walk walk{file_name};
    walk.table(table);
    return std::move(walk).in_order();
  } catch (const toml::parse_error& problem) {
    return error(ExitCode::kConfig, fmt::format("{}:{}: this is not TOML: {}; correct the line (toml.io explains it)",
                                                file_name, problem.source().begin.line, problem.description()));
  }
}

Result<std::vector<Setting>> read_assignment(std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  const std::string_view name = trimmed(assignment.substr(0, equals));
  if (equals == std::string_view::npos || name.empty()) {
    return error(ExitCode::kUsage, fmt::format("--set {}: needs KEY=VALUE, such as --set producer.linger.ms=5", name));
  }
  const std::string_view raw = trimmed(assignment.substr(equals + 1));
  const std::string place = fmt::format("--set {}", name);
  const auto typed = typed_value(raw);
  const toml::table* const inner = typed ? typed->get("v")->as_table() : nullptr;
  if (inner != nullptr && !inner->empty()) return under(split(name), *inner, place);
  Value value = typed ? to_value(*typed->get("v")) : Value{std::string{raw}};
  return std::vector{Setting{split(name), std::move(value), place, std::string{raw}, true}};
}

std::string join(const std::vector<std::string>& keys, std::size_t from) {
  std::string name;
  for (std::size_t i = from; i < keys.size(); ++i) {
    if (i > from) name += '.';
    name += keys[i];
  }
  return name;
}

}  // namespace tickbridge::config
