#include <fmt/format.h>

#include <utility>

#include "config/config.h"
#include "config/document.h"
#include "config/draft.h"
#include "config/rules.h"
#include "config/table.h"

namespace tickbridge::config {
namespace {

constexpr std::size_t kMostProblems = 25;  // told at once

Error as_error(const std::vector<std::string>& problems) {
  std::string text;
  for (std::size_t i = 0; i < problems.size() && i < kMostProblems; ++i) {
    if (i > 0) text += '\n';
    text += problems[i];
  }
  if (problems.size() > kMostProblems) text += fmt::format("\n… and {} more", problems.size() - kMostProblems);
  return error(ExitCode::kConfig, std::move(text));
}

Result<std::vector<Setting>> read_flags(const std::vector<std::string>& assignments) {
  std::vector<Setting> settings;
  for (const std::string& assignment : assignments) {
    auto read = read_assignment(assignment);
    if (!read) return read.error();
    for (Setting& setting : *read) settings.push_back(std::move(setting));
  }
  return settings;
}

/// Both values and whether the option is reloadable, for options that differ.
void compare(const Option& option, Config& before, Feed& old_feed, Config& after, Feed& new_feed,
             std::vector<Difference>& found) {
  const auto was = show(option, option.field(before, old_feed));
  const auto is = show(option, option.field(after, new_feed));
  if (was != is) found.push_back({option.name(new_feed), option.reloadable});
}

void compare_feeds(Config& before, Config& after, std::vector<Difference>& found) {
  if (before.feeds.size() != after.feeds.size()) found.push_back({"feed", false});
  for (std::size_t i = 0; i < before.feeds.size() && i < after.feeds.size(); ++i) {
    if (before.feeds[i].name != after.feeds[i].name) found.push_back({"feed." + after.feeds[i].name, false});
    for (const Option& option : options()) {
      if (option.is_feed()) compare(option, before, before.feeds[i], after, after.feeds[i], found);
    }
  }
}

}  // namespace

Result<Config> parse(std::string_view toml, std::string_view file_name, const Overrides& overrides) {
  const auto file = read_document(toml, file_name);
  if (!file) return file.error();
  const auto flags = read_flags(overrides.set);
  if (!flags) return flags.error();
  Draft draft;
  draft.name_feeds(*file, *flags, overrides);
  draft.take(*file);
  if (const auto addressed = draft.take_address(overrides); !addressed) return addressed.error();
  draft.take(*flags);
  draft.finish();
  if (!draft.problems().empty()) return as_error(draft.problems());
  if (const auto problems = contradictions(draft.config()); !problems.empty()) return as_error(problems);
  return std::move(draft.config());
}

std::vector<Difference> differences(const Config& before, const Config& after) {
  Config old_config = before;
  Config new_config = after;
  Feed nobody;
  std::vector<Difference> found;
  compare_feeds(old_config, new_config, found);
  for (const Option& option : options()) {
    const bool once = !option.is_feed() && option.library.empty();
    if (once && !option.secret) compare(option, old_config, nobody, new_config, nobody, found);
  }
  if (before.producer.properties != after.producer.properties) found.push_back({"producer", false});
  return found;
}

}  // namespace tickbridge::config
