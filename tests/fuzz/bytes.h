#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "base/bytes.h"

/// Every fuzzer defines this; libFuzzer or replay.cc calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tickbridge::fuzz {

/// Takes numbers and runs of bytes from the front of a fuzzer's input; zeros and nothing when it is used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) noexcept : rest_{reinterpret_cast<const std::byte*>(data), size} {}

  [[nodiscard]] std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(rest_[0]);
    rest_ = rest_.subspan(1);
    return value;
  }
  [[nodiscard]] Bytes take(std::size_t n) noexcept {
    const Bytes bytes = rest_.first(std::min(n, rest_.size()));
    rest_ = rest_.subspan(bytes.size());
    return bytes;
  }
  [[nodiscard]] Bytes rest() const noexcept { return rest_; }

 private:
  Bytes rest_;
};

/// What must hold for any input. Ends the process, in release builds too.
inline void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

}  // namespace tickbridge::fuzz
