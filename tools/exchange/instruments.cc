#include "exchange/instruments.h"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace tickbridge::exchange {
namespace {

std::uint32_t ticker_length(Random& random) {
  const std::uint32_t draw = random.below(1000);
  if (draw < 3) return 1;
  if (draw < 30) return 2;
  if (draw < 330) return 3;
  return draw < 930 ? 4 : 5;
}

std::string ticker(Random& random) {
  std::string name(ticker_length(random), ' ');
  for (char& letter : name) letter = static_cast<char>('A' + random.below(26));
  return name;
}

/// Dollars by band, as listed shares are spread: most between 5 and 100, a few in the thousands.
std::uint32_t opening_price(Random& random) {
  const std::uint32_t draw = random.below(100);
  const std::uint32_t cents = draw < 15   ? random.between(100, 999)
                              : draw < 60 ? random.between(1000, 4999)
                              : draw < 90 ? random.between(5000, 19999)
                              : draw < 98 ? random.between(20000, 79999)
                                          : random.between(80000, 399999);
  return cents * 100;
}

Instrument make_instrument(std::string_view name, std::uint16_t locate, Random& random) {
  constexpr std::string_view kCategories = "QQQGGSSSNNNNNAPPPZ";
  Instrument instrument;
  instrument.stock.fill(' ');
  name.copy(instrument.stock.data(), instrument.stock.size());
  instrument.locate = locate;
  instrument.price = opening_price(random);
  instrument.spread = 1 + random.below(instrument.price / 500'000 + 2);
  instrument.category = kCategories[random.below(static_cast<std::uint32_t>(kCategories.size()))];
  instrument.fund = instrument.category == 'P';
  return instrument;
}

}  // namespace

std::vector<Instrument> make_instruments(std::uint32_t count, Random& random) {
  std::set<std::string> names;
  while (names.size() < count) names.insert(ticker(random));
  std::vector<Instrument> instruments;
  instruments.reserve(count);
  for (const std::string& name : names) {
    instruments.push_back(make_instrument(name, static_cast<std::uint16_t>(instruments.size() + 1), random));
  }
  return instruments;
}

}  // namespace tickbridge::exchange
