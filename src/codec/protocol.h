#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "base/bytes.h"

namespace tickbridge::codec {

enum class Verdict : std::uint8_t { kValid, kUnknownType, kUnknownCode, kInvalid };

/// Why bytes could not be used: the closed list of the dead letters' `reason` header.
enum class Reason : std::uint8_t {
  kNone,
  kEmpty,         ///< a message of no bytes
  kLength,        ///< a known type with a wrong length
  kTime,          ///< 24 h or more since midnight
  kText,          ///< an alpha field with a byte that is not printable ASCII
  kInflate,       ///< a packet that is no zlib stream, or a damaged one
  kInflateLimit,  ///< inflates to more than max_inflated_bytes or max_inflate_ratio allow
  kSplit,         ///< a packet whose lengths do not add up
  kTooLarge,      ///< larger than the topic takes
  kUnknownType,   ///< on_unknown = "dead_letter"
  kUnknownCode,   ///< on_unknown = "dead_letter"
  kGap,           ///< no message: packets that the exchange could not send any more
  kCount,
};
[[nodiscard]] std::string_view name(Reason reason) noexcept;

constexpr std::uint64_t kNoTime = std::numeric_limits<std::uint64_t>::max();

/// What a message table says of one message.
struct Checked {
  Verdict verdict = Verdict::kValid;
  Reason reason = Reason::kNone;
  std::uint8_t type = 0;            ///< first byte
  bool directory = false;           ///< a valid directory message: teaches instrument → symbol
  std::uint16_t instrument = 0;     ///< 0: none
  std::uint64_t time_ns = kNoTime;  ///< since midnight, exchange time; kNoTime where unreadable
};

/// A market's message table. Pure and thread-safe; lives as long as the process.
class Protocol {
 public:
  virtual ~Protocol() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// Changes whenever what check() says may change: two builds of the same fingerprint judge alike.
  [[nodiscard]] virtual std::uint64_t fingerprint() const = 0;
  [[nodiscard]] virtual Checked check(Bytes message) const noexcept = 0;
  /// The symbol that a directory message teaches, without trailing spaces.
  /// REQUIRES: check(message).directory.
  [[nodiscard]] virtual std::string_view symbol(Bytes message) const noexcept = 0;

  /// The table of that name, or nullptr ("raw" is one: no checks, no instrument, no time).
  [[nodiscard]] static const Protocol* find(std::string_view name) noexcept;
};

}  // namespace tickbridge::codec
