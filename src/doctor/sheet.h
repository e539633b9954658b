#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doctor/finding.h"

namespace tickbridge::doctor {

/// A section's findings.
struct Section {
  std::string name;
  Findings findings;
};

/// "Kafka" and what was found, a line each, levels aligned. `colour`: for a terminal.
[[nodiscard]] std::string to_text(const Section& section, bool colour);
/// The last line: how many of each, and what the daemon would end with.
[[nodiscard]] std::string summary(const std::vector<Section>& sections, bool colour);
/// All of it for programs (docs/doctor.md).
[[nodiscard]] std::string to_json(const std::vector<Section>& sections, std::string_view version);

/// 0 without a failure, else what the daemon would end with: of several the worst, as with several feeds.
[[nodiscard]] ExitCode worst(const std::vector<Section>& sections);

}  // namespace tickbridge::doctor
