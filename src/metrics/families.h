#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "metrics/registry.h"
#include "metrics/system.h"

namespace tickbridge::metrics {

struct Label {
  std::string name;
  std::string value;
};

struct Sample {
  std::vector<Label> labels;
  double value = 0;                                          ///< exact for counts below 2^53; a histogram's sum
  std::vector<std::pair<double, std::uint64_t>> below = {};  ///< a histogram's: upper bound, samples up to it
  std::uint64_t count = 0;                                   ///< a histogram's
};

/// All samples of one name, as Prometheus groups them.
struct Family {
  std::string name;
  Kind kind = Kind::kGauge;
  std::string help;
  std::vector<Sample> samples;
};

/// Everything that is counted, at this moment, each family once. Relaxed loads only: no counting thread waits.
[[nodiscard]] std::vector<Family> collect(const Registry& registry, const SystemSample& system, SteadyTime now);

}  // namespace tickbridge::metrics
