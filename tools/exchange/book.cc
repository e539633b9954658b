#include "exchange/book.h"

#include <algorithm>

namespace tickbridge::exchange {

std::size_t Book::pick(std::uint32_t instrument, Random& random) const noexcept {
  constexpr std::uint32_t kYoung = 64;
  const auto size = static_cast<std::uint32_t>(open_[instrument].size());
  const bool any = random.below(16) == 0;
  return size - 1 - random.below(any ? size : std::min(size, kYoung));
}

void Book::reduce(std::uint32_t instrument, std::size_t index, std::uint32_t shares) noexcept {
  Order& order = open_[instrument][index];
  order.shares -= shares;
  if (order.shares == 0) remove(instrument, index);
}

void Book::remove(std::uint32_t instrument, std::size_t index) noexcept {
  std::vector<Order>& orders = open_[instrument];
  orders[index] = orders.back();
  orders.pop_back();
}

}  // namespace tickbridge::exchange
