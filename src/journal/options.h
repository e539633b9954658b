#pragma once

#include <chrono>
#include <string>

namespace tickbridge::journal {

struct Options {
  std::string topic = "tickbridge.checkpoints";
  std::chrono::milliseconds interval{500};
  std::chrono::milliseconds settle{1'000};
};

}  // namespace tickbridge::journal
