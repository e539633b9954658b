#include "app/application.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>

#include "base/log.h"
#include "ops/log_setup.h"
#include "sink/versions.h"

namespace tickbridge::app {

namespace asio = boost::asio;
using metrics::FeedCounter;
using metrics::FeedState;

namespace {

constexpr milliseconds kTick{100};
constexpr milliseconds kLogLook{1'000};
constexpr milliseconds kStopMargin{10'000};  // from the end of the waiting to that of the process

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

/// Logged in, or with nothing to do.
bool counts_as_ready(FeedState state) {
  return state == FeedState::kStreaming || state == FeedState::kEnded || state == FeedState::kClosed;
}

}  // namespace

Application::Application(config::Invocation invocation, Load load)
    : invocation_{std::move(invocation)},
      load_{std::move(load)},
      worker_count_{count_workers(invocation_.config.pipeline.workers)},
      instance_{make_instance()},
      config_{std::make_shared<const config::Config>(invocation_.config)},
      registry_{TICKBRIDGE_VERSION, SteadyClock::now(), {{"librdkafka", sink::library_version_name()}}},
      producers_{registry_.daemon(),
                 [this](const sink::Producer* producer, const Error& problem) {
                   asio::post(io_, [this, producer, problem] { on_producer_fatal(producer, problem); });
                 }},
      roster_{{.surroundings = [this](Roster::Config config, bool patient,
                                      bool first) { return surroundings(std::move(config), patient, first); },
               .registry = registry_,
               .io = io_,
               .on_idle = [this] { reloaded(); }}},
      supervisor_{io_,
                  {.hangs = [this] { return why_not_healthy(); },
                   .awaits = [this] { return what_start_awaits(); },
                   .standing = [this] { return standing(); }}} {}

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
  log_event(Event::kStarting, "tickbridge starts: {} feed(s), {} worker(s), instance {}", config_->feeds.size(),
            worker_count_, instance_);
  look_after_log();
  producers_.configure(config_, false);
  if (const auto planned = roster_.check(*config_); !planned) {
    log_event(Event::kStartFailed, "{}", planned.error().message);
    return planned.error().code;
  }
  roster_.plan(config_);
  if (const auto listening = start_http(); !listening) {
    log_event(Event::kStartFailed, "{}", listening.error().message);
    return listening.error().code;
  }
  supervisor_.start();
  open_journal(config_, [this](const Result<void>& result) { journal_opened(result); });
  io_.run();
  if (phase_ == Phase::kStopped && roster_.busy()) {  // a thread that waits for Kafka cannot be interrupted
    end_log();
    std::_Exit(static_cast<int>(code_));
  }
  return code_;
}

// --- start-up ---

// --start has its effect once: on a feed's first unit.
Surroundings Application::surroundings(Roster::Config config, bool patient, bool first) {
  const config::Config& settings = *config;
  return {.io = io_,
          .snapshot = std::move(config),
          .config = settings,
          .forced_start = first ? invocation_.start : std::nullopt,
          .exit_at_end = invocation_.exit_at_end,
          .accept_change = invocation_.accept_change,
          .patient = patient,
          .producers = producers_,
          .parking = parking_,
          .workers = worker_count_,
          .instance = instance_,
          .started_at = patient ? SteadyClock::now() : started_at_,
          .checkpoints = &checkpoints_,
          .states = &states_,
          .on_changed = [this] { asio::post(io_, [this] { on_feeds_changed(); }); },
          .add_work = [this](pipeline::Feed* with) { add_work(with); },
          .remove_work = [this](pipeline::Feed* with) { remove_work(with); }};
}

Result<void> Application::start_http() {
  auto server = ops::HttpServer::start(config_->http,
                                       {.registry = &registry_,
                                        .ready = [this] { return why_not_ready(); },
                                        .healthy = [this] { return why_not_healthy(); },
                                        .sample = [this] { sample(); },
                                        .extra = {},
                                        .connected = [this] { return producers_.can_write(); },
                                        .placement = [this](std::string_view feed) { return roster_.placement(feed); },
                                        .recent = &recent_});
  if (!server) return server.error();
  http_ = std::move(*server);
  return {};
}

// Kafka may keep us waiting; signals and HTTP do not wait for it.
void Application::open_journal(Roster::Config config, std::function<void(const Result<void>&)> then) {
  const bool wanted = !checkpoints_ && std::ranges::any_of(config->feeds, journaled_feed);
  opening_ = std::jthread{[this, config = std::move(config), then = std::move(then), wanted] {
    const Result<void> result = wanted ? open_topics(*config) : Result<void>{};
    asio::post(io_, [result, then] { then(result); });
  }};
}

Result<void> Application::open_topics(const config::Config& config) {
  const SteadyTime deadline = SteadyClock::now() + config.startup_timeout;
  auto checkpoints =
      sink::CompactedLog::open(config.producer, config.topics, config.checkpoint.topic, "read_uncommitted", deadline);
  if (!checkpoints) return checkpoints.error();
  auto states = sink::CompactedLog::open(config.producer, config.topics, config.checkpoint.topic + ".state",
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
    log_event(Event::kStartFailed, "{}", result.error().message);
    code_ = result.error().code;
    return finish();
  }
  phase_ = Phase::kRunning;
  running_ = true;
  if (checkpoints_) watcher_ = watch();
  roster_.start();
  tick();
}

// A feed whose newest epoch is not ours has another owner: it stops.
std::unique_ptr<Watcher> Application::watch() {
  const auto tell = [this](auto what) { asio::post(io_, [this, what] { roster_.for_each(what); }); };
  return std::make_unique<Watcher>(
      config_, instance_, *checkpoints_, *states_,
      Watcher::Events{.on_epoch =
                          [tell](const std::string& name, std::uint64_t epoch, const std::string& instance) {
                            tell([=](FeedUnit& feed) {
                              if (feed.config().name == name) feed.saw_epoch(epoch, instance);
                            });
                          },
                      .on_partitions =
                          [tell](const std::string& topic, std::int32_t partitions) {
                            tell([=](FeedUnit& feed) {
                              if (feed.config().sink.topic == topic) feed.saw_partitions(partitions);
                            });
                          },
                      .on_lost_checkpoints = [tell] { tell([](FeedUnit& feed) { feed.lost_checkpoints(); }); }});
}

// --- running ---

void Application::on_signal(int signal) {
  if (signal == SIGHUP) return reload();
  if (phase_ == Phase::kStarting) {
    log_event(Event::kStopping, "stopped by signal {} while starting; nothing was read", signal);
    end_log();
    std::_Exit(0);  // the thread that waits for Kafka cannot be interrupted
  }
  if (phase_ == Phase::kRunning) return stop(fmt::format("signal {}", signal), Patience::kBounded);
  if (phase_ == Phase::kStopping && patience_ == Patience::kUntilAcknowledged) {  // the first signal
    log_event(Event::kStopping, "signal {}: the end is waited for {} ms more at most", signal,
              config_->shutdown_timeout.count());
    patience_ = Patience::kBounded;
    return await_finish();
  }
  log_event(Event::kStoppedAtOnce, "second signal: exiting at once, records may be not acknowledged");
  end_log();
  std::_Exit(static_cast<int>(ExitCode::kUnacknowledged));
}

// A broken file changes nothing.
void Application::reload() {
  if (phase_ != Phase::kRunning || reloading_) {
    log_event(Event::kReloadRefused, "reload: not now: the daemon {}; send SIGHUP again",
              reloading_ ? "is at the reload before" : "starts or stops");
    return;
  }
  reloading_ = true;
  supervisor_.reloading();
  const auto loaded = load_();
  if (const auto* const problem = std::get_if<config::Exit>(&loaded)) {
    log_event(Event::kReloadRefused, "reload: the configuration stays as it is: {}", problem->text);
    return reloaded();
  }
  const config::Config& fresh = std::get<config::Invocation>(loaded).config;
  const auto differences = config::differences(*config_, fresh);
  const bool renewed =
      std::ranges::any_of(differences, [](const auto& d) { return d.takes == config::Reload::kFeeds; });
  for (const config::Difference& difference : differences) {
    if (difference.takes == config::Reload::kRestart) {
      log_event(Event::kRestartNeeded, "reload: {} has changed and needs a restart", difference.option);
    } else {
      log_event(Event::kOptionChanged, "reload: {} has changed", difference.option);
    }
  }
  auto taken = std::make_shared<const config::Config>(config::taken_over(*config_, fresh));
  open_journal(taken, [this, taken, renewed](const Result<void>& opened) { take_over(taken, renewed, opened); });
}

void Application::take_over(const Roster::Config& fresh, bool renewed, const Result<void>& opened) {
  if (phase_ != Phase::kRunning) return;
  if (const Result<void> planned = opened ? roster_.check(*fresh) : opened; !planned) {
    log_event(Event::kReloadRefused, "reload: the configuration stays as it is: {}", planned.error().message);
    return reloaded();
  }
  config_ = fresh;
  ops::adjust_logging(fresh->log);
  producers_.configure(fresh, renewed);
  if (watcher_) watcher_->adopt(fresh);
  if (checkpoints_ && !watcher_) watcher_ = watch();
  log_event(Event::kReloaded, "reload: done, log.level is {}", fresh->log.level);
  roster_.adopt(fresh, renewed);
}

// The feeds that were to leave have left, and others have begun.
void Application::reloaded() {
  reloading_ = false;
  supervisor_.reloaded();
}

void Application::on_producer_fatal(const sink::Producer* producer, const Error& problem) {
  if (phase_ == Phase::kStopped) return;
  producers_.retire(producer);
  roster_.for_each([&](FeedUnit& feed) { feed.producer_failed(producer, problem); });
}

void Application::on_feeds_changed() {
  if (phase_ == Phase::kStopping && roster_.finished()) return finish();
  if (phase_ != Phase::kRunning) return;
  roster_.look();
  if (!roster_.over()) return;
  invocation_.exit_at_end ? stop("all feeds have ended", Patience::kUntilAcknowledged)
                          : stop("all feeds have failed", Patience::kBounded);
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
  const bool wanted = std::ranges::any_of(
      config_->feeds, [](const auto& feed) { return feed.sink.when_full != sink::WhenFull::kWait; });
  if (!wanted) return;
  for (pipeline::Feed* const feed : working_) {
    if (feed->stalled()) feed->kick();
  }
  timer_.expires_after(kTick);
  timer_.async_wait([this](boost::system::error_code code) {
    if (!code) tick();
  });
}

// What the log's limit held back is told, though no further line of its kind comes.
void Application::look_after_log() {
  tell_held_back(SteadyClock::now());
  log_timer_.expires_after(kLogLook);
  log_timer_.async_wait([this](boost::system::error_code code) {
    if (!code) look_after_log();
  });
}

// --- stopping: readers, then what was read, then acknowledgements and checkpoints, then threads ---

void Application::stop(const std::string& why, Patience patience) {
  log_event(Event::kStopping, "stopping: {}", why);
  phase_ = Phase::kStopping;
  patience_ = patience;
  supervisor_.stopping(config_->shutdown_timeout + kStopMargin);
  await_finish();
  roster_.stop();
  on_feeds_changed();
}

// A feed that has failed is never waited for any longer than shutdown_timeout.
void Application::await_finish() {
  deadline_.expires_after(config_->shutdown_timeout);
  deadline_.async_wait([this](boost::system::error_code code) {
    if (code || phase_ != Phase::kStopping) return;
    std::string waiting;
    roster_.for_each([&](FeedUnit& feed) {
      if (feed.finished() || feed.code() != ExitCode::kOk) return;
      waiting += fmt::format("{}{} ({} records)", waiting.empty() ? "" : ", ", feed.config().name, feed.in_flight());
    });
    if (waiting.empty() || patience_ == Patience::kBounded) return finish();
    log_event(Event::kStopWaits, "still waiting for Kafka's acknowledgements (--exit-at-end): {}", waiting);
    supervisor_.stopping(config_->shutdown_timeout + kStopMargin);
    await_finish();
  });
}

void Application::finish() {
  if (phase_ == Phase::kStopped) return;
  if (phase_ == Phase::kStopping) {
    code_ = worst_code();
    bool done = true;
    roster_.for_each([&](FeedUnit& feed) { done = done && feed.finished() && feed.in_flight() == 0; });
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
  std::size_t worst = kWorstFirst.size();
  roster_.for_each([&](const FeedUnit& feed) {
    const auto at = std::ranges::find(kWorstFirst, feed.code()) - kWorstFirst.begin();
    worst = std::min(worst, static_cast<std::size_t>(at));
  });
  return worst == kWorstFirst.size() ? ExitCode::kOk : kWorstFirst.at(worst);
}

void Application::report() const {
  roster_.for_each([](const FeedUnit& feed) {
    const metrics::FeedMetrics& metrics = feed.metrics();
    log_event(Event::kFeedSummary, of_feed(feed.config().name),
              "{} packets, {} messages received, {} skipped, {} committed, {} acknowledged, {} dead-lettered, {} "
              "not "
              "acknowledged, {} gaps, {} reconnects",
              metrics.value(FeedCounter::kPacketsReceived), metrics.value(FeedCounter::kMessagesReceived),
              metrics.value(FeedCounter::kMessagesSkipped), metrics.value(FeedCounter::kMessagesCommitted),
              metrics.value(FeedCounter::kMessagesAcknowledged), metrics.value(FeedCounter::kMessagesDeadLettered),
              feed.in_flight(), metrics.value(FeedCounter::kGaps), metrics.value(FeedCounter::kReconnects));
  });
}

// --- what HTTP asks; HTTP's thread ---

void Application::sample() {
  using metrics::DaemonGauge;
  using metrics::FeedGauge;
  std::int64_t in_flight = 0;
  std::int64_t limit = 0;
  roster_.sample();
  for (const metrics::FeedMetrics* const feed : registry_.feeds()) {
    in_flight += feed->value(FeedGauge::kInFlight);
    limit += feed->value(FeedGauge::kInFlightLimit);
  }
  registry_.daemon().set(DaemonGauge::kReady, why_not_ready().empty() ? 1 : 0);
  registry_.daemon().set(DaemonGauge::kProducerConnected, running_ && producers_.can_write() ? 1 : 0);
  registry_.daemon().set(DaemonGauge::kProducerInFlight, in_flight);
  registry_.daemon().set(DaemonGauge::kProducerInFlightLimit, limit);
  registry_.daemon().set(DaemonGauge::kWorkers, static_cast<std::int64_t>(worker_count_));
  registry_.daemon().set(DaemonGauge::kWorkersParked, parking_.sleepers());
}

std::string Application::why_not_ready() {
  if (!running_) return "starting or stopping";
  if (!producers_.can_write()) return "no connection to Kafka";
  for (const metrics::FeedMetrics* const feed : registry_.feeds()) {
    if (!counts_as_ready(feed->state()))
      return fmt::format("feed {} is {}", feed->feed(), metrics::name(feed->state()));
  }
  return {};
}

// Any thread: of the main thread its timers are the proof.
std::string Application::why_not_healthy() {
  if (!running_) return {};
  if (!producers_.progressing()) return "the delivery thread makes no progress";
  const std::scoped_lock lock{workers_mutex_};
  return !workers_ || workers_->progressing() ? std::string{} : "a worker makes no progress";
}

// A feed that has failed for good is told, and not waited for: the others work.
std::string Application::what_start_awaits() {
  if (!running_) return "Kafka";
  if (!producers_.can_write()) return "a connection to Kafka";
  for (const metrics::FeedMetrics* const feed : registry_.feeds()) {
    const FeedState state = feed->state();
    if (!counts_as_ready(state) && state != FeedState::kFailed)
      return fmt::format("feed {}, which is {}", feed->feed(), metrics::name(state));
  }
  return {};
}

// "nasdaq streaming; arca closed"; of many feeds how many are in each state.
std::string Application::standing() const {
  constexpr std::size_t kNamed = 4;
  const auto feeds = registry_.feeds();
  std::string text;
  const auto add = [&text](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
  if (feeds.size() <= kNamed) {
    for (const auto* const feed : feeds) {
      add(fmt::format("{} {}, {} messages acknowledged", feed->feed(), metrics::name(feed->state()),
                      feed->value(FeedCounter::kMessagesAcknowledged)));
    }
    return text;
  }
  std::map<std::string_view, int> states;
  for (const auto* const feed : feeds) ++states[metrics::name(feed->state())];
  for (const auto& [state, count] : states) add(fmt::format("{} feeds {}", count, state));
  return text;
}

}  // namespace tickbridge::app
