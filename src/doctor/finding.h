#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/exit_code.h"
#include "base/result.h"

namespace tickbridge::doctor {

enum class Level : std::uint8_t {
  kOk,
  kSkipped,  ///< could not be looked at; text says why
  kWarning,
  kFailure,  ///< the daemon would not start, or end with `code`
};

/// What one check found: a line.
struct Finding {
  Level level = Level::kOk;
  std::string subject;  ///< "topic ticks"
  std::string text;     ///< what, and what to do
  ExitCode code = ExitCode::kOk;
};
using Findings = std::vector<Finding>;

/// The daemon's texts name what they are about; beside the subject once is enough.
[[nodiscard]] inline std::string without_subject(std::string text, const std::string& subject) {
  if (text.starts_with(subject + " ") || text.starts_with(subject + ": "))
    text.erase(0, text.find(' ', subject.size()) + 1);
  return text;
}

[[nodiscard]] inline Finding ok(std::string subject, std::string text) {
  return {Level::kOk, std::move(subject), std::move(text), ExitCode::kOk};
}
[[nodiscard]] inline Finding skipped(std::string subject, std::string text) {
  return {Level::kSkipped, std::move(subject), std::move(text), ExitCode::kOk};
}
[[nodiscard]] inline Finding warning(std::string subject, std::string text) {
  text = without_subject(std::move(text), subject);
  return {Level::kWarning, std::move(subject), std::move(text), ExitCode::kOk};
}
[[nodiscard]] inline Finding failure(std::string subject, ExitCode code, std::string text) {
  text = without_subject(std::move(text), subject);
  return {Level::kFailure, std::move(subject), std::move(text), code};
}
/// The daemon's own words.
[[nodiscard]] inline Finding failure(std::string subject, const Error& problem) {
  return failure(std::move(subject), problem.code, problem.message);
}

}  // namespace tickbridge::doctor
