#include "config/facts.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/secret_name.h"
#include "config/java_names.h"
#include "config/table.h"

namespace tickbridge::config {

Fact Facts::with_place(std::string text, const std::string& name) const {
  const auto at = config_.origins.find(name);
  return {std::move(text), at == config_.origins.end() ? "default" : at->second};
}

Fact Facts::of(const Feed& feed, std::string_view key) {
  const Option* const option = find_option(fmt::format("feed.*.{}", key));
  check(option != nullptr, "a rule names an option that there is");
  Feed copy = feed;
  const std::string name = option->name(feed);
  return with_place(fmt::format("{} = {}", name, show(*option, option->field(config_, copy)).value_or("\"\"")), name);
}

Fact Facts::of(std::string_view path) {
  const Option* const option = find_option(path);
  check(option != nullptr, "a rule names an option that there is");
  const auto value = show(*option, option->field(config_, nobody_));
  return with_place(fmt::format("{} = {}", path, value.value_or(std::string{option->fallback})), std::string{path});
}

Fact Facts::property(std::string_view canonical) {
  for (const auto& [name, place] : config_.origins) {
    constexpr std::string_view kLibrary = "producer.librdkafka.";
    if (name.starts_with(kLibrary) && canonical_property(name.substr(kLibrary.size())) == canonical) {
      return {fmt::format("{} = {}", name, is_secret_name(canonical) ? "***" : value_of(canonical)), place};
    }
  }
  for (const Option& option : options()) {
    if (option.library == canonical) return of(option.path);
  }
  return {std::string{canonical}, "default"};
}

std::string Facts::value_of(std::string_view canonical) const {
  const auto at = config_.producer.properties.find(std::string{canonical});
  return at == config_.producer.properties.end() ? std::string{} : at->second;
}

void Facts::clash(const Fact& a, const Fact& b, std::string_view advice) {
  const Fact& head = a.given() ? a : b;
  const Fact& other = a.given() ? b : a;
  problems_.push_back(
      fmt::format("{}: {} contradicts {} ({}); {}", head.place, head.text, other.text, other.place, advice));
}

void Facts::wrong(const Fact& fact, std::string_view what) {
  problems_.push_back(fmt::format("{}: {} {}", fact.place, fact.text, what));
}

}  // namespace tickbridge::config
