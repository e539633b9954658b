#include "app/supervisor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace tickbridge::app {

namespace {

constexpr milliseconds kWhileStarting{250};
constexpr milliseconds kWhileRunning{5'000};
constexpr milliseconds kMore{60'000};  // what a start that goes on asks for

}  // namespace

Supervisor::Supervisor(boost::asio::io_context& io, Questions questions)
    : questions_{std::move(questions)}, timer_{io} {}

void Supervisor::start() {
  if (manager_.listens()) tick();
}

void Supervisor::tick() {
  look_after_threads();
  if (phase_ == Phase::kStarting) look_after_start();
  if (phase_ != Phase::kStopping) tell_standing();
  timer_.expires_after(pause());
  timer_.async_wait([this](boost::system::error_code code) {
    if (!code) tick();
  });
}

// A third of the watchdog's time: one tick that comes late does no harm.
milliseconds Supervisor::pause() const {
  const milliseconds usual = phase_ == Phase::kRunning ? kWhileRunning : kWhileStarting;
  if (manager_.watchdog().count() == 0) return usual;
  return std::clamp(manager_.watchdog() / 3, milliseconds{1}, usual);
}

void Supervisor::look_after_threads() {
  const std::string hangs = questions_.hangs();
  if (hangs.empty()) manager_.alive();
  if (hangs == hangs_) return;
  hangs_ = hangs;
  if (!hangs.empty() && manager_.watchdog().count() != 0) {
    log_event(Event::kThreadsHang,
              "{}: the service manager's watchdog is not answered; it will end the daemon and start it again", hangs);
  } else if (!hangs.empty()) {
    log_event(Event::kThreadsHang, "{}", hangs);
  } else {
    log_event(Event::kThreadsGoOn, "all threads make progress again");
  }
}

// Recovery knows its own limits (startup_timeout); the service manager's are for a daemon that is stuck.
void Supervisor::look_after_start() {
  if (!questions_.awaits().empty()) return hangs_.empty() ? manager_.extend(kMore) : void();
  phase_ = Phase::kRunning;
  ready_told_ = true;
  manager_.ready();
}

void Supervisor::tell_standing() {
  const std::string awaited = phase_ == Phase::kStarting ? questions_.awaits() : std::string{};
  std::string standing = awaited.empty() ? questions_.standing() : fmt::format("starting: {}", awaited);
  if (!hangs_.empty()) standing = fmt::format("{}; {}", hangs_, standing);
  if (std::exchange(told_, standing) != standing) manager_.status(standing);
}

void Supervisor::reloading() {
  if (phase_ != Phase::kRunning) return;  // while starting it is part of the start
  phase_ = Phase::kReloading;
  manager_.reloading();
}

void Supervisor::reloaded() {
  if (phase_ != Phase::kReloading) return;
  phase_ = Phase::kRunning;
  manager_.ready();
  if (manager_.listens()) tell_standing();
}

void Supervisor::stopping(milliseconds most) {
  phase_ = Phase::kStopping;
  manager_.stopping();
  manager_.extend(most);
  manager_.status("stopping: hands over what was read and waits for Kafka's acknowledgements");
}

}  // namespace tickbridge::app
