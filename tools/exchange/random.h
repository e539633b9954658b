#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace tickbridge::exchange {

/// splitmix64's mixing: a well-spread value for any input; used for seeds and for choices that hang on a number alone.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t value) noexcept {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

/// xoshiro256**. The same seed gives the same numbers everywhere, which std's distributions do not promise.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) noexcept {
    for (std::uint64_t i = 0; i < 4; ++i) state_[i] = mix64(seed + i * 0x9E3779B97F4A7C15U);
  }
  constexpr std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  /// 0 .. limit-1. REQUIRES: limit > 0.
  constexpr std::uint32_t below(std::uint32_t limit) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32U) * limit) >> 32U);
  }
  /// 0 .. limit-1 for wide limits. REQUIRES: limit > 0.
  constexpr std::uint64_t below64(std::uint64_t limit) noexcept { return next() % limit; }
  /// low .. high, both included. REQUIRES: low <= high.
  constexpr std::uint32_t between(std::uint32_t low, std::uint32_t high) noexcept {
    return low + below(high - low + 1);
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace tickbridge::exchange
