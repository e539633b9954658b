#pragma once

#include <chrono>
#include <cstdint>

namespace tickbridge {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

using SteadyClock = std::chrono::steady_clock;
using SteadyTime = SteadyClock::time_point;

/// Wall time, nanoseconds since 1970 UTC.
[[nodiscard]] inline std::int64_t wall_nanoseconds() noexcept {
  return std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace tickbridge
