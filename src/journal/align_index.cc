#include "journal/align_index.h"

#include <bit>

#include "journal/align.h"

namespace tickbridge::journal {

SuffixIndex::SuffixIndex(std::span<const Found> found)
    : found_{found},
      mask_{std::bit_ceil(2 * found.size() + 1) - 1},
      slots_(mask_ + 1, kNone),
      next_(found.size(), kNone) {
  for (std::size_t i = found.size(); i-- > 0;) {  // backwards: the slot holds the first one in the end
    std::uint32_t& head = slots_[slot(found[i].hash)];
    next_[i] = head;
    head = static_cast<std::uint32_t>(i);
  }
}

std::size_t SuffixIndex::slot(std::uint64_t hash) const noexcept {
  std::size_t at = hash & mask_;
  while (slots_[at] != kNone && found_[slots_[at]].hash != hash) at = (at + 1) & mask_;
  return at;
}

std::uint32_t SuffixIndex::first(std::uint64_t hash) const noexcept { return slots_[slot(hash)]; }

std::uint32_t SuffixIndex::first_from(std::uint64_t hash, std::size_t from) const noexcept {
  std::uint32_t at = first(hash);
  while (at != kNone && at < from) at = next_[at];
  return at;
}

}  // namespace tickbridge::journal
