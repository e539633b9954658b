#include "net/arrival.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/clock.h"

namespace tickbridge::net {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t nanoseconds_of(const timespec& time) noexcept { return time.tv_sec * kSecond + time.tv_nsec; }

/// 0: the kernel gave none.
std::int64_t stamp_of(msghdr& message) noexcept {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec time{};
    std::memcpy(&time, CMSG_DATA(part), sizeof time);
    return nanoseconds_of(time);
  }
  return 0;
}

/// A thread's figures: ns on a core, ns waiting for one, times it got one.
class SchedStat {
 public:
  SchedStat() : file_{::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)} {}
  ~SchedStat() {
    if (file_ >= 0) ::close(file_);
  }
  SchedStat(const SchedStat&) = delete;
  SchedStat& operator=(const SchedStat&) = delete;
  /// -1: not known.
  [[nodiscard]] std::int64_t waited_for_a_core() const noexcept {
    std::array<char, 64> text{};
    const ssize_t size = ::pread(file_, text.data(), text.size(), 0);
    const char* const end = text.data() + std::max<ssize_t>(size, 0);
    const char* const blank = std::find(static_cast<const char*>(text.data()), end, ' ');
    std::int64_t waited = -1;
    if (blank != end) std::from_chars(blank + 1, end, waited);
    return waited;
  }

 private:
  int file_;
};

}  // namespace

void stamp_arrivals(int socket) noexcept {
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

SocketRead read_stamped(int socket, MutableBytes into) noexcept {
  iovec bytes{into.data(), into.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> control{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  SocketRead read;
  read.began_ns = wall_nanoseconds();
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &message, MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    read.error = errno;
    read.emptied = true;
    return read;
  }
  read.size = static_cast<std::size_t>(size);
  read.emptied = read.size < into.size();
  read.newest_ns = stamp_of(message);
  if (read.newest_ns == 0) read.newest_ns = read.began_ns;
  return read;
}

std::int64_t awake_ns() noexcept {
  static thread_local const SchedStat stat;
  const std::int64_t waited = stat.waited_for_a_core();
  timespec ran{};  // what schedstat says of that is as old as the last tick
  if (waited < 0 || ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ran) != 0) return -1;
  return waited + nanoseconds_of(ran);
}

void Arrival::connected(std::int64_t now_ns) noexcept {
  since_ns_ = before_ns_ = now_ns;
  run_ = 0;
}

std::int64_t Arrival::oldest(const SocketRead& read, bool one_packet) noexcept {
  if (one_packet && read.emptied) return read.newest_ns;
  std::int64_t oldest = since_ns_;
  if (read.emptied && read.newest_ns - since_ns_ > kLong) {
    const std::int64_t awake = awake_();
    if (awake >= 0 && awake_before_ns_ >= 0) oldest = std::max(oldest, read.began_ns - (awake - awake_before_ns_));
    awake_before_ns_ = awake;
  }
  return std::min(oldest, read.newest_ns);
}

void Arrival::seen(const SocketRead& read) noexcept {
  if (read.emptied) return connected(read.began_ns);
  run_ += read.size;
  if (run_ < kLongestRun) return;
  since_ns_ = std::max(since_ns_, before_ns_);
  before_ns_ = read.newest_ns;
  run_ = 0;
}

}  // namespace tickbridge::net
