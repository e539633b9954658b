#pragma once

#include <cstdint>
#include <string_view>

#include <tickbridge/itch50/message.h>

/// Sections 1.5 to 1.8 of TotalView-ITCH 5.0: trades beside the book, and what is told of auctions. Include
/// <tickbridge/itch50.h>.
namespace tickbridge::itch50 {

/// An execution against an order that was not on the visible book.
class Trade : public Message<Trade, 'P', 44> {
  using Message::Message;

 public:
  /// 0 since 2010.
  [[nodiscard]] std::uint64_t order_reference_number() const noexcept { return number_at<std::uint64_t, 11>(); }
  /// Always `B` since 2014: the side is not told.
  [[nodiscard]] char buy_sell_indicator() const noexcept { return code_at<19>(); }
  /// Executed.
  [[nodiscard]] std::uint32_t shares() const noexcept { return number_at<std::uint32_t, 20>(); }
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<24, 8>(); }
  /// The price of the execution.
  [[nodiscard]] Price price() const noexcept { return price_at<32>(); }
  /// The execution's number; a broken trade refers to it.
  [[nodiscard]] std::uint64_t match_number() const noexcept { return number_at<std::uint64_t, 36>(); }
};

/// The result of an auction.
class CrossTrade : public Message<CrossTrade, 'Q', 40> {
  using Message::Message;

 public:
  /// Executed in all; 0: no cross took place.
  [[nodiscard]] std::uint64_t shares() const noexcept { return number_at<std::uint64_t, 11>(); }
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<19, 8>(); }
  /// The price of all its executions.
  [[nodiscard]] Price cross_price() const noexcept { return price_at<27>(); }
  /// The execution's number; a broken trade refers to it.
  [[nodiscard]] std::uint64_t match_number() const noexcept { return number_at<std::uint64_t, 31>(); }
  /// `O` opening, `C` closing, `H` a new listing or after a halt, `I` intraday, `A` extended trading close.
  [[nodiscard]] char cross_type() const noexcept { return code_at<39>(); }
};

/// An execution was declared void. Not undone on the book.
class BrokenTrade : public Message<BrokenTrade, 'B', 19> {
  using Message::Message;

 public:
  /// The execution's number.
  [[nodiscard]] std::uint64_t match_number() const noexcept { return number_at<std::uint64_t, 11>(); }
};

/// Net order imbalance: what an auction would give now.
class Noii : public Message<Noii, 'I', 50> {
  using Message::Message;

 public:
  /// Matched at the reference price.
  [[nodiscard]] std::uint64_t paired_shares() const noexcept { return number_at<std::uint64_t, 11>(); }
  /// Not matched at the reference price.
  [[nodiscard]] std::uint64_t imbalance_shares() const noexcept { return number_at<std::uint64_t, 19>(); }
  /// `B` buy, `S` sell, `N` none, `O` too few orders, `P` paused.
  [[nodiscard]] char imbalance_direction() const noexcept { return code_at<27>(); }
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<28, 8>(); }
  /// Clearing price of the auction's own orders.
  [[nodiscard]] Price far_price() const noexcept { return price_at<36>(); }
  /// Clearing price of these and the continuous book.
  [[nodiscard]] Price near_price() const noexcept { return price_at<40>(); }
  /// The price that the shares above are computed at.
  [[nodiscard]] Price current_reference_price() const noexcept { return price_at<44>(); }
  /// `O` opening, `C` closing, `H` a new listing or after a halt, `A` extended trading close.
  [[nodiscard]] char cross_type() const noexcept { return code_at<48>(); }
  /// Distance of the near price from the reference: `L` less than 1 %, `1` to `9`: that many % (1.00 to 1.99 …),
  /// `A` 10 to 19.99 %, `B` 20 to 29.99 %, `C` 30 % or more, space: not computed.
  [[nodiscard]] char price_variation_indicator() const noexcept { return code_at<49>(); }
};

/// Retail interest that improves the quote.
class RetailPriceImprovement : public Message<RetailPriceImprovement, 'N', 20> {
  using Message::Message;

 public:
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<11, 8>(); }
  /// `B` buy side, `S` sell side, `A` both, `N` none.
  [[nodiscard]] char interest_flag() const noexcept { return code_at<19>(); }
};

/// Direct listing with capital raise: how its price is found.
class DirectListing : public Message<DirectListing, 'O', 48> {
  using Message::Message;

 public:
  /// The symbol, without its padding.
  [[nodiscard]] std::string_view stock() const noexcept { return text_at<11, 8>(); }
  /// `Y` may be released, `N` not.
  [[nodiscard]] char open_eligibility_status() const noexcept { return code_at<19>(); }
  /// The lowest price that it may open at.
  [[nodiscard]] Price minimum_allowable_price() const noexcept { return price_at<20>(); }
  /// The highest price that it may open at.
  [[nodiscard]] Price maximum_allowable_price() const noexcept { return price_at<24>(); }
  /// The price that it would open at now.
  [[nodiscard]] Price near_execution_price() const noexcept { return price_at<28>(); }
  /// When that price was found: a number, as sent.
  [[nodiscard]] std::uint64_t near_execution_time() const noexcept { return number_at<std::uint64_t, 32>(); }
  /// The lowest price of the auction.
  [[nodiscard]] Price lower_price_range_collar() const noexcept { return price_at<40>(); }
  /// The highest price of the auction.
  [[nodiscard]] Price upper_price_range_collar() const noexcept { return price_at<44>(); }
};

}  // namespace tickbridge::itch50
