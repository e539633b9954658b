#include "ops/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace tickbridge::ops {

namespace {

/// Microseconds of CLOCK_MONOTONIC, as sd_notify(3) wants them with RELOADING=1.
std::uint64_t monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

constexpr std::size_t kMostUnsaid = 16;

/// Said again soon, with news.
bool is_repeated(const std::string& word) {
  return word == "WATCHDOG=1" || word.starts_with("STATUS=") || word.starts_with("EXTEND_TIMEOUT_USEC=");
}

/// A path, or "@name" of an abstract socket; -1: none, or nobody is there.
int open_socket(const char* name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = name == nullptr ? 0 : std::strlen(name);
  if (length < 2 || length >= sizeof address.sun_path) return -1;
  std::memcpy(address.sun_path, name, length);
  if (name[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return -1;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0) return socket;
  ::close(socket);
  return -1;
}

}  // namespace

ServiceManager::ServiceManager() : socket_{open_socket(std::getenv("NOTIFY_SOCKET"))} {
  std::uint64_t microseconds = 0;
  if (listens() && sd_watchdog_enabled(0, &microseconds) > 0)
    watchdog_ = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds{microseconds});
}

ServiceManager::~ServiceManager() {
  if (listens()) ::close(socket_);
}

// Of what it has not taken for long the oldest goes: it is told again, but for READY=1, which is nearly alone then.
void ServiceManager::tell(std::string message) {
  if (!listens()) return;
  unsaid_.push_back(std::move(message));
  if (unsaid_.size() > kMostUnsaid) std::erase_if(unsaid_, [](const std::string& word) { return is_repeated(word); });
  while (!unsaid_.empty()) {
    const std::string& word = unsaid_.front();
    if (::send(socket_, word.data(), word.size(), MSG_NOSIGNAL) < 0 && errno == EAGAIN) return;
    unsaid_.pop_front();
  }
}

void ServiceManager::ready() { tell("READY=1"); }
void ServiceManager::reloading() { tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us())); }
void ServiceManager::stopping() { tell("STOPPING=1"); }
void ServiceManager::status(std::string_view text) { tell("STATUS=" + one_line(text)); }
void ServiceManager::alive() { tell("WATCHDOG=1"); }
void ServiceManager::extend(std::chrono::milliseconds time) {
  tell(fmt::format("EXTEND_TIMEOUT_USEC={}", std::chrono::microseconds{time}.count()));
}

}  // namespace tickbridge::ops
