#pragma once

#include <cstdint>
#include <string_view>

namespace tickbridge::verify {

/// 64 bits of a value; equal values are told by it. Among 50 million different values the chance that any two
/// collide is below one in ten thousand.
[[nodiscard]] std::uint64_t content_hash(std::string_view bytes) noexcept;

/// As Kafka's Java client hashes keys: MurmurHash2, 32 bits, seed 0x9747b28c.
[[nodiscard]] std::uint32_t murmur2(std::string_view bytes) noexcept;

}  // namespace tickbridge::verify
