#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tickbridge::net {

/// What one recvmsg() brought. Times: wall clock, ns.
struct SocketRead {
  std::size_t size = 0;       ///< bytes; 0 without an error: the other side has closed
  int error = 0;              ///< errno; EAGAIN: nothing there
  bool emptied = false;       ///< fewer bytes than would have fitted: none were left in the socket
  std::int64_t began_ns = 0;  ///< just before the call
  /// When the newest bytes of this read arrived, by the kernel. There is one time for a whole read: all bytes before
  /// these arrived at that time or earlier; how much earlier is not told. A read that filled its buffer may have left
  /// some of the newest bytes behind. Where the kernel gives no time: began_ns.
  std::int64_t newest_ns = 0;
};

/// Asks the kernel to tell when bytes arrive. Where it does not, a read's newest byte arrived when the read began.
void stamp_arrivals(int socket) noexcept;
/// Reads what is there, at once.
[[nodiscard]] SocketRead read_stamped(int socket, MutableBytes into) noexcept;
/// How long the calling thread has run or waited for a core, ever, ns: all the time that it did not sleep. -1: not
/// known.
[[nodiscard]] std::int64_t awake_ns() noexcept;

/// When the oldest byte of a read arrived in the socket: what latency is counted from. The kernel does not tell. It
/// merges TCP segments that wait in a socket and keeps one time for all of them, the newest one's (tried on 6.18: three
/// sends 5 ms apart, read one by one, all carry the third's). So the oldest byte's time is bounded from below: what is
/// returned is the true time or earlier, never later, and latencies come out too long rather than too short.
///
///  1. The read brought one packet and emptied the socket: the kernel's time, at which that packet was complete.
///  2. Else the first of its bytes may have come as soon as the socket had last been emptied: the beginning of the read
///     that did so. Too early by at most the pause between that read and the first byte.
///  3. That pause can be long, if the thread slept in it. It may have where rule 2's time is more than 20 µs before the
///     newest byte, and this read emptied the socket. Then the first byte woke the thread, which has not slept since:
///     the byte arrived no earlier than the time awake (awake_ns) since rule 3 was last asked, counted back from the
///     beginning of this read. The later of this and rule 2's time counts.
///  4. A socket that is never emptied (the exchange is faster than we are) would keep rule 2's time for ever. It holds
///     at most kLongestRun bytes: there, the newest time of what was read that much earlier.
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
