#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace tickbridge::sink {

/// Lets at most `most` lines of a kind pass in `period`. Any thread; not for the hot path.
class RateLimit {
 public:
  RateLimit(std::uint32_t most, std::chrono::milliseconds period) : most_{most}, period_{period} {}

  struct Answer {
    bool pass = false;
    std::uint64_t left_out = 0;  ///< lines of this kind left out since the last that passed
  };
  Answer ask(std::string_view kind, SteadyTime now = SteadyClock::now()) {
    const std::scoped_lock lock{mutex_};
    Kind& entry = kinds_.try_emplace(std::string{kind}, Kind{.since = now}).first->second;
    if (now - entry.since >= period_) entry = {.since = now, .left_out = entry.left_out};
    if (entry.passed >= most_) {
      ++entry.left_out;
      return {};
    }
    ++entry.passed;
    return {.pass = true, .left_out = std::exchange(entry.left_out, 0)};
  }

 private:
  struct Kind {
    SteadyTime since;
    std::uint32_t passed = 0;
    std::uint64_t left_out = 0;
  };
  const std::uint32_t most_;
  const std::chrono::milliseconds period_;
  std::mutex mutex_;  // guards kinds_
  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace tickbridge::sink
