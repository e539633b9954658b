#pragma once

#include <cstddef>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace tickbridge::ring {

/// Memory of a fixed size that stands twice in a row in the address space, so that any range of up to
/// its size is contiguous wherever it begins.
class Mapping {
 public:
  /// Rounds `bytes` up to a power of two of at least one page. Errors: kInternal with errno's words.
  [[nodiscard]] static Result<Mapping> create(std::size_t bytes);

  Mapping(Mapping&& other) noexcept : base_{std::exchange(other.base_, nullptr)}, size_{other.size_} {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Mapping();

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// The byte at a position that only ever grows.
  [[nodiscard]] std::byte* at(std::uint64_t position) const noexcept { return base_ + (position & (size_ - 1)); }

 private:
  Mapping(std::byte* base, std::size_t size) noexcept : base_{base}, size_{size} {}
  std::byte* base_;
  std::size_t size_;
};

}  // namespace tickbridge::ring
