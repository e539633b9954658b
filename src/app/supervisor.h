#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <string>

#include "base/clock.h"
#include "ops/service_manager.h"

namespace tickbridge::app {

/// Keeps the service manager informed: that the start is over, that the threads make progress, how the feeds stand.
/// Its timer is the proof that the main thread does. Main thread.
class Supervisor {
 public:
  struct Questions {
    std::function<std::string()> hangs;     ///< which thread makes no progress; empty: all do
    std::function<std::string()> awaits;    ///< what the start still waits for; empty: nothing
    std::function<std::string()> standing;  ///< the feeds, in one line
  };

  Supervisor(boost::asio::io_context& io, Questions questions);

  /// From here on, where a service manager listens.
  void start();
  /// A reload: from its beginning until what it has changed stands.
  void reloading();
  void reloaded();
  /// The stop may last so long.
  void stopping(milliseconds most);

 private:
  enum class Phase : std::uint8_t { kStarting, kRunning, kReloading, kStopping };
  void tick();
  void look_after_threads();
  void look_after_start();
  void tell_standing();
  [[nodiscard]] milliseconds pause() const;

  const Questions questions_;
  ops::ServiceManager manager_;
  boost::asio::steady_timer timer_;
  Phase phase_ = Phase::kStarting;
  bool ready_told_ = false;
  std::string told_;   // the last status
  std::string hangs_;  // as told
};

}  // namespace tickbridge::app
