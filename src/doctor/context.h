#pragma once

#include <chrono>

#include "base/clock.h"
#include "config/config.h"

namespace tickbridge::doctor {

constexpr std::chrono::milliseconds kPatience{5000};  ///< what one check may wait for one answer

/// What the checks go by. Constant; any thread.
struct Context {
  const config::Invocation& invocation;
  const config::Config& config;  ///< the invocation's
  bool login = false;            ///< --login
};

}  // namespace tickbridge::doctor
