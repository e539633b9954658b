#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tickbridge::ops {

enum class LogFormat : std::uint8_t { kText, kJson };

struct HttpOptions {
  std::string listen = "127.0.0.1:9464";  ///< empty: off; port 0 takes a free one
};

struct LogOptions {
  std::string level = "info";  ///< trace | debug | info | warn | error | critical | off
  LogFormat format = LogFormat::kText;
  std::uint32_t burst = 20;  ///< lines of one event and feed in an interval
  std::chrono::milliseconds interval{10'000};
};

}  // namespace tickbridge::ops
