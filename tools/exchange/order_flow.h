#pragma once

#include <cstdint>
#include <vector>

#include "exchange/book.h"
#include "exchange/instruments.h"
#include "exchange/message_writer.h"
#include "exchange/random.h"
#include "exchange/zipf.h"

namespace tickbridge::exchange {

/// The day's orders and trades: what is executed, cancelled, deleted or replaced was open, and never more than that.
class OrderFlow {
 public:
  OrderFlow(std::vector<Instrument>& instruments, Random& random);

  /// One message in the day's mix.
  void write_any(MessageWriter& out, std::uint64_t time);
  /// One message of this type (A F E C X D U P) on the most active instrument; an A where nothing is open.
  void write_certain(MessageWriter& out, std::uint64_t time, char type);
  /// The cross of the instrument with this rank of activity.
  void write_cross(MessageWriter& out, std::uint64_t time, std::uint32_t rank, char cross);
  void write_broken_trade(MessageWriter& out, std::uint64_t time);

  /// The instrument with this rank of activity, 0 the most active.
  [[nodiscard]] const Instrument& ranked(std::uint32_t rank) const { return instruments_[by_rank_[rank]]; }
  /// One by activity.
  [[nodiscard]] const Instrument& any() { return ranked(zipf_.draw(random_)); }

 private:
  [[nodiscard]] std::uint32_t instrument_with_orders();
  void write_order(MessageWriter& out, std::uint64_t time, char type, std::uint32_t instrument);
  void write_notice(MessageWriter& out, std::uint64_t time, char type);
  void add(MessageWriter& out, std::uint64_t time, std::uint32_t instrument, bool attributed);
  void execute(MessageWriter& out, std::uint64_t time, std::uint32_t instrument, bool with_price);
  void cancel(MessageWriter& out, std::uint64_t time, std::uint32_t instrument);
  void remove(MessageWriter& out, std::uint64_t time, std::uint32_t instrument);
  void replace(MessageWriter& out, std::uint64_t time, std::uint32_t instrument);
  void trade(MessageWriter& out, std::uint64_t time, std::uint32_t instrument);
  [[nodiscard]] std::uint32_t some_shares();
  [[nodiscard]] std::uint32_t price_near(Instrument& instrument, char side);
  std::uint64_t new_match(std::uint16_t locate);

  std::vector<Instrument>& instruments_;
  Random& random_;
  std::vector<std::uint32_t> by_rank_;  ///< instrument's index by rank of activity
  Zipf zipf_;
  Book book_;
  std::uint64_t last_match_ = 0;
  std::uint16_t last_match_locate_ = 0;
};

}  // namespace tickbridge::exchange
