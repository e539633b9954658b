#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace tickbridge::ops {

/// What the service manager is told (sd_notify(3)); nothing happens where none listens ($NOTIFY_SOCKET). Main thread.
class ServiceManager {
 public:
  /// Looks into the environment.
  ServiceManager();

  [[nodiscard]] bool listens() const noexcept { return listens_; }
  /// It ends the daemon unless it hears alive() once in so long; zero: it does not ask for it.
  [[nodiscard]] std::chrono::milliseconds watchdog() const noexcept { return watchdog_; }

  /// The start is over, or a reload is.
  void ready() const;
  /// The configuration is read again; ready() ends it.
  void reloading() const;
  void stopping() const;
  /// One line for people: `systemctl status` shows it.
  void status(std::string_view text) const;
  void alive() const;
  /// The start (or stop) may take so long from now on, whatever the unit's TimeoutStartSec (TimeoutStopSec) says.
  void extend(std::chrono::milliseconds time) const;

 private:
  void tell(const std::string& message) const;
  bool listens_;
  std::chrono::milliseconds watchdog_{0};
};

}  // namespace tickbridge::ops
