#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tickbridge::exchange {

/// An ITCH 5.0 message of a known type that no reader may accept; the kinds come in turn: an A one byte short, an E
/// one byte long, a D with a time of 24 h, an R whose symbol is not printable. The same number gives the same bytes.
[[nodiscard]] std::vector<std::byte> invalid_message(std::uint64_t number);

}  // namespace tickbridge::exchange
