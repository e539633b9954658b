#include "app/application.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "ops/log_setup.h"

namespace tickbridge::app {

namespace asio = boost::asio;
using metrics::FeedCounter;
using metrics::FeedState;

namespace {

constexpr milliseconds kTick{100};

std::size_t count_workers(std::size_t configured) {
  if (configured != 0) return configured;
  const unsigned cores = std::max(std::thread::hardware_concurrency(), 2U);
  return cores - 1;
}

/// This process, unlike any other: host, process id, chance.
std::string make_instance() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}-{}-{:08x}", host.data(), ::getpid(), std::random_device{}());
}

}  // namespace

Application::Application(config::Invocation invocation, Load load)
    : invocation_{std::move(invocation)},
      load_{std::move(load)},
      config_{invocation_.config},
      worker_count_{count_workers(config_.pipeline.workers)},
      instance_{make_instance()},
      producers_{config_, [this](const sink::Producer* producer, const Error& problem) {
                   asio::post(io_, [this, producer, problem] { on_producer_fatal(producer, problem); });
                 }} {
  if (invocation_.start) {
    for (config::Feed& feed : invocation_.config.feeds) feed.net.start = *invocation_.start;
  }
}

Application::~Application() = default;

ExitCode Application::run() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.add(SIGHUP);
  const std::function<void(boost::system::error_code, int)> on_signal_again =
      [this, &on_signal_again](boost::system::error_code code, int signal) {
        if (code) return;
        signals_.async_wait(on_signal_again);
        on_signal(signal);
      };
  signals_.async_wait(on_signal_again);
  spdlog::info("tickbridge starts: {} feed(s), {} worker(s), instance {}", config_.feeds.size(), worker_count_,
               instance_);
  make_feeds();
  if (const auto listening = start_http(); !listening) {
    spdlog::error("{}", listening.error().message);
    return listening.error().code;
  }
  // Kafka may keep us waiting; signals and HTTP do not wait for it.
  opening_ = std::jthread{[this] {
    const Result<void> result = open_journal();
    asio::post(io_, [this, result] { journal_opened(result); });
  }};
  io_.run();
  const bool waits = phase_ == Phase::kStopped &&
                     std::any_of(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed->busy(); });
  if (waits) {  // a thread that waits for Kafka cannot be interrupted
    spdlog::shutdown();
    std::_Exit(static_cast<int>(code_));
  }
  return code_;
}

// --- start-up ---

void Application::make_feeds() {
  for (const config::Feed& feed : config_.feeds) {
    feeds_.push_back(std::make_unique<FeedUnit>(
        Surroundings{.io = io_,
                     .config = config_,
                     .invocation = invocation_,
                     .producers = producers_,
                     .parking = parking_,
                     .workers = worker_count_,
                     .instance = instance_,
                     .started_at = started_at_,
                     .checkpoints = &checkpoints_,
                     .states = &states_,
                     .on_changed = [this] { asio::post(io_, [this] { on_feeds_changed(); }); },
                     .add_work = [this](pipeline::Feed* with) { add_work(with); },
                     .remove_work = [this](pipeline::Feed* with) { remove_work(with); }},
        feed, registry_.add_feed(feed.name)));
  }
}

Result<void> Application::start_http() {
  auto server = ops::HttpServer::start(config_.http, {.registry = &registry_,
                                                      .ready = [this] { return why_not_ready(); },
                                                      .healthy = [this] { return why_not_healthy(); },
                                                      .sample = [this] { sample(); },
                                                      .extra = {}});
  if (!server) return server.error();
  http_ = std::move(*server);
  return {};
}

// Frames have no replay, so they need no journal.
Result<void> Application::open_journal() {
  if (std::none_of(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed->journaled(); })) return {};
  const SteadyTime deadline = started_at_ + config_.startup_timeout;
  auto checkpoints = sink::CompactedLog::open(config_.producer, config_.topics, config_.checkpoint.topic,
                                              "read_uncommitted", deadline);
  if (!checkpoints) return checkpoints.error();
  auto states = sink::CompactedLog::open(config_.producer, config_.topics, config_.checkpoint.topic + ".state",
                                         "read_uncommitted", deadline);
  if (!states) return states.error();
  const auto nothing = [](const std::vector<sink::Entry>&) { return true; };
  if (auto read = (*checkpoints)->read_back("", nothing, deadline); !read)
    return read.error();  // epochs are watched from here
  checkpoints_ = std::move(*checkpoints);
  states_ = std::move(*states);
  return {};
}

void Application::journal_opened(const Result<void>& result) {
  if (phase_ != Phase::kStarting) return;
  if (!result) {
    spdlog::error("{}", result.error().message);
    code_ = result.error().code;
    return finish();
  }
  phase_ = Phase::kRunning;
  running_ = true;
  if (checkpoints_) watcher_ = watch();
  for (const auto& feed : feeds_) feed->start();
  tick();
}

// A feed whose newest epoch is not ours has another owner: it stops.
std::unique_ptr<Watcher> Application::watch() {
  return std::make_unique<Watcher>(
      config_, instance_, *checkpoints_, *states_,
      Watcher::Events{.on_epoch =
                          [this](const std::string& name, std::uint64_t epoch, const std::string& instance) {
                            asio::post(io_, [this, name, epoch, instance] {
                              for (const auto& feed : feeds_) {
                                if (feed->config().name == name) feed->saw_epoch(epoch, instance);
                              }
                            });
                          },
                      .on_partitions =
                          [this](const std::string& topic, std::int32_t partitions) {
                            asio::post(io_, [this, topic, partitions] {
                              for (const auto& feed : feeds_) {
                                if (feed->config().sink.topic == topic) feed->saw_partitions(partitions);
                              }
                            });
                          },
                      .on_lost_checkpoints =
                          [this] {
                            asio::post(io_, [this] {
                              for (const auto& feed : feeds_) feed->lost_checkpoints();
                            });
                          }});
}

// --- running ---

void Application::on_signal(int signal) {
  if (signal == SIGHUP) return reload();
  if (phase_ == Phase::kStarting) {
    spdlog::info("stopped by signal {} while starting; nothing was read", signal);
    spdlog::shutdown();
    std::_Exit(0);  // the thread that waits for Kafka cannot be interrupted
  }
  if (phase_ == Phase::kRunning) return stop(fmt::format("signal {}", signal), Patience::kBounded);
  if (phase_ == Phase::kStopping && patience_ == Patience::kUntilAcknowledged) {  // the first signal
    spdlog::info("signal {}: the end is waited for {} ms more at most", signal, config_.shutdown_timeout.count());
    patience_ = Patience::kBounded;
    return await_finish();
  }
  spdlog::error("second signal: exiting at once, records may be not acknowledged");
  spdlog::shutdown();
  std::_Exit(static_cast<int>(ExitCode::kUnacknowledged));
}

// Takes over what the table of options marks reloadable; names what needs a restart. A broken file changes nothing.
void Application::reload() {
  const auto loaded = load_();
  if (const auto* const problem = std::get_if<config::Exit>(&loaded)) {
    spdlog::error("reload: the configuration stays as it is: {}", problem->text);
    return;
  }
  const config::Config& fresh = std::get<config::Invocation>(loaded).config;
  for (const config::Difference& difference : config::differences(config_, fresh)) {
    if (!difference.reloadable) spdlog::warn("reload: {} has changed and needs a restart", difference.option);
  }
  ops::set_log_level(fresh.log.level);
  spdlog::info("reload: done, log.level is {}", fresh.log.level);
}

void Application::on_producer_fatal(const sink::Producer* producer, const Error& problem) {
  if (phase_ == Phase::kStopped) return;
  producers_.retire(producer);
  for (const auto& feed : feeds_) feed->producer_failed(producer, problem);
}

void Application::on_feeds_changed() {
  const auto all = [this](auto what) { return std::all_of(feeds_.begin(), feeds_.end(), what); };
  if (phase_ == Phase::kRunning && all([](const auto& feed) { return feed->over(); })) {
    invocation_.exit_at_end ? stop("all feeds have ended", Patience::kUntilAcknowledged)
                            : stop("all feeds have failed", Patience::kBounded);
  }
  if (phase_ == Phase::kStopping && all([](const auto& feed) { return feed->finished(); })) finish();
}

void Application::add_work(pipeline::Feed* feed) {
  std::vector<pipeline::Feed*> working = working_;
  working.push_back(feed);
  set_work(std::move(working));
}

void Application::remove_work(pipeline::Feed* feed) {
  std::vector<pipeline::Feed*> working = working_;
  std::erase(working, feed);
  set_work(std::move(working));
}

// The workers stop for a moment: what they were doing is done, and nobody is in a feed that is not in the new list.
void Application::set_work(std::vector<pipeline::Feed*> working) {
  const std::scoped_lock lock{workers_mutex_};
  workers_.reset();
  working_ = std::move(working);
  if (!working_.empty()) workers_ = std::make_unique<pipeline::Workers>(worker_count_, working_, parking_);
}

// Policies with a time limit need somebody to look at the clock.
void Application::tick() {
  if (phase_ == Phase::kStopped) return;
  const bool wanted = std::any_of(config_.feeds.begin(), config_.feeds.end(),
                                  [](const auto& feed) { return feed.sink.when_full != sink::WhenFull::kWait; });
  if (!wanted) return;
  for (pipeline::Feed* const feed : working_) {
    if (feed->stalled()) feed->kick();
  }
  timer_.expires_after(kTick);
  timer_.async_wait([this](boost::system::error_code code) {
    if (!code) tick();
  });
}

// --- stopping: readers, then what was read, then acknowledgements and checkpoints, then threads ---

void Application::stop(const std::string& why, Patience patience) {
  spdlog::info("stopping: {}", why);
  phase_ = Phase::kStopping;
  patience_ = patience;
  await_finish();
  for (const auto& feed : feeds_) feed->stop();
  on_feeds_changed();
}

// A feed that has failed is never waited for any longer than shutdown_timeout.
void Application::await_finish() {
  deadline_.expires_after(config_.shutdown_timeout);
  deadline_.async_wait([this](boost::system::error_code code) {
    if (code || phase_ != Phase::kStopping) return;
    std::string waiting;
    for (const auto& feed : feeds_) {
      if (feed->finished() || feed->code() != ExitCode::kOk) continue;
      waiting += fmt::format("{}{} ({} records)", waiting.empty() ? "" : ", ", feed->config().name, feed->in_flight());
    }
    if (waiting.empty() || patience_ == Patience::kBounded) return finish();
    spdlog::warn("still waiting for Kafka's acknowledgements (--exit-at-end): {}", waiting);
    await_finish();
  });
}

void Application::finish() {
  if (phase_ == Phase::kStopped) return;
  if (phase_ == Phase::kStopping) {
    code_ = worst_code();
    const bool done = std::all_of(feeds_.begin(), feeds_.end(),
                                  [](const auto& feed) { return feed->finished() && feed->in_flight() == 0; });
    if (code_ == ExitCode::kOk && !done) code_ = ExitCode::kUnacknowledged;
    report();
  }
  phase_ = Phase::kStopped;
  running_ = false;
  http_.reset();
  watcher_.reset();
  set_work({});
  signals_.cancel();
  io_.stop();
}

ExitCode Application::worst_code() const {
  constexpr std::array kWorstFirst{ExitCode::kInternal,       ExitCode::kData,   ExitCode::kProtocol,
                                   ExitCode::kUnacknowledged, ExitCode::kConfig, ExitCode::kUnavailable};
  for (const ExitCode code : kWorstFirst) {
    if (std::any_of(feeds_.begin(), feeds_.end(), [code](const auto& feed) { return feed->code() == code; }))
      return code;
  }
  return ExitCode::kOk;
}

void Application::report() const {
  for (const auto& feed : feeds_) {
    const metrics::FeedMetrics& metrics = feed->metrics();
    spdlog::info(
        "feed {}: {} packets, {} messages received, {} skipped, {} committed, {} acknowledged, {} dead-lettered, {} "
        "not "
        "acknowledged, {} gaps, {} reconnects",
        feed->config().name, metrics.value(FeedCounter::kPacketsReceived),
        metrics.value(FeedCounter::kMessagesReceived), metrics.value(FeedCounter::kMessagesSkipped),
        metrics.value(FeedCounter::kMessagesCommitted), metrics.value(FeedCounter::kMessagesAcknowledged),
        metrics.value(FeedCounter::kMessagesDeadLettered), feed->in_flight(), metrics.value(FeedCounter::kGaps),
        metrics.value(FeedCounter::kReconnects));
  }
}

// --- what HTTP asks; HTTP's thread ---

void Application::sample() {
  using metrics::DaemonGauge;
  using metrics::FeedGauge;
  std::int64_t in_flight = 0;
  std::int64_t limit = 0;
  for (const auto& feed : feeds_) {
    feed->sample();
    in_flight += feed->metrics().value(FeedGauge::kInFlight);
    limit += feed->metrics().value(FeedGauge::kInFlightLimit);
  }
  registry_.daemon().set(DaemonGauge::kProducerInFlight, in_flight);
  registry_.daemon().set(DaemonGauge::kProducerInFlightLimit, limit);
  registry_.daemon().set(DaemonGauge::kWorkers, static_cast<std::int64_t>(worker_count_));
  registry_.daemon().set(DaemonGauge::kWorkersParked, parking_.sleepers());
}

std::string Application::why_not_ready() {
  if (!running_) return "starting or stopping";
  if (!producers_.can_write()) return "no connection to Kafka";
  for (const auto& feed : feeds_) {
    const FeedState state = feed->metrics().state();
    if (state != FeedState::kStreaming && state != FeedState::kEnded) {
      return fmt::format("feed {} is {}", feed->config().name, metrics::name(state));
    }
  }
  return {};
}

std::string Application::why_not_healthy() {
  if (!running_) return {};
  const std::scoped_lock lock{workers_mutex_};
  return !workers_ || workers_->progressing() ? std::string{} : "a worker makes no progress";
}

}  // namespace tickbridge::app
