#include "journal/record_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tickbridge::journal {

std::uint64_t record_hash(std::string_view key, Bytes value) noexcept {
  // The key's hash as the value's seed: a byte that moves from one to the other changes the whole.
  const std::uint64_t seed = key.empty() ? 0 : XXH3_64bits(key.data(), key.size());
  return XXH3_64bits_withSeed(value.data(), value.size(), seed);
}

}  // namespace tickbridge::journal
