#include "exchange/zipf.h"

#include <cstddef>

namespace tickbridge::exchange {

Zipf::Zipf(std::uint32_t size) : slots_(size) {
  std::vector<std::uint64_t> shares(size);  // weight * size: a slot is full at `total`
  std::uint64_t total = 0;
  for (std::uint64_t k = 0; k < size; ++k) {
    const std::uint64_t weight = (1U << kFractionBits) / (k + 1);
    total += weight;
    shares[k] = weight * size;
  }
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t k = 0; k < size; ++k) (shares[k] < total ? small : large).push_back(k);
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back();
    const std::uint32_t rich = large.back();
    small.pop_back();
    slots_[poor] = {.threshold = static_cast<std::uint32_t>((shares[poor] << kFractionBits) / total), .alias = rich};
    shares[rich] -= total - shares[poor];
    if (shares[rich] >= total) continue;
    large.pop_back();
    small.push_back(rich);
  }
}

}  // namespace tickbridge::exchange
