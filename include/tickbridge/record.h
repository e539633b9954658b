#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// What tickbridge writes into Kafka, for those who read it. C++17, standard library only.
///
/// A record of a data topic:
///   value      one message, as the exchange sent it, without any length before it (for ITCH 5.0: itch50.h)
///   key        the instrument's symbol without padding; `#<number>` where the symbol was not known in time; or as
///              configured the instrument's number, or none. No key: the message concerns no instrument
///   timestamp  milliseconds since 1970, UTC: the exchange's time, or as configured another one
///   headers    none, or those of `headers::` that the feed is configured to write
/// Within a partition records are in feed order. A message's identity is (feed, session, sequence, index).
///
/// A record of a dead-letter topic: no key, partition 0, the unusable bytes as value, and the headers kReason, kFeed,
/// kSession, kSequence, kIndex; kFullSize where the bytes are cut. A dead letter can be there twice.
namespace tickbridge::record {

/// Names of headers. All values are ASCII text, numbers in decimal.
namespace headers {
inline constexpr std::string_view kFeed = "feed";                 ///< the feed's name
inline constexpr std::string_view kSequence = "sequence";         ///< the packet's number in its session, from 1
inline constexpr std::string_view kReceiveTime = "receive_time";  ///< ns since 1970, UTC; data topics only
inline constexpr std::string_view kReason = "reason";             ///< dead letters only: one of kReasons
inline constexpr std::string_view kSession = "session";           ///< dead letters only: the session's name
inline constexpr std::string_view kIndex = "index";               ///< dead letters only: in the packet, from 0
inline constexpr std::string_view kFullSize = "full_size";        ///< dead letters only: bytes before the value was cut
}  // namespace headers

/// Why bytes could not be used.
enum class Reason : std::uint8_t {
  kEmpty,         ///< a message of no bytes
  kLength,        ///< a known type with a wrong length
  kTime,          ///< 24 h or more since midnight
  kText,          ///< a text field with a byte that is not printable ASCII
  kInflate,       ///< a packet that does not inflate
  kInflateLimit,  ///< a packet that inflates beyond the configured limits
  kSplit,         ///< a packet whose lengths do not add up
  kTooLarge,      ///< larger than the topic takes
  kUnknownType,   ///< not in the message table, and the feed has on_unknown = "dead_letter"
  kUnknownCode,   ///< a code not in the message table, and the feed has on_unknown = "dead_letter"
  kGap,           ///< no message: the value tells which packets the exchange could not send any more
};

/// The values of the header "reason", in the order of Reason. Later versions may add to it.
inline constexpr std::array<std::string_view, 11> kReasons{"empty",        "length",        "time",  "text",
                                                           "inflate",      "inflate_limit", "split", "too_large",
                                                           "unknown_type", "unknown_code",  "gap"};

/// The reason that a dead letter's header names; nothing if a later version wrote it.
[[nodiscard]] constexpr std::optional<Reason> reason(std::string_view value) noexcept {
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    if (kReasons[i] == value) return static_cast<Reason>(i);
  }
  return std::nullopt;
}

/// The number in a header's value: decimal digits and nothing else, at most 64 bits.
[[nodiscard]] inline std::optional<std::uint64_t> decimal(std::string_view value) noexcept {
  std::uint64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, failed] = std::from_chars(value.data(), end, number);
  if (value.empty() || stop != end || failed != std::errc()) return std::nullopt;
  return number;
}

/// The instrument that a key of the form `#<number>` names; nothing for a symbol.
[[nodiscard]] inline std::optional<std::uint16_t> unnamed_instrument(std::string_view key) noexcept {
  if (key.size() < 2 || key.front() != '#') return std::nullopt;
  const auto number = decimal(key.substr(1));
  if (!number || *number > UINT16_MAX) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

/// The key of a record in the checkpoint topic, `<feed>/<epoch>`; its value is JSON.
struct CheckpointKey {
  std::string_view feed;    ///< into the key's bytes
  std::uint64_t epoch = 0;  ///< each owner of the feed takes the next one; the highest counts
};

/// Nothing if it is no such key.
[[nodiscard]] inline std::optional<CheckpointKey> checkpoint_key(std::string_view key) noexcept {
  const std::size_t slash = key.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  const auto epoch = decimal(key.substr(slash + 1));
  if (!epoch) return std::nullopt;
  return CheckpointKey{key.substr(0, slash), *epoch};
}

}  // namespace tickbridge::record
