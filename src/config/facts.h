#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace tickbridge::config {

/// One option with its value and its place, for messages.
struct Fact {
  std::string text;   ///< feed.nasdaq.delivery = "exactly_once"
  std::string place;  ///< "file:line", a flag, or "default"
  [[nodiscard]] bool given() const { return place != "default"; }
};

/// A configuration's options by name, and the list of what is wrong among them.
class Facts {
 public:
  explicit Facts(const Config& config) : config_{config} {}

  [[nodiscard]] const Config& config() const { return config_; }
  /// "key" of [feed.NAME].
  [[nodiscard]] Fact of(const Feed& feed, std::string_view key);
  /// The daemon's option, or a table's.
  [[nodiscard]] Fact of(std::string_view path);
  /// A library property by whichever name it was set; not given: with its default.
  [[nodiscard]] Fact property(std::string_view canonical);
  /// The property's value; empty: not set.
  [[nodiscard]] std::string value_of(std::string_view canonical) const;

  /// Notes that two options contradict each other.
  void clash(const Fact& a, const Fact& b, std::string_view advice);
  /// Notes what is wrong with one.
  void wrong(const Fact& fact, std::string_view what);

  [[nodiscard]] std::vector<std::string> problems() && { return std::move(problems_); }

 private:
  [[nodiscard]] Fact with_place(std::string text, const std::string& name) const;

  Config config_;  // a copy: fields are reached through references that could write
  Feed nobody_;
  std::vector<std::string> problems_;
};

}  // namespace tickbridge::config
