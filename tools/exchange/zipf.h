#pragma once

#include <cstdint>
#include <vector>

#include "exchange/random.h"

namespace tickbridge::exchange {

/// Draws ranks 0 .. size-1, rank k with weight 1/(k+1), in constant time (Walker's alias table, integers only).
class Zipf {
 public:
  /// REQUIRES: 1 <= size <= 65535.
  explicit Zipf(std::uint32_t size);
  [[nodiscard]] std::uint32_t draw(Random& random) const noexcept {
    const std::uint64_t bits = random.next();
    const auto slot = static_cast<std::uint32_t>(((bits >> 32U) * slots_.size()) >> 32U);
    return (bits & kFractionMask) < slots_[slot].threshold ? slot : slots_[slot].alias;
  }

 private:
  static constexpr std::uint32_t kFractionBits = 24;
  static constexpr std::uint64_t kFractionMask = (1U << kFractionBits) - 1;
  struct Slot {
    std::uint32_t threshold = 1U << kFractionBits;
    std::uint32_t alias = 0;
  };
  std::vector<Slot> slots_;
};

}  // namespace tickbridge::exchange
