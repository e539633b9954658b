#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace tickbridge::config {

/// Whether this version can deliver exactly_once and transactional. False: they are known words, and refused.
inline constexpr bool kExactlyOnceAvailable = false;

/// What options contradict each other, one line each: names both with their places and says what to do.
[[nodiscard]] std::vector<std::string> contradictions(const Config& config,
                                                      bool exactly_once_available = kExactlyOnceAvailable);

}  // namespace tickbridge::config
