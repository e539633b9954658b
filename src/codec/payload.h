#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace tickbridge::codec {

/// Iterates the messages of a block: each has a 2-byte big-endian length before it.
class BlockReader {
 public:
  explicit BlockReader(Bytes block) noexcept : rest_{block} {}
  /// Takes the next message. false: the end, or a length that passes the end (see `rest().empty()`).
  [[nodiscard]] bool next(Bytes& message) noexcept {
    if (rest_.size() < 2) return false;
    const std::size_t size = load_be<std::uint16_t>(rest_, 0);
    if (rest_.size() - 2 < size) return false;
    message = rest_.subspan(2, size);
    rest_ = rest_.subspan(2 + size);
    return true;
  }
  [[nodiscard]] Bytes rest() const noexcept { return rest_; }

 private:
  Bytes rest_;
};

/// True if the lengths of the block add up to its size exactly.
[[nodiscard]] bool splits(Bytes block) noexcept;

/// A MoldUDP64 1.00 downstream packet's header (20 bytes).
struct MoldHeader {
  static constexpr std::size_t kSize = 20;
  static constexpr std::uint16_t kEndOfSession = 0xFFFF;
  std::array<char, 10> session{};
  std::uint64_t sequence = 0;  ///< of the first message; heartbeat: the next expected
  std::uint16_t count = 0;     ///< messages; 0: heartbeat; 0xFFFF: end of session
};
/// nullopt: too short. Whether the block after it holds `count` messages is not checked here.
[[nodiscard]] std::optional<MoldHeader> parse_mold_header(Bytes payload) noexcept;
/// True if the payload is a header and a block of exactly `count` messages (none at a heartbeat or an end).
[[nodiscard]] bool splits_mold(Bytes payload) noexcept;

}  // namespace tickbridge::codec
