#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "metrics/registry.h"
#include "net/feed_reader.h"
#include "ops/http_server.h"
#include "pipeline/feed.h"
#include "pipeline/workers.h"
#include "ring/parking.h"
#include "sink/producer.h"
#include <tickbridge/version.h>

namespace tickbridge::app {

/// The daemon: wires the rooms together, starts them in order, stops them in the opposite order.
///
/// Threads: the caller of run() is the main thread (sockets, timers, signals); workers decode and commit; each
/// producer has its delivery thread beside the client library's; HTTP has one.
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
  /// One feed with all that belongs to it.
  struct FeedUnit {
    const config::Feed* config = nullptr;
    metrics::FeedMetrics* metrics = nullptr;
    std::unique_ptr<pipeline::Feed> feed;
    std::unique_ptr<sink::Lane> lane;
    std::unique_ptr<net::FeedReader> reader;
    bool finished = false;             // ended or failed
    ExitCode code = ExitCode::kOk;
  };
  enum class Phase : std::uint8_t { kStarting, kRunning, kStopping, kStopped };

  // start-up
  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> make_feed(const config::Feed& config);
  [[nodiscard]] Result<void> connect_to_kafka();
  [[nodiscard]] Result<void> open_lane(FeedUnit& unit);
  [[nodiscard]] Result<sink::Producer*> producer_for(const config::Feed& config);
  [[nodiscard]] Result<void> start_http();
  void started(const Result<void>& result);
  void start_feeds();
  [[nodiscard]] Result<void> make_reader(FeedUnit& unit);

  // running
  void on_signal(int signal);
  void reload();
  void on_feed_failed(FeedUnit& unit, const Error& error);
  void on_reader_failed(FeedUnit& unit, const Error& error);
  void on_feed_ended(FeedUnit& unit);
  void on_producer_fatal(const Error& error);
  void check_finished();
  void tick();

  // stopping
  void stop(const std::string& why);
  void await_drained();
  void finish();
  [[nodiscard]] bool all_acknowledged() const;  ///< flushes for a moment
  [[nodiscard]] bool hopeless() const;
  [[nodiscard]] ExitCode worst_code() const;
  void report() const;

  void sample();
  [[nodiscard]] std::string why_not_ready() const;
  [[nodiscard]] std::string why_not_healthy() const;

  // constant after construction
  config::Invocation invocation_;
  Load load_;
  const config::Config& config_;
  std::size_t worker_count_;

  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_{io_};
  boost::asio::steady_timer timer_{io_};
  metrics::Registry registry_{TICKBRIDGE_VERSION};
  ring::Parking parking_;

  // destroyed bottom up: HTTP, readers and workers go before the producers, lanes before their producer
  struct SharedProducer {
    sink::Delivery delivery;
    sink::Send send;
    std::unique_ptr<sink::Producer> producer;
  };
  std::vector<SharedProducer> producers_;
  std::vector<std::unique_ptr<FeedUnit>> feeds_;
  std::unique_ptr<pipeline::Workers> workers_;
  std::unique_ptr<ops::HttpServer> http_;
  std::future<void> starting_;

  bool producer_dead_ = false;         // nothing more will be acknowledged
  Phase phase_ = Phase::kStarting;
  SteadyTime started_at_ = SteadyClock::now();
  SteadyTime stop_deadline_{};
  std::atomic<bool> running_{false};   // read by HTTP
  ExitCode code_ = ExitCode::kOk;
};

}  // namespace tickbridge::app
