#include "exchange/notices.h"

#include <array>

namespace tickbridge::exchange {

std::string_view participant(Random& random) {
  static constexpr std::array<std::string_view, 12> kParticipants = {"ALDR", "BRKS", "CNDL", "DOVE", "ELMS", "FERN",
                                                                     "GLEN", "HZEL", "IRIS", "JUNI", "KELP", "LRCH"};
  return kParticipants[random.below(kParticipants.size())];
}

char one_of(std::string_view letters, Random& random) {
  return letters[random.below(static_cast<std::uint32_t>(letters.size()))];
}

void write_event(MessageWriter& out, std::uint64_t time, char event) {
  out.begin('S', 0, 0, time);
  out.letter(event);
}

void write_listing(MessageWriter& out, std::uint64_t time, const Instrument& instrument, Random& random) {
  out.begin('R', instrument.locate, 0, time);
  out.stock(instrument.stock);
  out.letter(instrument.category);
  out.letter(one_of("NNNNNNNN D", random));
  out.u32(100);
  out.letter('N');
  out.letter(instrument.fund ? 'Q' : one_of("CCCCCCAOPUW", random));
  out.text(instrument.fund ? "E " : "Z ");
  out.letter('P');
  out.letter(one_of("NNNNY ", random));
  out.letter(one_of("NNNNNNNY ", random));
  out.letter(one_of("1222 ", random));
  out.letter(instrument.fund ? 'Y' : 'N');
  out.u32(instrument.fund ? random.below(4) : 0);
  out.letter('N');
}

void write_trading_action(MessageWriter& out, std::uint64_t time, const Instrument& instrument, char state,
                          std::string_view reason) {
  out.begin('H', instrument.locate, 0, time);
  out.stock(instrument.stock);
  out.letter(state);
  out.letter(' ');
  out.text(reason);
}

void write_short_sale(MessageWriter& out, std::uint64_t time, const Instrument& instrument, Random& random) {
  out.begin('Y', instrument.locate, 0, time);
  out.stock(instrument.stock);
  out.letter(one_of("000000000012", random));
}

void write_position(MessageWriter& out, std::uint64_t time, const Instrument& instrument, Random& random) {
  out.begin('L', instrument.locate, 0, time);
  out.text(participant(random));
  out.stock(instrument.stock);
  out.letter(one_of("YYYN", random));
  out.letter(one_of("NNNNNNPS", random));
  out.letter(one_of("AAAAAAEW", random));
}

void write_decline_levels(MessageWriter& out, std::uint64_t time) {
  constexpr std::uint64_t kIndexPrice = 4'321'00'000'000ULL;  // 8 decimals; level n is 7, 13, 20 % under it
  out.begin('V', 0, 0, time);
  out.u64(kIndexPrice / 100 * 93);
  out.u64(kIndexPrice / 100 * 87);
  out.u64(kIndexPrice / 100 * 80);
}

void write_decline_status(MessageWriter& out, std::uint64_t time, Random& random) {
  out.begin('W', 0, 0, time);
  out.letter(one_of("123", random));
}

void write_quoting_period(MessageWriter& out, std::uint64_t time, const Instrument& instrument) {
  out.begin('K', instrument.locate, 0, time);
  out.stock(instrument.stock);
  out.u32(10 * 3600 + 15 * 60);
  out.letter('A');
  out.u32(instrument.price);
}

void write_auction_collar(MessageWriter& out, std::uint64_t time, const Instrument& instrument, Random& random) {
  const std::uint32_t width = instrument.price / 20 / 100 * 100;
  out.begin('J', instrument.locate, 0, time);
  out.stock(instrument.stock);
  out.u32(instrument.price);
  out.u32(instrument.price + width);
  out.u32(instrument.price - width);
  out.u32(random.below(4));
}

void write_operational_halt(MessageWriter& out, std::uint64_t time, const Instrument& instrument, char action) {
  out.begin('h', instrument.locate, 0, time);
  out.stock(instrument.stock);
  out.letter('Q');
  out.letter(action);
}

void write_retail_interest(MessageWriter& out, std::uint64_t time, const Instrument& instrument, Random& random) {
  out.begin('N', instrument.locate, 0, time);
  out.stock(instrument.stock);
  out.letter(one_of("BSAN", random));
}

void write_direct_listing(MessageWriter& out, std::uint64_t time, const Instrument& instrument) {
  out.begin('O', instrument.locate, 0, time);
  out.stock(instrument.stock);
  out.letter('N');
  out.u32(instrument.price / 2);
  out.u32(instrument.price * 2);
  out.u32(instrument.price);
  out.u64(time);
  out.u32(instrument.price / 10 * 9);
  out.u32(instrument.price / 10 * 11);
}

void write_imbalance(MessageWriter& out, std::uint64_t time, const Instrument& instrument, char cross, Random& random) {
  const std::uint32_t imbalance = random.below(4) == 0 ? 0 : random.below(20'000);
  out.begin('I', instrument.locate, 0, time);
  out.u64(random.below(200'000));
  out.u64(imbalance);
  out.letter(imbalance == 0 ? 'N' : one_of("BS", random));
  out.stock(instrument.stock);
  out.u32(instrument.price + 100 * random.below(20));
  out.u32(instrument.price + 100 * random.below(10));
  out.u32(instrument.price);
  out.letter(cross);
  out.letter(one_of("LLLL123456789ABC", random));
}

}  // namespace tickbridge::exchange
