#include "config/table.h"

#include <algorithm>

namespace tickbridge::config {

const std::vector<Option>& options() {
  static const std::vector<Option> all = [] {
    std::vector<Option> rows = daemon_options();
    const auto first = rows.begin() + 3;  // what stands in no table
    for (auto&& part : {feed_options(), producer_options()}) {
      const bool feed = part.front().is_feed();
      rows.insert(
          feed ? first
               : std::find_if(rows.begin(), rows.end(), [](const Option& o) { return o.path == "topics.create"; }),
          part.begin(), part.end());
    }
    return rows;
  }();
  return all;
}

const Option* find_option(std::string_view path) {
  const auto at = std::find_if(options().begin(), options().end(), [&](const Option& o) { return o.path == path; });
  return at == options().end() ? nullptr : &*at;
}

const Option* find_map(std::string_view path) {
  const auto at = std::find_if(options().begin(), options().end(), [&](const Option& option) {
    return option.kind == Kind::kMap && path.size() > option.path.size() && path.starts_with(option.path) &&
           path[option.path.size()] == '.';
  });
  return at == options().end() ? nullptr : &*at;
}

std::string_view table_of(std::string_view path) {
  if (path.starts_with("producer.")) return path.substr(0, 8);
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view key_of(std::string_view path) {
  const std::string_view table = table_of(path);
  return table.empty() ? path : path.substr(table.size() + 1);
}

std::vector<std::string_view> tables() {
  std::vector<std::string_view> names;
  for (const Option& option : options()) {
    const std::string_view table = table_of(option.path);
    if (std::find(names.begin(), names.end(), table) == names.end()) names.push_back(table);
  }
  return names;
}

}  // namespace tickbridge::config
