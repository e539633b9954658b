#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace tickbridge::ops::test {

/// What a text exposition holds, read strictly: each family has one TYPE before its samples, no sample comes twice,
/// counters are not negative, the last line ends.
struct Exposition {
  std::map<std::string, std::string> types;
  std::map<std::string, double> samples;  ///< by name and labels, as written
  std::string problem;                    ///< empty: none
};

namespace detail {

inline std::size_t name_size(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && (std::isalnum(static_cast<unsigned char>(text[size])) != 0 || text[size] == '_')) ++size;
  return size;
}

/// The size of `{a="b",c="d"}`, 0 where that is not there, npos where it is broken.
inline std::size_t labels_size(std::string_view text) {
  if (text.empty() || text[0] != '{') return 0;
  std::size_t at = 1;
  while (true) {
    const std::size_t name = name_size(text.substr(at));
    at += name;
    if (name == 0 || text.substr(at, 2) != "=\"") return std::string_view::npos;
    for (at += 2; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\' && std::string_view{"\\\"n"}.find(text[++at]) == std::string_view::npos) {
        return std::string_view::npos;
      }
    }
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    at += 2;
    if (next == '}') return at;
    if (next != ',') return std::string_view::npos;
  }
}

/// A histogram's samples are its name with an ending.
inline std::string family_of(const Exposition& out, const std::string& name) {
  for (const std::string_view ending : {"_bucket", "_sum", "_count"}) {
    const std::string stem = name.substr(0, name.size() - std::min(ending.size(), name.size()));
    const auto type = out.types.find(stem);
    if (name.ends_with(ending) && type != out.types.end() && type->second == "histogram") return stem;
  }
  return name;
}

inline std::string read_sample(Exposition& out, std::string_view line) {
  const std::string name{line.substr(0, name_size(line))};
  const std::size_t labels = labels_size(line.substr(name.size()));
  const auto type = out.types.find(family_of(out, name));
  if (type == out.types.end() || labels == std::string_view::npos) return "no type, or broken labels";
  const std::size_t end = name.size() + labels;
  if (end >= line.size() || line[end] != ' ') return "no value";
  double value = 0;
  const std::string_view digits = line.substr(end + 1);
  const auto [stop, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (code != std::errc{} || stop != digits.data() + digits.size()) return "broken value";
  if (type->second == "counter" && value < 0) return "negative counter";
  return out.samples.emplace(line.substr(0, end), value).second ? "" : "twice";
}

inline std::string read_comment(Exposition& out, std::string_view line) {
  if (line.substr(0, 7) == "# HELP ") return "";
  if (line.substr(0, 7) != "# TYPE ") return "neither HELP nor TYPE";
  const std::size_t space = line.rfind(' ');
  const std::string_view type = line.substr(space + 1);
  if (type != "counter" && type != "gauge" && type != "histogram") return "unknown type";
  return out.types.emplace(line.substr(7, space - 7), type).second ? "" : "a family twice";
}

}  // namespace detail

[[nodiscard]] inline Exposition parse_exposition(std::string_view text) {
  Exposition out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    out.problem = end == std::string_view::npos ? "cut off"
                  : line.starts_with('#')       ? detail::read_comment(out, line)
                                                : detail::read_sample(out, line);
    if (!out.problem.empty()) {
      out.problem += ": " + std::string{line};
      return out;
    }
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace tickbridge::ops::test
