#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <string_view>

namespace tickbridge::ops {

/// What the service manager is told; nothing happens where none listens ($NOTIFY_SOCKET). Main thread.
///
/// The protocol of sd_notify(3), "Implementation notes", and not that function: it waits where the manager does not
/// read, and the main thread reads the feeds. What does not go through at once is tried again with the next word.
class ServiceManager {
 public:
  /// Looks into the environment.
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  [[nodiscard]] bool listens() const noexcept { return socket_ >= 0; }
  /// It ends the daemon unless it hears alive() once in so long; zero: it does not ask for it.
  [[nodiscard]] std::chrono::milliseconds watchdog() const noexcept { return watchdog_; }

  /// The start is over, or a reload is.
  void ready();
  /// The configuration is read again; ready() ends it.
  void reloading();
  void stopping();
  /// One line for people: `systemctl status` shows it.
  void status(std::string_view text);
  void alive();
  /// The start (or stop) may take so long from now on, whatever the unit's TimeoutStartSec (TimeoutStopSec) says.
  void extend(std::chrono::milliseconds time);

 private:
  void tell(std::string message);
  int socket_ = -1;
  std::deque<std::string> unsaid_;
  std::chrono::milliseconds watchdog_{0};
};

}  // namespace tickbridge::ops
