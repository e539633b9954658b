#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tickbridge::exchange {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kAlways = std::numeric_limits<std::uint32_t>::max();

/// What happens once, after a packet.
enum class BreakKind : std::uint8_t { kStall, kGarbage, kBadLength, kRepeat, kSkip, kTruncateStream, kBombStream };
struct Break {
  BreakKind kind = BreakKind::kStall;
  std::uint64_t after = 0;   ///< the packet's number; 0: straight after the login
  std::uint64_t amount = 0;  ///< stall: milliseconds; repeat, skip: packets
  bool done = false;
};

/// All that goes wrong on purpose. The order of the command line does not matter.
struct Faults {
  // A connection's
  std::uint32_t cut_packets = 0;  ///< cut after about so many; 0: never
  std::uint32_t slice_bytes = 0;  ///< send at most so many at a time; 0: as they come
  // A login's
  std::uint32_t silent_logins = 0;  ///< how many are not answered
  std::uint32_t rejections = 0;     ///< how many are rejected
  char rejection = 'A';
  std::uint32_t other_sessions = 0;  ///< how many that name a session are answered with another
  std::uint64_t repeat = 0;          ///< every login that can be is answered so much lower
  std::uint64_t skip = 0;            ///< the session's first packets that nobody can have
  // The session's: part of its bytes, the same in every replay
  std::uint64_t end_after = kNever;     ///< its last packet
  std::uint64_t truncated_zlib = 0;     ///< after this packet stands one whose zlib stream is cut off; 0: none
  std::uint64_t bomb = 0;               ///< after this packet stands one that inflates 1000:1; 0: none
  std::uint64_t invalid_every = 0;      ///< after every so many messages stands an invalid one; 0: none
  std::uint64_t unsequenced_every = 0;  ///< after every so many packets stands a U; 0: none
  std::uint64_t debug_every = 0;        ///< after every so many packets stands a +; 0: none
  // Once
  std::vector<Break> breaks{};
};

/// Adds what `KIND[:ARG][@SEQ]` says. @return what is wrong with it, or nothing.
[[nodiscard]] std::optional<std::string> add_fault(Faults& faults, std::string_view text);

/// One line a kind, for --help.
[[nodiscard]] std::string fault_help();

}  // namespace tickbridge::exchange
