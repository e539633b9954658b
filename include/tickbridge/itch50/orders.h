#pragma once

#include <cstdint>
#include <string_view>

#include <tickbridge/itch50/message.h>

/// Sections 1.3 and 1.4 of TotalView-ITCH 5.0: orders on the book, and what becomes of them. Include
/// <tickbridge/itch50.h>.
namespace tickbridge::itch50 {

/// A new order on the book.
class AddOrder : public Message<AddOrder, 'A', 36> {
  using Message::Message;

 public:
  /// The order's number, unique for the day.
  [[nodiscard]] std::uint64_t order_reference_number() const noexcept { return number_at<std::uint64_t, 11>(); }
  /// `B` buy, `S` sell.
  [[nodiscard]] char buy_sell_indicator() const noexcept { return code_at<19>(); }
  /// On the book.
  [[nodiscard]] std::uint32_t shares() const noexcept { return number_at<std::uint32_t, 20>(); }
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<24, 8>(); }
  /// The limit.
  [[nodiscard]] Price price() const noexcept { return price_at<32>(); }
};

/// A new order on the book, with the participant's name.
class AddOrderWithMpid : public Message<AddOrderWithMpid, 'F', 40> {
  using Message::Message;

 public:
  /// The order's number, unique for the day.
  [[nodiscard]] std::uint64_t order_reference_number() const noexcept { return number_at<std::uint64_t, 11>(); }
  /// `B` buy, `S` sell.
  [[nodiscard]] char buy_sell_indicator() const noexcept { return code_at<19>(); }
  /// On the book.
  [[nodiscard]] std::uint32_t shares() const noexcept { return number_at<std::uint32_t, 20>(); }
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<24, 8>(); }
  /// The limit.
  [[nodiscard]] Price price() const noexcept { return price_at<32>(); }
  /// The participant.
  [[nodiscard]] std::string_view attribution() const noexcept { return text_at<36, 4>(); }
};

/// An order was executed at its own price, in whole or in part.
class OrderExecuted : public Message<OrderExecuted, 'E', 31> {
  using Message::Message;

 public:
  /// The order.
  [[nodiscard]] std::uint64_t order_reference_number() const noexcept { return number_at<std::uint64_t, 11>(); }
  /// Taken from the book.
  [[nodiscard]] std::uint32_t executed_shares() const noexcept { return number_at<std::uint32_t, 19>(); }
  /// The execution's number; a broken trade refers to it.
  [[nodiscard]] std::uint64_t match_number() const noexcept { return number_at<std::uint64_t, 23>(); }
};

/// An order was executed at another price than its own.
class OrderExecutedWithPrice : public Message<OrderExecutedWithPrice, 'C', 36> {
  using Message::Message;

 public:
  /// The order.
  [[nodiscard]] std::uint64_t order_reference_number() const noexcept { return number_at<std::uint64_t, 11>(); }
  /// Taken from the book.
  [[nodiscard]] std::uint32_t executed_shares() const noexcept { return number_at<std::uint32_t, 19>(); }
  /// The execution's number; a broken trade refers to it.
  [[nodiscard]] std::uint64_t match_number() const noexcept { return number_at<std::uint64_t, 23>(); }
  /// `N`: part of a cross, which is reported as a whole; not to be counted as volume again. `Y` else.
  [[nodiscard]] char printable() const noexcept { return code_at<31>(); }
  /// The price of the execution.
  [[nodiscard]] Price execution_price() const noexcept { return price_at<32>(); }
};

/// A part of an order was taken from the book.
class OrderCancel : public Message<OrderCancel, 'X', 23> {
  using Message::Message;

 public:
  /// The order.
  [[nodiscard]] std::uint64_t order_reference_number() const noexcept { return number_at<std::uint64_t, 11>(); }
  /// Taken from the book; the rest stays.
  [[nodiscard]] std::uint32_t cancelled_shares() const noexcept { return number_at<std::uint32_t, 19>(); }
};

/// What was left of an order was taken from the book.
class OrderDelete : public Message<OrderDelete, 'D', 19> {
  using Message::Message;

 public:
  /// The order.
  [[nodiscard]] std::uint64_t order_reference_number() const noexcept { return number_at<std::uint64_t, 11>(); }
};

/// An order was replaced by another one. Side, stock and attribution stay as they were.
class OrderReplace : public Message<OrderReplace, 'U', 35> {
  using Message::Message;

 public:
  /// The order that is gone.
  [[nodiscard]] std::uint64_t original_order_reference_number() const noexcept {
    return number_at<std::uint64_t, 11>();
  }
  /// The order in its place.
  [[nodiscard]] std::uint64_t new_order_reference_number() const noexcept { return number_at<std::uint64_t, 19>(); }
  /// Of the new order, on the book.
  [[nodiscard]] std::uint32_t shares() const noexcept { return number_at<std::uint32_t, 27>(); }
  /// The new order's limit.
  [[nodiscard]] Price price() const noexcept { return price_at<31>(); }
};

}  // namespace tickbridge::itch50
