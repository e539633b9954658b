#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace tickbridge {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

namespace detail {
template <std::unsigned_integral T>
[[nodiscard]] constexpr T swap_bytes(T value) noexcept {
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  return value;
}
}  // namespace detail

/// Reads a little-endian unsigned integer. REQUIRES: offset + sizeof(T) <= bytes.size().
template <std::unsigned_integral T>
[[nodiscard]] inline T load_le(Bytes bytes, std::size_t offset) noexcept {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// Reads a big-endian unsigned integer. REQUIRES: offset + sizeof(T) <= bytes.size().
template <std::unsigned_integral T>
[[nodiscard]] inline T load_be(Bytes bytes, std::size_t offset) noexcept {
  return detail::swap_bytes(load_le<T>(bytes, offset));
}

/// Reads a big-endian 48-bit integer (ITCH timestamps). REQUIRES: offset + 6 <= bytes.size().
[[nodiscard]] inline std::uint64_t load_be48(Bytes bytes, std::size_t offset) noexcept {
  return (static_cast<std::uint64_t>(load_be<std::uint16_t>(bytes, offset)) << 32U) |
         load_be<std::uint32_t>(bytes, offset + 2);
}

/// Writes a big-endian unsigned integer. REQUIRES: offset + sizeof(T) <= bytes.size().
template <std::unsigned_integral T>
inline void store_be(MutableBytes bytes, std::size_t offset, T value) noexcept {
  const T swapped = detail::swap_bytes(value);
  std::memcpy(bytes.data() + offset, &swapped, sizeof(T));
}

[[nodiscard]] inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline Bytes as_bytes(std::string_view text) noexcept { return std::as_bytes(std::span{text}); }

}  // namespace tickbridge
