#pragma once

#include <string>
#include <vector>

#include "metrics/families.h"

namespace tickbridge::ops {

/// Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
[[nodiscard]] std::string render_exposition(const std::vector<metrics::Family>& families);
inline constexpr const char* kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

/// /api/status as the contract has it, and `last_error` where there was one.
[[nodiscard]] std::string render_status(const metrics::Registry& registry, SteadyTime now);

/// /api/latency: {feed: {stage: [[end of the bucket in ns, messages], ...]}}, the buckets that hold something, so that
/// the difference of two answers is a histogram of what lies between them.
[[nodiscard]] std::string render_latency(const metrics::Registry& registry);

/// The page at "/": the feeds as a plain HTML table, renewed every few seconds by the browser.
[[nodiscard]] std::string render_index(const metrics::Registry& registry, SteadyTime now);

}  // namespace tickbridge::ops
