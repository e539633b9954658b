#include "exchange/order_flow.h"

#include <array>
#include <numeric>
#include <utility>

#include "exchange/notices.h"

namespace tickbridge::exchange {
namespace {

constexpr std::uint16_t kTradeTracking = 2;  // as the real feed marks what comes from a trade

/// Types by their share of 10,000: midday's mix for active names, and a little of all that may happen at any time.
constexpr std::array<std::pair<char, std::uint32_t>, 14> kMix = {{{'A', 4700},
                                                                  {'D', 4400},
                                                                  {'E', 370},
                                                                  {'U', 360},
                                                                  {'P', 90},
                                                                  {'X', 50},
                                                                  {'F', 10},
                                                                  {'C', 8},
                                                                  {'I', 5},
                                                                  {'N', 2},
                                                                  {'Y', 2},
                                                                  {'L', 1},
                                                                  {'H', 1},
                                                                  {'J', 1}}};
constexpr std::uint32_t kMixTotal = 10'000;
static_assert(std::accumulate(kMix.begin(), kMix.end(), 0U,
                              [](auto sum, const auto& row) { return sum + row.second; }) == kMixTotal);

char draw_type(Random& random) {
  std::uint32_t draw = random.below(kMixTotal);
  for (const auto& [type, share] : kMix) {
    if (draw < share) return type;
    draw -= share;
  }
  return 'A';
}

std::vector<std::uint32_t> shuffled(std::uint32_t count, Random& random) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t left = count; left > 1; --left) std::swap(order[left - 1], order[random.below(left)]);
  return order;
}

constexpr bool needs_open_order(char type) {
  return type == 'D' || type == 'E' || type == 'C' || type == 'U' || type == 'X';
}
constexpr bool concerns_orders(char type) {
  return needs_open_order(type) || type == 'A' || type == 'F' || type == 'P';
}

}  // namespace

OrderFlow::OrderFlow(std::vector<Instrument>& instruments, Random& random)
    : instruments_{instruments},
      random_{random},
      by_rank_{shuffled(static_cast<std::uint32_t>(instruments.size()), random)},
      zipf_{static_cast<std::uint32_t>(instruments.size())},
      book_{instruments.size()} {}

void OrderFlow::write_any(MessageWriter& out, std::uint64_t time) {
  const char type = draw_type(random_);
  if (!concerns_orders(type)) return write_notice(out, time, type);
  write_order(out, time, type, needs_open_order(type) ? instrument_with_orders() : by_rank_[zipf_.draw(random_)]);
}

void OrderFlow::write_certain(MessageWriter& out, std::uint64_t time, char type) {
  write_order(out, time, type, by_rank_[0]);
}

std::uint32_t OrderFlow::instrument_with_orders() {
  std::uint32_t instrument = by_rank_[zipf_.draw(random_)];
  for (int tries = 0; tries < 16 && book_.empty(instrument); ++tries) instrument = by_rank_[zipf_.draw(random_)];
  return instrument;
}

void OrderFlow::write_order(MessageWriter& out, std::uint64_t time, char type, std::uint32_t instrument) {
  if (needs_open_order(type) && book_.empty(instrument)) type = 'A';
  switch (type) {
    case 'D':
      return remove(out, time, instrument);
    case 'E':
      return execute(out, time, instrument, false);
    case 'C':
      return execute(out, time, instrument, true);
    case 'U':
      return replace(out, time, instrument);
    case 'X':
      return cancel(out, time, instrument);
    case 'P':
      return trade(out, time, instrument);
    default:
      return add(out, time, instrument, type == 'F');
  }
}

void OrderFlow::write_notice(MessageWriter& out, std::uint64_t time, char type) {
  const Instrument& instrument = any();
  switch (type) {
    case 'I':
      return write_imbalance(out, time, instrument, one_of("OC", random_), random_);
    case 'N':
      return write_retail_interest(out, time, instrument, random_);
    case 'Y':
      return write_short_sale(out, time, instrument, random_);
    case 'L':
      return write_position(out, time, instrument, random_);
    case 'J':
      return write_auction_collar(out, time, instrument, random_);
    default:
      return write_trading_action(out, time, instrument, 'T', "    ");
  }
}

void OrderFlow::add(MessageWriter& out, std::uint64_t time, std::uint32_t instrument, bool attributed) {
  Instrument& traded = instruments_[instrument];
  Order order;
  order.reference = book_.new_reference(traded.locate);
  order.side = one_of("BS", random_);
  order.shares = some_shares();
  order.price = price_near(traded, order.side);
  book_.add(instrument, order);
  out.begin(attributed ? 'F' : 'A', traded.locate, 0, time);
  out.u64(order.reference);
  out.letter(order.side);
  out.u32(order.shares);
  out.stock(traded.stock);
  out.u32(order.price);
  if (attributed) out.text(participant(random_));
}

void OrderFlow::execute(MessageWriter& out, std::uint64_t time, std::uint32_t instrument, bool with_price) {
  const std::size_t index = book_.pick(instrument, random_);
  const Order order = book_.order(instrument, index);
  const std::uint32_t shares = random_.below(5) < 3 ? order.shares : random_.between(1, order.shares);
  const std::uint16_t locate = instruments_[instrument].locate;
  out.begin(with_price ? 'C' : 'E', locate, kTradeTracking, time);
  out.u64(order.reference);
  out.u32(shares);
  out.u64(new_match(locate));
  if (with_price) {
    out.letter(one_of("YYYN", random_));
    out.u32(order.price + 100 * random_.below(3));
  }
  book_.reduce(instrument, index, shares);
}

void OrderFlow::cancel(MessageWriter& out, std::uint64_t time, std::uint32_t instrument) {
  const std::size_t index = book_.pick(instrument, random_);
  const Order order = book_.order(instrument, index);
  if (order.shares < 2) return remove(out, time, instrument);
  const std::uint32_t shares = random_.between(1, order.shares - 1);
  out.begin('X', instruments_[instrument].locate, 0, time);
  out.u64(order.reference);
  out.u32(shares);
  book_.reduce(instrument, index, shares);
}

void OrderFlow::remove(MessageWriter& out, std::uint64_t time, std::uint32_t instrument) {
  const std::size_t index = book_.pick(instrument, random_);
  out.begin('D', instruments_[instrument].locate, 0, time);
  out.u64(book_.order(instrument, index).reference);
  book_.remove(instrument, index);
}

void OrderFlow::replace(MessageWriter& out, std::uint64_t time, std::uint32_t instrument) {
  Instrument& traded = instruments_[instrument];
  const std::size_t index = book_.pick(instrument, random_);
  Order order = book_.order(instrument, index);
  out.begin('U', traded.locate, 0, time);
  out.u64(order.reference);
  order.reference = book_.new_reference(traded.locate);
  order.shares = some_shares();
  order.price = price_near(traded, order.side);
  out.u64(order.reference);
  out.u32(order.shares);
  out.u32(order.price);
  book_.remove(instrument, index);
  book_.add(instrument, order);
}

void OrderFlow::trade(MessageWriter& out, std::uint64_t time, std::uint32_t instrument) {
  Instrument& traded = instruments_[instrument];
  out.begin('P', traded.locate, kTradeTracking, time);
  out.u64(0);       // the exchange hides whose order it was, since 2010,
  out.letter('B');  // and on which side, since 2014
  out.u32(some_shares());
  out.stock(traded.stock);
  out.u32(traded.price + 50 * random_.below(traded.spread * 2 + 1));
  out.u64(new_match(traded.locate));
}

void OrderFlow::write_cross(MessageWriter& out, std::uint64_t time, std::uint32_t rank, char cross) {
  const Instrument& crossed = ranked(rank);
  const std::uint32_t shares = random_.below(3) == 0 ? 0 : random_.below(500'000);
  out.begin('Q', crossed.locate, 1, time);
  out.u64(shares);
  out.stock(crossed.stock);
  out.u32(shares == 0 ? 0 : crossed.price);
  out.u64(new_match(crossed.locate));
  out.letter(cross);
}

void OrderFlow::write_broken_trade(MessageWriter& out, std::uint64_t time) {
  out.begin('B', last_match_locate_, 0, time);
  out.u64(last_match_);
}

std::uint32_t OrderFlow::some_shares() {
  const std::uint32_t draw = random_.below(16);
  if (draw < 9) return 100;
  if (draw < 13) return 100 * random_.between(2, 10);
  return draw < 15 ? random_.between(2, 99) : 100 * random_.between(10, 100);
}

std::uint32_t OrderFlow::price_near(Instrument& instrument, char side) {
  const std::uint32_t step = random_.below(32);
  if (step == 0 && instrument.price > 5'000) instrument.price -= 100;
  if (step == 1 && instrument.price < 2'000'000'000) instrument.price += 100;
  const std::uint32_t away = 100 * random_.below(20);
  if (side == 'S') return instrument.price + 100 * instrument.spread + away;
  return instrument.price > away + 100 ? instrument.price - away : 100;
}

std::uint64_t OrderFlow::new_match(std::uint16_t locate) {
  last_match_ += 1 + random_.below(4);
  last_match_locate_ = locate;
  return last_match_;
}

}  // namespace tickbridge::exchange
