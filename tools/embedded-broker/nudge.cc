#include "nudge.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

namespace tickbridge::embedded {
namespace {

constexpr std::chrono::milliseconds kInterval{2};

void knock(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  (void)::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::close(socket);
}

}  // namespace

Nudge::Nudge(std::uint16_t port) : port_{port}, thread_{[this](const std::stop_token& stop) { run(stop); }} {}

void Nudge::run(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  while (!asleep_.wait_for(lock, stop, kInterval, [&stop] { return stop.stop_requested(); })) knock(port_);
}

}  // namespace tickbridge::embedded
