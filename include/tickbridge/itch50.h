#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>

#include <tickbridge/itch50/administration.h>
#include <tickbridge/itch50/message.h>
#include <tickbridge/itch50/orders.h>
#include <tickbridge/itch50/trades.h>

/// Typed, bounded views of Nasdaq TotalView-ITCH 5.0 messages (editions 2015 to 2026; BX and PSX speak the same), as
/// tickbridge writes them into a record's value. C++17, standard library only.
///
///     itch50::visit(record.payload, record.len, itch50::Overloaded{
///         [](const itch50::Trade& trade) { … trade.stock(), trade.price().text() … },
///         [](const itch50::OrderExecuted& execution) { … },
///     });
///
/// or, where one type is looked for: `if (const auto trade = itch50::Trade::from(bytes)) …`.
namespace tickbridge::itch50 {

template <class... Types>
struct TypeList {};

/// All 23, in the order of the specification.
using Messages = TypeList<SystemEvent, StockDirectory, StockTradingAction, RegShoRestriction, MarketParticipantPosition,
                          MwcbDeclineLevel, MwcbStatus, IpoQuotingPeriodUpdate, LuldAuctionCollar, OperationalHalt,
                          AddOrder, AddOrderWithMpid, OrderExecuted, OrderExecutedWithPrice, OrderCancel, OrderDelete,
                          OrderReplace, Trade, CrossTrade, BrokenTrade, Noii, RetailPriceImprovement, DirectListing>;

/// What visit() made of the bytes.
enum class Visited {
  kTaken,        ///< the visitor was called
  kPassedOver,   ///< a message of a type that the visitor cannot be called with
  kUnknownType,  ///< no bytes, or a first byte that is none of the 23: tickbridge passes new types through
  kWrongLength,  ///< a known type with too few or too many bytes: not written by tickbridge, unless it was set to
};

/// Several lambdas as one visitor.
template <class... Lambdas>
struct Overloaded : Lambdas... {
  using Lambdas::operator()...;
};
template <class... Lambdas>
Overloaded(Lambdas...) -> Overloaded<Lambdas...>;

namespace detail {

template <class Type, class Visitor>
Visited offer(std::string_view bytes, Visitor& visitor) {
  const auto message = Type::from(bytes);
  if (!message) return Visited::kWrongLength;
  if constexpr (std::is_invocable_v<Visitor&, const Type&>) {
    visitor(*message);
    return Visited::kTaken;
  } else {
    return Visited::kPassedOver;
  }
}

template <class... Types, class Visitor>
Visited visit(TypeList<Types...>, std::string_view bytes, Visitor& visitor) {
  auto visited = Visited::kUnknownType;
  (void)((bytes.front() == Types::kType && (visited = offer<Types>(bytes, visitor), true)) || ...);
  return visited;
}

}  // namespace detail

/// Calls `visitor` with the view of the message in `bytes`, if it can be called with that type. Throws only what the
/// visitor throws.
template <class Visitor>
Visited visit(std::string_view bytes, Visitor&& visitor) {
  if (bytes.empty()) return Visited::kUnknownType;
  return detail::visit(Messages{}, bytes, visitor);
}
template <class Visitor>
Visited visit(const void* data, std::size_t size, Visitor&& visitor) {
  return visit(std::string_view(static_cast<const char*>(data), size), visitor);
}

}  // namespace tickbridge::itch50
