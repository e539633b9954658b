#pragma once

#include <string>

#include "exchange/options.h"

namespace tickbridge::exchange {

/// What the command line came to.
struct Arguments {
  bool run = false;  ///< false: `text` is all there is to say, and `exit_code` to return
  int exit_code = 0;
  std::string text;
  Options options;
};

/// Reads and checks the command line.
[[nodiscard]] Arguments parse_arguments(int count, const char* const* words);

}  // namespace tickbridge::exchange
