#pragma once

#include <string>
#include <string_view>

#include "metrics/registry.h"
#include "ops/pages.h"

namespace tickbridge::ops {

/// /api/status: the contract's names, and more of them for the dashboard.
[[nodiscard]] std::string render_status(const Sources& sources, SteadyTime now);

/// /api/latency: {feed: {stage: [[end of the bucket in ns, messages], ...]}}, the buckets that hold something, so that
/// the difference of two answers is a histogram of what lies between them.
[[nodiscard]] std::string render_latency(const metrics::Registry& registry);

/// /api/partitions: {feed: {"topic", "partitions": [{"partition", "acknowledged", "in_flight", "last_offset"}, ...]}}
/// of `feed`; empty: of all.
[[nodiscard]] std::string render_partitions(const Sources& sources, std::string_view feed);

/// /api/notices: {"total", "notices": [{"time", "level", "text", "feed" where it is about one}, ...]}, oldest first.
[[nodiscard]] std::string render_notices(const Sources& sources);

}  // namespace tickbridge::ops
