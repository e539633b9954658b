#pragma once

#include <cstdint>
#include <string_view>

#include "exchange/instruments.h"
#include "exchange/message_writer.h"
#include "exchange/random.h"

namespace tickbridge::exchange {

// ITCH 5.0 messages that belong to no order. `time`: nanoseconds since midnight.

void write_event(MessageWriter& out, std::uint64_t time, char event);                                      // S
void write_listing(MessageWriter& out, std::uint64_t time, const Instrument& instrument, Random& random);  // R
void write_trading_action(MessageWriter& out, std::uint64_t time, const Instrument& instrument, char state,
                          std::string_view reason);                                                                // H
void write_short_sale(MessageWriter& out, std::uint64_t time, const Instrument& instrument, Random& random);       // Y
void write_position(MessageWriter& out, std::uint64_t time, const Instrument& instrument, Random& random);         // L
void write_decline_levels(MessageWriter& out, std::uint64_t time);                                                 // V
void write_decline_status(MessageWriter& out, std::uint64_t time, Random& random);                                 // W
void write_quoting_period(MessageWriter& out, std::uint64_t time, const Instrument& instrument);                   // K
void write_auction_collar(MessageWriter& out, std::uint64_t time, const Instrument& instrument, Random& random);   // J
void write_operational_halt(MessageWriter& out, std::uint64_t time, const Instrument& instrument, char action);    // h
void write_retail_interest(MessageWriter& out, std::uint64_t time, const Instrument& instrument, Random& random);  // N
void write_direct_listing(MessageWriter& out, std::uint64_t time, const Instrument& instrument);                   // O
void write_imbalance(MessageWriter& out, std::uint64_t time, const Instrument& instrument, char cross,
                     Random& random);  // I

/// A market participant's identifier: four invented letters from a small set.
[[nodiscard]] std::string_view participant(Random& random);
/// One of the letters.
[[nodiscard]] char one_of(std::string_view letters, Random& random);

}  // namespace tickbridge::exchange
