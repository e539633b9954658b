#pragma once

#include <string>
#include <vector>

#include "metrics/families.h"

namespace tickbridge::ops {

/// Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
[[nodiscard]] std::string render_exposition(const std::vector<metrics::Family>& families);
inline constexpr const char* kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace tickbridge::ops
