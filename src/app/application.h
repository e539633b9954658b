#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <tickbridge/version.h>
#include "app/producers.h"
#include "app/roster.h"
#include "app/supervisor.h"
#include "app/watcher.h"
#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "metrics/registry.h"
#include "ops/http_server.h"
#include "pipeline/workers.h"
#include "ring/parking.h"
#include "sink/compacted_log.h"

namespace tickbridge::app {

/// The daemon: wires the rooms together, starts them in order, stops them in the opposite order.
///
/// Threads: the caller of run() is the main thread (sockets, timers, signals); workers decode and commit; each producer
/// has its delivery thread beside the client library's; each feed has one for what blocks (recovery, transactions);
/// HTTP has one; one watches the checkpoint topic.
class Application {
 public:
  using Load = std::function<std::variant<config::Invocation, config::Exit>()>;

  /// `load` reads the configuration again, for SIGHUP.
  Application(config::Invocation invocation, Load load);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  /// Runs until stopped. Returns what the process exits with.
  [[nodiscard]] ExitCode run();

 private:
  enum class Phase : std::uint8_t { kStarting, kRunning, kStopping, kStopped };
  enum class Patience : std::uint8_t { kBounded, kUntilAcknowledged };  // bounded: by shutdown_timeout

  // start-up
  [[nodiscard]] Result<void> start_http();
  [[nodiscard]] Surroundings surroundings(Roster::Config config, bool patient, bool first);
  void open_journal(Roster::Config config, std::function<void(const Result<void>&)> then);
  [[nodiscard]] Result<void> open_topics(const config::Config& config);
  void journal_opened(const Result<void>& result);
  [[nodiscard]] std::unique_ptr<Watcher> watch();

  // running
  void on_signal(int signal);
  void reload();
  void take_over(const Roster::Config& fresh, bool renewed, const Result<void>& opened);
  void reloaded();
  void on_producer_fatal(const sink::Producer* producer, const Error& problem);
  void on_feeds_changed();
  void add_work(pipeline::Feed* feed);
  void remove_work(pipeline::Feed* feed);
  void set_work(std::vector<pipeline::Feed*> working);
  void tick();
  void look_after_log();

  // stopping
  void stop(const std::string& why, Patience patience);
  void await_finish();
  void finish();
  [[nodiscard]] ExitCode worst_code() const;
  void report() const;

  void sample();
  [[nodiscard]] std::string why_not_ready();
  [[nodiscard]] std::string why_not_healthy();
  [[nodiscard]] std::string what_start_awaits();
  [[nodiscard]] std::string standing() const;

  // constant after construction
  const config::Invocation invocation_;
  const Load load_;
  const std::size_t worker_count_;
  const std::string instance_;

  Roster::Config config_;  // what runs; replaced whole by a reload. Main thread

  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_{io_};
  boost::asio::steady_timer timer_{io_};
  boost::asio::steady_timer log_timer_{io_};
  boost::asio::steady_timer deadline_{io_};
  metrics::Registry registry_;
  ring::Parking parking_;
  ops::Recent recent_;  // HTTP's thread

  // destroyed bottom up: HTTP and workers go before the feeds, feeds before their producers and the journal
  std::unique_ptr<sink::CompactedLog> checkpoints_;
  std::unique_ptr<sink::CompactedLog> states_;
  Producers producers_;
  Roster roster_;
  std::vector<pipeline::Feed*> working_;
  std::mutex workers_mutex_;  // guards workers_ against HTTP's thread
  std::unique_ptr<pipeline::Workers> workers_;
  std::unique_ptr<ops::HttpServer> http_;
  std::jthread opening_;  // the journal's topics
  std::unique_ptr<Watcher> watcher_;
  Supervisor supervisor_;

  Phase phase_ = Phase::kStarting;
  Patience patience_ = Patience::kBounded;
  SteadyTime started_at_ = SteadyClock::now();
  std::atomic<bool> running_{false};  // read by HTTP
  bool reloading_ = false;
  ExitCode code_ = ExitCode::kOk;
};

}  // namespace tickbridge::app
