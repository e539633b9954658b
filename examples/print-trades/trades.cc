#include "trades.h"

#include <fmt/format.h>

namespace {

namespace itch50 = tickbridge::itch50;

std::string time_of_day(std::chrono::nanoseconds since_midnight) {
  const auto ns = since_midnight.count();
  const auto seconds = ns / 1'000'000'000;
  return fmt::format("{:02}:{:02}:{:02}.{:09}", seconds / 3600, seconds / 60 % 60, seconds % 60, ns % 1'000'000'000);
}

template <class Message>
std::string trade_line(const Message& message, std::string_view symbol, std::uint64_t shares, std::string_view price,
                       std::string_view kind) {
  return fmt::format("{} {:<8} {:>9} @ {:>11} {} #{}", time_of_day(message.timestamp()), symbol, shares, price, kind,
                     message.match_number());
}

}  // namespace

std::optional<std::string> Trades::line(std::string_view key, std::string_view value) {
  std::optional<std::string> line;
  itch50::visit(
      value,
      itch50::Overloaded{
          [&](const itch50::AddOrder& m) { orders_[m.order_reference_number()] = {m.price(), m.shares()}; },
          [&](const itch50::AddOrderWithMpid& m) { orders_[m.order_reference_number()] = {m.price(), m.shares()}; },
          [&](const itch50::OrderReplace& m) {
            orders_.erase(m.original_order_reference_number());
            orders_[m.new_order_reference_number()] = {m.price(), m.shares()};
          },
          [&](const itch50::OrderCancel& m) { take(m.order_reference_number(), m.cancelled_shares()); },
          [&](const itch50::OrderDelete& m) { orders_.erase(m.order_reference_number()); },
          [&](const itch50::OrderExecuted& m) {
            const auto order = orders_.find(m.order_reference_number());
            const std::string price = order == orders_.end() ? "?" : order->second.price.text();  // joined late
            line = trade_line(m, key, m.executed_shares(), price, "execution");
            take(m.order_reference_number(), m.executed_shares());
          },
          [&](const itch50::OrderExecutedWithPrice& m) {
            line = trade_line(m, key, m.executed_shares(), m.execution_price().text(),
                              m.printable() == 'N' ? "execution in a cross" : "execution");
            take(m.order_reference_number(), m.executed_shares());
          },
          [&](const itch50::Trade& m) { line = trade_line(m, m.stock(), m.shares(), m.price().text(), "trade"); },
          [&](const itch50::CrossTrade& m) {
            if (m.shares() > 0) line = trade_line(m, m.stock(), m.shares(), m.cross_price().text(), "cross");
          },
      });
  return line;
}

void Trades::take(std::uint64_t reference, std::uint32_t shares) {
  const auto order = orders_.find(reference);
  if (order == orders_.end()) return;
  if (shares >= order->second.shares) {
    orders_.erase(order);
  } else {
    order->second.shares -= shares;
  }
}
