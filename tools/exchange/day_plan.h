#pragma once

#include <cstdint>
#include <vector>

namespace tickbridge::exchange {

enum class SceneKind : std::uint8_t {
  kEvent,            ///< S; letter: the event
  kListing,          ///< R, H, Y for each instrument in turn
  kPositions,        ///< L for each instrument
  kTrading,          ///< orders and trades in the day's mix
  kCertain,          ///< one order message of the type `letter`, on the most active instrument
  kNotice,           ///< one message of the type `letter` that belongs to no order
  kHalt,             ///< H; letter: the trading state
  kOperationalHalt,  ///< h; letter: the action
  kCross,            ///< Q; letter: O opening, C closing
  kImbalance,        ///< I; letter: the cross it speaks of
};

/// A stretch of the day in which one kind of message is sent.
struct Scene {
  SceneKind kind = SceneKind::kTrading;
  char letter = ' ';
  std::uint64_t count = 1;  ///< messages
  std::uint64_t begin = 0;  ///< nanoseconds since midnight
  std::uint64_t end = 0;    ///< not passed by any of its messages
};

constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::uint64_t kOpeningBell = (9 * 3600 + 30 * 60) * kNanosecondsPerSecond;
/// The opening burst, as measured on a real day: 1,000 messages in 2.4 ms, 480 of them in one.
constexpr std::uint64_t kBurstMessages = 1000;
constexpr std::uint64_t kBurstNanoseconds = 2'400'000;

/// Instruments that a session of this size lists: at most `wanted`, and at most a quarter of it is directory.
[[nodiscard]] std::uint32_t listed_instruments(std::uint64_t messages, std::uint32_t wanted) noexcept;

/// A trading day of exactly `messages` messages, in time order. Below 64 the day is cut short.
[[nodiscard]] std::vector<Scene> plan_day(std::uint64_t messages, std::uint32_t instruments);

}  // namespace tickbridge::exchange
