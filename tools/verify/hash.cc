#include "hash.h"

#include <cstddef>
#include <cstring>

namespace tickbridge::verify {
namespace {

std::uint64_t up_to_8(const char* from, std::size_t count) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, from, count);
  return word;
}

std::uint64_t stir(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
  return hash ^ (hash >> 32U);
}

}  // namespace

std::uint64_t content_hash(std::string_view bytes) noexcept {
  std::uint64_t hash = 0x2545f4914f6cdd1dU ^ bytes.size();
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) hash = stir(hash, up_to_8(at, 8));
  // A tail behind whole words: the last 8 bytes, some of them a second time, is one plain load.
  if (left > 0) hash = stir(hash, bytes.size() > 8 ? up_to_8(at + left - 8, 8) : up_to_8(at, left));
  return stir(hash, hash >> 29U);
}

std::uint32_t murmur2(std::string_view bytes) noexcept {
  constexpr std::uint32_t kM = 0x5bd1e995;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t whole = bytes.size() & ~std::size_t{3};
  std::uint32_t h = 0x9747b28cU ^ static_cast<std::uint32_t>(bytes.size());
  for (std::size_t i = 0; i < whole; i += 4) {
    std::uint32_t k = byte(i) | byte(i + 1) << 8U | byte(i + 2) << 16U | byte(i + 3) << 24U;
    k *= kM;
    k ^= k >> 24U;
    h = (h * kM) ^ (k * kM);
  }
  for (std::size_t i = bytes.size(); i-- > whole;) h ^= byte(i) << (8U * (i - whole));
  if (whole < bytes.size()) h *= kM;
  h ^= h >> 13U;
  h *= kM;
  return h ^ (h >> 15U);
}

}  // namespace tickbridge::verify
