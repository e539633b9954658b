#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace tickbridge::tests {

/// The seed of a random test, printed so that a failure can be run again with TICKBRIDGE_SEED=<seed>.
inline std::uint64_t seed() {
  const char* const given = std::getenv("TICKBRIDGE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "seed " << seed << " (TICKBRIDGE_SEED repeats it)\n";
  return seed;
}

}  // namespace tickbridge::tests
