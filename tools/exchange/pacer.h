#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/clock.h"

namespace tickbridge::exchange {

/// Says how many of a session's messages exist by now. The session begins with the first call of `start`.
class Pacer {
 public:
  /// `rate`: messages a second, `pace`: times the file's own time; both 0: all messages exist from the start.
  Pacer(Bytes records, std::uint32_t loops, std::uint64_t rate, double pace);
  void start(SteadyTime now) noexcept;
  [[nodiscard]] bool unlimited() const noexcept { return rate_ == 0 && pace_ <= 0; }
  /// Messages that exist, counted over all loops; never fewer than before. 2^64-1: all.
  [[nodiscard]] std::uint64_t messages(SteadyTime now) noexcept;

 private:
  [[nodiscard]] std::uint64_t paced(std::uint64_t elapsed_ns) noexcept;
  [[nodiscard]] std::uint64_t time_at(std::size_t offset) const noexcept;

  Bytes records_;
  std::uint32_t loops_;
  std::uint64_t rate_;
  double pace_;
  std::optional<SteadyTime> started_;
  // What pace has come to
  std::uint64_t messages_ = 0;
  std::size_t offset_ = 0;
  std::uint32_t loop_ = 0;
  std::uint64_t first_time_ = 0;  ///< the file's first message's
  std::uint64_t last_time_ = 0;   ///< of the message before offset_
  std::uint64_t loops_time_ = 0;  ///< what the loops before took
};

}  // namespace tickbridge::exchange
