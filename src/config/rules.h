#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace tickbridge::config {

/// What options contradict each other, one line each: names both with their places and says what to do.
[[nodiscard]] std::vector<std::string> contradictions(const Config& config);

}  // namespace tickbridge::config
