#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "exchange/random.h"

namespace tickbridge::exchange {

struct Order {
  std::uint64_t reference = 0;
  std::uint32_t shares = 0;  ///< still open
  std::uint32_t price = 0;   ///< 4 decimals
  char side = 'B';
};

/// The orders of all instruments that are open at this moment. What it hands out is always open.
class Book {
 public:
  explicit Book(std::size_t instruments) : open_(instruments) {}

  /// A reference above all before it. All of one instrument are equal modulo 4, as on the real feed.
  [[nodiscard]] std::uint64_t new_reference(std::uint16_t locate) noexcept {
    ++last_reference_;
    last_reference_ += (locate - last_reference_) & 3U;
    return last_reference_;
  }
  void add(std::uint32_t instrument, const Order& order) { open_[instrument].push_back(order); }
  [[nodiscard]] bool empty(std::uint32_t instrument) const noexcept { return open_[instrument].empty(); }
  /// One of the instrument's open orders, mostly a young one. REQUIRES: !empty(instrument).
  [[nodiscard]] std::size_t pick(std::uint32_t instrument, Random& random) const noexcept;
  [[nodiscard]] const Order& order(std::uint32_t instrument, std::size_t index) const noexcept {
    return open_[instrument][index];
  }
  /// Takes shares off an order; one with none left is gone. REQUIRES: 0 < shares <= the order's.
  void reduce(std::uint32_t instrument, std::size_t index, std::uint32_t shares) noexcept;
  void remove(std::uint32_t instrument, std::size_t index) noexcept;

 private:
  std::vector<std::vector<Order>> open_;
  std::uint64_t last_reference_ = 0;
};

}  // namespace tickbridge::exchange
