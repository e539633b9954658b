#include "doctor/reach.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <thread>

namespace tickbridge::doctor {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using Addresses = std::unique_ptr<addrinfo, decltype([](addrinfo* list) { ::freeaddrinfo(list); })>;

constexpr milliseconds kSlowName{1000};

struct Resolved {
  int code = 0;
  Addresses addresses;
};

int milliseconds_to(SteadyTime deadline) {
  return static_cast<int>(
      std::max<std::int64_t>(duration_cast<milliseconds>(deadline - SteadyClock::now()).count(), 0));
}

bool await(int descriptor, short events, SteadyTime deadline) {
  pollfd wanted{.fd = descriptor, .events = events, .revents = 0};
  return ::poll(&wanted, 1, milliseconds_to(deadline)) > 0;
}

Resolved resolve(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  Resolved resolved;
  resolved.code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  resolved.addresses.reset(found);
  return resolved;
}

/// getaddrinfo keeps no deadline, so a thread is left behind with it.
std::optional<Resolved> resolve(const std::string& host, std::uint16_t port, milliseconds patience) {
  auto promise = std::make_shared<std::promise<Resolved>>();  // the thread's and ours: it may come after us
  auto answer = promise->get_future();
  std::thread{[promise, host, port] { promise->set_value(resolve(host, std::to_string(port))); }}.detach();
  if (answer.wait_for(patience) != std::future_status::ready) return std::nullopt;
  return answer.get();
}

std::string numeric(const addrinfo& address) {
  std::array<char, NI_MAXHOST> text{};
  ::getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return text.data();
}

/// An open socket, or errno.
std::pair<Socket, int> connect(const addrinfo& address, SteadyTime deadline) {
  Socket socket{::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket.open()) return {Socket{}, errno};
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return {std::move(socket), 0};
  if (errno != EINPROGRESS) return {Socket{}, errno};
  if (!await(socket.get(), POLLOUT, deadline)) return {Socket{}, ETIMEDOUT};
  int code = 0;
  socklen_t size = sizeof code;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &code, &size);
  if (code != 0) return {Socket{}, code};
  return {std::move(socket), 0};
}

std::string in_ms(microseconds time) { return fmt::format("{:.1f} ms", static_cast<double>(time.count()) / 1000.0); }

std::string tell(const std::vector<Reached::Tried>& tried) {
  std::string text;
  for (const Reached::Tried& one : tried) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", one.address);
    text += one.fault.empty() ? fmt::format(" in {}", in_ms(one.took)) : fmt::format(" no ({})", one.fault);
  }
  return text;
}

}  // namespace

Socket::~Socket() {
  if (open()) ::close(descriptor_);
}

bool Socket::send(const std::string& bytes, SteadyTime deadline) const {
  std::size_t sent = 0;
  while (sent < bytes.size() && await(descriptor_, POLLOUT, deadline)) {
    const ssize_t count = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return sent == bytes.size();
}

bool Socket::wait(bool to_write, SteadyTime deadline) const {
  return await(descriptor_, to_write ? POLLOUT : POLLIN, deadline);
}

std::string Socket::receive(SteadyTime deadline) const {
  std::array<char, 4096> bytes{};
  if (!await(descriptor_, POLLIN, deadline)) return {};
  const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
}

Reached reach(const std::string& host, std::uint16_t port, milliseconds patience) {
  Reached out;
  const SteadyTime asked = SteadyClock::now();
  const auto resolved = resolve(host, port, patience);
  out.resolving = duration_cast<microseconds>(SteadyClock::now() - asked);
  if (!resolved) out.fault = fmt::format("no answer within {} s", patience.count() / 1000);
  if (resolved && resolved->code != 0) out.fault = ::gai_strerror(resolved->code);
  if (!out.fault.empty()) return out;
  const SteadyTime deadline = SteadyClock::now() + patience;
  for (const addrinfo* address = resolved->addresses.get(); address != nullptr; address = address->ai_next) {
    const SteadyTime since = SteadyClock::now();
    auto [socket, code] = connect(*address, deadline);
    out.tried.push_back({.address = numeric(*address),
                         .fault = code == 0 ? "" : std::strerror(code),
                         .took = duration_cast<microseconds>(SteadyClock::now() - since)});
    if (socket.open() && !out.socket.open()) out.socket = std::move(socket);
  }
  return out;
}

Finding tell_reached(const std::string& owner, const std::string& place, const Reached& reached, Level otherwise) {
  Finding out{otherwise, fmt::format("{} {}", owner, place), {}, ExitCode::kOk};
  if (otherwise == Level::kFailure) out.code = ExitCode::kUnavailable;
  if (!reached.fault.empty()) {
    out.text = fmt::format("the name cannot be resolved: {}; correct it, or look at /etc/hosts and /etc/resolv.conf",
                           reached.fault);
  } else if (!reached.reached()) {
    out.text = fmt::format(
        "not reached: {}; look whether something listens there, at routes and firewalls, and at the address",
        tell(reached.tried));
  } else if (reached.resolving > kSlowName) {
    out =
        warning(out.subject, fmt::format("reached: {}; but its name took {}: every connection waits for that, look at "
                                         "/etc/resolv.conf or use an address",
                                         tell(reached.tried), in_ms(reached.resolving)));
  } else {
    out = ok(out.subject, fmt::format("reached: {}; name in {}", tell(reached.tried), in_ms(reached.resolving)));
  }
  return out;
}

}  // namespace tickbridge::doctor
