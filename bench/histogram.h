#pragma once

#include <fmt/format.h>

#include <string>

#include "metrics/latency.h"

namespace tickbridge::bench {

/// The buckets that hold something, as the daemon's /api/latency has them: [[end in ns, count], ...].
[[nodiscard]] inline std::string json(const metrics::Latency& latency) {
  std::string out;
  latency.for_each([&](std::uint64_t end_ns, std::uint64_t count) {
    out += fmt::format("{}[{}, {}]", out.empty() ? "" : ", ", end_ns, count);
  });
  return "[" + out + "]";
}

}  // namespace tickbridge::bench
