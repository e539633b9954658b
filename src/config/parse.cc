#include <fmt/format.h>

#include <utility>

#include "config/config.h"
#include "config/document.h"
#include "config/draft.h"
#include "config/rules.h"

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

}  // namespace tickbridge::config
