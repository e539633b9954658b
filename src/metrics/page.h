#pragma once

#include <string>

namespace tickbridge::metrics {

/// docs/metrics.md: every metric with its type, labels and meaning, from the same tables that are exposed.
[[nodiscard]] std::string render_metrics_page();

}  // namespace tickbridge::metrics
