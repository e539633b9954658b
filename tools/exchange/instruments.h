#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "exchange/random.h"

namespace tickbridge::exchange {

/// One line of the day's directory.
struct Instrument {
  std::array<char, 8> stock{};  ///< 1 to 5 letters, padded with spaces
  std::uint16_t locate = 0;     ///< 1 .. 65535; alphabetical, as exchanges hand them out
  std::uint32_t price = 0;      ///< 4 decimals, whole cents: where it trades; moves during the day
  std::uint32_t spread = 0;     ///< cents between best bid and offer
  char category = 'Q';          ///< market category of the directory message
  bool fund = false;            ///< an exchange traded product
};

/// `count` invented instruments with unique tickers, by locate: element k has locate k+1.
/// REQUIRES: 1 <= count <= 65535.
[[nodiscard]] std::vector<Instrument> make_instruments(std::uint32_t count, Random& random);

}  // namespace tickbridge::exchange
