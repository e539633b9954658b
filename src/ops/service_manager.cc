#include "ops/service_manager.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdint>
#include <cstdlib>

#include "base/text.h"

namespace tickbridge::ops {

namespace {

/// Microseconds of CLOCK_MONOTONIC, as sd_notify(3) wants them with RELOADING=1.
std::uint64_t monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

}  // namespace

ServiceManager::ServiceManager() : listens_{std::getenv("NOTIFY_SOCKET") != nullptr} {
  std::uint64_t microseconds = 0;
  if (listens_ && sd_watchdog_enabled(0, &microseconds) > 0)
    watchdog_ = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds{microseconds});
}

void ServiceManager::tell(const std::string& message) const {
  if (listens_) (void)sd_notify(0, message.c_str());  // who does not hear it ends us, or nobody does
}

void ServiceManager::ready() const { tell("READY=1"); }
void ServiceManager::reloading() const { tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us())); }
void ServiceManager::stopping() const { tell("STOPPING=1"); }
void ServiceManager::status(std::string_view text) const { tell("STATUS=" + one_line(text)); }
void ServiceManager::alive() const { tell("WATCHDOG=1"); }
void ServiceManager::extend(std::chrono::milliseconds time) const {
  tell(fmt::format("EXTEND_TIMEOUT_USEC={}", std::chrono::microseconds{time}.count()));
}

}  // namespace tickbridge::ops
