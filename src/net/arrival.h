#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tickbridge::net {

/// What one look at a socket brought. Times: wall clock, ns.
struct SocketRead {
  std::size_t size = 0;       ///< 0 without an error: the other side has closed
  int error = 0;              ///< errno; EAGAIN: nothing there
  bool emptied = false;       ///< more would have fitted: the socket was empty behind it
  std::int64_t began_ns = 0;  ///< just before
  std::int64_t newest_ns =
      0;  ///< when the newest byte that lay in the socket behind its first ones arrived, by the kernel
};

/// Asks the kernel to tell when bytes arrive. Where it does not, a read's newest byte arrived when the read began.
void stamp_arrivals(int socket) noexcept;
/// Reads what is there, at once.
[[nodiscard]] SocketRead read_stamped(int socket, MutableBytes into) noexcept;
/// How long the calling thread has run or waited for a core, ever, ns: all the time that it did not sleep. -1: not
/// known.
[[nodiscard]] std::int64_t awake_ns() noexcept;

/// When the oldest byte of a read arrived in the socket. The kernel knows the newest's only: it merges the segments
/// that wait in a socket and keeps the last one's time, for all of them (TCP, tried on 6.18: three sends 5 ms apart,
/// read one by one, all carry the third's). So:
///
///  1. A read that brought one packet and emptied the socket: the kernel's time, which is that packet's.
///  2. Else the packets may have piled up since the socket was last seen empty: then, just before the read that emptied
///     it. Early by at most the pause between two packets, never late.
///  3. Where that is more than 20 µs ago, the thread may have slept. The first byte woke it, and it has not slept
///  since:
///     not earlier than its time awake before this read.
///
/// A socket that is never empty (the exchange is faster than we are) holds at most kLongestRun: there, the time of what
/// was read that much earlier.
class Arrival {
 public:
  explicit Arrival(std::int64_t (*awake)() noexcept = awake_ns) : awake_{awake} {}

  /// A new socket, empty at `now_ns`.
  void connected(std::int64_t now_ns) noexcept;
  /// Before seen() of the same read.
  [[nodiscard]] std::int64_t oldest(const SocketRead& read, bool one_packet) noexcept;
  void seen(const SocketRead& read) noexcept;

 private:
  static constexpr std::int64_t kLong = 20'000;                      ///< rule 3 costs two system calls, 1.5 µs
  static constexpr std::size_t kLongestRun = std::size_t{1} << 20U;  ///< bytes under one time of the kernel's, at most

  std::int64_t (*awake_)() noexcept;
  std::int64_t since_ns_ = 0;   ///< what the next read brings arrived later
  std::int64_t before_ns_ = 0;  ///< what since_ns_ becomes when kLongestRun more has been read
  std::size_t run_ = 0;         ///< bytes read since before_ns_ was set
  std::int64_t awake_before_ns_ = -1;
};

}  // namespace tickbridge::net
