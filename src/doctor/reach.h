#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "doctor/finding.h"

namespace tickbridge::doctor {

/// A TCP socket, closed at its end.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) noexcept : descriptor_{descriptor} {}
  ~Socket();
  Socket(Socket&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  [[nodiscard]] int get() const noexcept { return descriptor_; }
  [[nodiscard]] bool open() const noexcept { return descriptor_ >= 0; }

  /// false: the peer is gone, or the time is over.
  [[nodiscard]] bool send(const std::string& bytes, SteadyTime deadline) const;
  /// What has come, waiting for the first of it. Empty: the peer has closed, or the time is over.
  [[nodiscard]] std::string receive(SteadyTime deadline) const;
  /// Until it can be read, or written. false: the time is over.
  [[nodiscard]] bool wait(bool to_write, SteadyTime deadline) const;

 private:
  int descriptor_ = -1;
};

/// How a place was reached, address by address.
struct Reached {
  struct Tried {
    std::string address;               ///< "10.1.1.1", "2001:db8::1"
    std::string fault;                 ///< empty: connected
    std::chrono::microseconds took{};  ///< for connecting
  };
  std::string fault;  ///< the name cannot be resolved: why
  std::chrono::microseconds resolving{};
  std::vector<Tried> tried;
  Socket socket;  ///< of the first address that let us in
  [[nodiscard]] bool reached() const noexcept { return socket.open(); }
};

/// Resolves (both address families) and connects to every address. Blocks for `patience` at most for the name and again
/// for all the addresses.
[[nodiscard]] Reached reach(const std::string& host, std::uint16_t port, std::chrono::milliseconds patience);

/// "host:port" and how it was reached, as a line. `owner` stands before it: "feed nasdaq". An unreached place is
/// `otherwise` (a warning where others do, else a failure with 69).
[[nodiscard]] Finding tell_reached(const std::string& owner, const std::string& place, const Reached& reached,
                                   Level otherwise);

}  // namespace tickbridge::doctor
