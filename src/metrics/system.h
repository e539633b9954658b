#pragma once

#include <limits>

#include "metrics/table.h"

namespace tickbridge::metrics {

/// What the system says of this process; not-a-number where it did not say.
struct SystemSample {
#define X(member, exposed, kind, help) double member = std::numeric_limits<double>::quiet_NaN();
  TICKBRIDGE_SYSTEM_METRICS(X)
#undef X
};

/// Reads /proc/self (proc(5)) and the clocks: some tens of microseconds. Any thread.
[[nodiscard]] SystemSample sample_system();

}  // namespace tickbridge::metrics
