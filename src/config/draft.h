#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/document.h"
#include "config/option.h"

namespace tickbridge::config {

/// A configuration in the making: settings come in layers, each of which wins over those before it. What is wrong is
/// collected, so that one run tells all of it.
class Draft {
 public:
  /// Names the feeds: those of the file, or without any those of the flags, or "default".
  void name_feeds(const std::vector<Setting>& file, const std::vector<Setting>& flags, const Overrides& overrides);
  /// Takes a layer over.
  void take(const std::vector<Setting>& layer);
  /// --host and --port are a layer too. Errors: kUsage, if it is unclear which feed is meant.
  [[nodiscard]] Result<void> take_address(const Overrides& overrides);
  /// Fills in what nobody set.
  void finish();

  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  [[nodiscard]] Config& config() { return config_; }

 private:
  struct Source {
    std::string name;
    std::string place;
    int layer = 0;
  };

  void add_feed(const Setting& setting);
  void add_feed(const std::string& name, const std::string& place);
  [[nodiscard]] Feed* find_feed(std::string_view name);
  void take_one(const Setting& setting);
  void take_feed(const Setting& setting);
  void take_named(const Setting& setting, const std::string& path, const std::string& name, Feed& feed);
  void take_option(const Setting& setting, const Option& option, const std::string& name, Feed& feed);
  void take_entry(const Setting& setting, const Option& option, const std::string& name, Feed& feed);
  void take_property(const Setting& setting, const std::string& property);
  void take_unknown(const Setting& setting, const std::string& path, const std::string& name);
  void take_secret_file(const Setting& setting, const std::string& property);
  [[nodiscard]] bool shown_to_all(const Setting& setting, const std::string& property, const std::string& name);
  void replace_other_form(const std::string& property, bool by_file);
  [[nodiscard]] bool claim(const std::string& target, const std::string& name, const Setting& setting);
  [[nodiscard]] std::string unknown_feed(const std::string& name) const;
  void refuse(const Setting& setting, std::string_view name, std::string_view what);

  Config config_;
  Feed nobody_;  ///< stands in for a feed where an option is the daemon's
  std::vector<std::string> problems_;
  std::map<std::string, Source> sources_;  ///< by what is set: an option's name, a library property
  int layer_ = 0;
};

}  // namespace tickbridge::config
