#pragma once

#include <tickbridge/itch50.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

/// Turns records of a data topic into lines about trades. Remembers the orders on the book, since an execution at an
/// order's own price does not repeat that price.
class Trades {
 public:
  /// One line without its end if the record is a trade; nothing if it is another message, or none of ITCH 5.0.
  /// `key` is the record's: the symbol. Records of one key must come in the topic's order.
  [[nodiscard]] std::optional<std::string> line(std::string_view key, std::string_view value);

 private:
  struct Order {
    tickbridge::itch50::Price price;
    std::uint32_t shares = 0;  // still on the book
  };
  void take(std::uint64_t reference, std::uint32_t shares);

  std::unordered_map<std::uint64_t, Order> orders_;  // by order reference number
};
