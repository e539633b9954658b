#include "app/application.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "ops/log_setup.h"
#include "pipeline/trading_day.h"
#include "sink/topic_settings.h"

namespace tickbridge::app {

namespace asio = boost::asio;
using metrics::FeedCounter;
using metrics::FeedState;

namespace {

constexpr milliseconds kTick{100};
constexpr milliseconds kDrainPoll{5};

std::size_t count_workers(std::size_t configured) {
  if (configured != 0) return configured;
  const unsigned cores = std::max(std::thread::hardware_concurrency(), 2U);
  return cores - 1;
}

/// What the first login asks for: 0 is the newest, 1 the beginning.
std::uint64_t first_sequence(const config::Feed& feed) {
  if (feed.codec.transport == codec::Transport::kFrames) return 1;
  if (feed.net.start == "now") return 0;
  std::uint64_t sequence = 1;
  std::from_chars(feed.net.start.data(), feed.net.start.data() + feed.net.start.size(), sequence);
  return sequence;
}

Result<std::string> read_password(const config::Feed& feed) {
  if (feed.net.password_file.empty()) return std::string{};
  std::ifstream file{feed.net.password_file};
  std::string password;
  if (!std::getline(file, password)) {
    return error(ExitCode::kConfig, fmt::format("feed.{}.password_file = \"{}\" cannot be read, or is empty", feed.name,
                                                feed.net.password_file));
  }
  return password;
}

/// Whether the topic takes the exchange's times of the whole trading day. A live feed's are near the broker's clock, so
/// for "today" it is a warning; a day that was named is refused, because its records would be.
Result<void> check_timestamps(const config::Feed& feed, std::string_view servers, const sink::TopicInfo& topic,
                              const pipeline::TradingDay& day) {
  if (feed.policies.timestamp != pipeline::Timestamp::kExchange) return {};
  constexpr std::int64_t kDayMs = 86'400'000;
  const std::int64_t now_ns = wall_nanoseconds();
  const std::int64_t midnight = day.midnight_ms(now_ns);
  const std::string refused =
      sink::timestamps_refused(topic, servers, feed.sink.topic, midnight, midnight + kDayMs - 1, now_ns / 1'000'000);
  if (refused.empty()) return {};
  if (feed.policies.trading_date != "today") return error(ExitCode::kUnavailable, refused);
  spdlog::warn("feed {}: a session replayed today could be refused: {}", feed.name, refused);
  return {};
}

}  // namespace

Application::Application(config::Invocation invocation, Load load)
    : invocation_{std::move(invocation)},
      load_{std::move(load)},
      config_{invocation_.config},
      worker_count_{count_workers(config_.pipeline.workers)} {
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
  if (const auto prepared = prepare(); !prepared) {
    spdlog::error("{}", prepared.error().message);
    return prepared.error().code;
  }
  // Kafka may keep us waiting; signals and HTTP do not wait for it.
  starting_ = std::async(std::launch::async, [this] {
    Result<void> result;
    try {
      result = connect_to_kafka();
    } catch (const std::exception& problem) {
      result = error(ExitCode::kInternal, fmt::format("connecting to Kafka failed: {}", problem.what()));
    }
    asio::post(io_, [this, result] { started(result); });
  });
  io_.run();
  return code_;
}

// --- start-up ---

Result<void> Application::prepare() {
  spdlog::info("tickbridge starts: {} feed(s), {} worker(s)", config_.feeds.size(), worker_count_);
  for (const config::Feed& feed : config_.feeds) {
    if (auto made = make_feed(feed); !made) return made;
  }
  return start_http();
}

Result<void> Application::make_feed(const config::Feed& config) {
  auto unit = std::make_unique<FeedUnit>();
  FeedUnit* const self = unit.get();
  self->config = &config;
  self->metrics = &registry_.add_feed(config.name);
  auto feed = pipeline::Feed::create(
      {.name = config.name, .codec = config.codec, .pipeline = config_.pipeline, .workers = worker_count_, .before_decode = {}},
      parking_, *self->metrics,
      {.on_space = [self] { self->reader->wake(); },
       .on_scan = [self](std::uint64_t connection, const net::Scan& scan) { self->reader->report(connection, scan); },
       .on_failed =
           [this, self](const Error& problem) {
             asio::post(io_, [this, self, problem] { on_feed_failed(*self, problem); });
           }});
  if (!feed) return feed.error();
  self->feed = std::move(*feed);
  feeds_.push_back(std::move(unit));
  return {};
}

Result<void> Application::start_http() {
  auto server = ops::HttpServer::start(
      config_.http, {.registry = &registry_,
                     .ready = [this] { return why_not_ready(); },
                     .healthy = [this] { return why_not_healthy(); },
                     .sample = [this] { sample(); },
                     .extra = {}});
  if (!server) return server.error();
  http_ = std::move(*server);
  return {};
}

Result<void> Application::connect_to_kafka() {
  for (const auto& unit : feeds_) {
    if (auto opened = open_lane(*unit); !opened) return opened;
  }
  return {};
}

Result<sink::Producer*> Application::producer_for(const config::Feed& config) {
  const auto wanted = [&config](const SharedProducer& shared) {
    return shared.delivery == config.sink.delivery && shared.send == config.sink.send;
  };
  const auto found = std::find_if(producers_.begin(), producers_.end(), wanted);
  if (found != producers_.end()) return found->producer.get();
  auto producer = sink::Producer::create(config_.producer, config.sink.delivery, config.sink.send, [this](const Error& problem) {
    asio::post(io_, [this, problem] { on_producer_fatal(problem); });
  });
  if (!producer) return producer.error();
  producers_.push_back({config.sink.delivery, config.sink.send, std::move(*producer)});
  return producers_.back().producer.get();
}

Result<void> Application::open_lane(FeedUnit& unit) {
  const config::Feed& config = *unit.config;
  auto producer = producer_for(config);
  if (!producer) return producer.error();
  const auto left = std::chrono::duration_cast<milliseconds>(started_at_ + config_.startup_timeout - SteadyClock::now());
  pipeline::Feed* const feed = unit.feed.get();
  auto lane = (*producer)->open_lane(
      config.name, config.sink, config_.topics, feeds_.size(), *unit.metrics,
      {.on_room = [feed] { feed->kick(); }, .on_failed = [feed](const Error& problem) { feed->fail(problem); }},
      std::max(left, milliseconds{1}));
  if (!lane) return lane.error();
  unit.lane = std::move(*lane);
  if (auto there = routing::check_partitions(config.routing, unit.lane->topic().partitions); !there) return there;
  const std::string& servers = config_.producer.properties.at("bootstrap.servers");
  const bool wants_broker_time = config.policies.timestamp == pipeline::Timestamp::kBroker;
  if (wants_broker_time && !unit.lane->topic().log_append_time) {
    return error(ExitCode::kUnavailable,
                 fmt::format("feed.{}.timestamp = \"broker\" needs a topic with LogAppendTime; run: {}", config.name,
                             sink::alter_command(servers, config.sink.topic, "message.timestamp.type=LogAppendTime")));
  }
  if (!wants_broker_time && unit.lane->topic().log_append_time) {
    spdlog::warn("feed {}: topic {} has message.timestamp.type=LogAppendTime, so the broker replaces the timestamps; set "
                 "feed.{}.timestamp = \"broker\" to say that it is meant",
                 config.name, config.sink.topic, config.name);
  }
  auto day = pipeline::TradingDay::create(config.policies.trading_date, config.policies.time_zone);
  if (!day) return day.error();
  if (auto fits = check_timestamps(config, servers, unit.lane->topic(), *day); !fits) return fits;
  unit.feed->attach({.feed = config.name,
                     .policies = config.policies,
                     .when_full = config.sink.when_full,
                     .max_block = config_.producer.max_block,
                     .session = config.net.session,
                     .first_sequence = first_sequence(config)},
                    std::move(*day), config.routing, *unit.lane);
  return {};
}

void Application::started(const Result<void>& result) {
  if (!result) {
    spdlog::error("{}", result.error().message);
    code_ = result.error().code;
    finish();
    return;
  }
  if (phase_ == Phase::kStarting) start_feeds();
}

Result<void> Application::make_reader(FeedUnit& unit) {
  auto password = read_password(*unit.config);
  if (!password) return password.error();
  unit.reader = std::make_unique<net::FeedReader>(
      io_, unit.config->name, unit.config->codec, unit.config->net, *password, !invocation_.exit_at_end, *unit.feed,
      *unit.metrics,
      net::ReaderEvents{.on_ended = [this, &unit] { on_feed_ended(unit); },
                        .on_failed = [this, &unit](const Error& problem) { on_reader_failed(unit, problem); }});
  return {};
}

void Application::start_feeds() {
  std::vector<pipeline::Feed*> feeds;
  for (const auto& unit : feeds_) {
    if (const auto made = make_reader(*unit); !made) return started(made);
    feeds.push_back(unit->feed.get());
  }
  phase_ = Phase::kRunning;
  workers_ = std::make_unique<pipeline::Workers>(worker_count_, feeds, parking_);
  running_ = true;  // from here on HTTP asks the workers
  for (const auto& unit : feeds_) {
    if (!unit->finished) unit->reader->start(started_at_ + config_.startup_timeout);
  }
  tick();
  check_finished();  // the producer may have failed while we started
}

// --- running ---

void Application::on_signal(int signal) {
  if (signal == SIGHUP) return reload();
  if (phase_ == Phase::kStarting) {
    spdlog::info("stopped by signal {} while starting; nothing was read", signal);
    spdlog::shutdown();
    std::_Exit(0);  // the thread that waits for Kafka cannot be interrupted
  }
  if (phase_ == Phase::kRunning) return stop(fmt::format("signal {}", signal));
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

void Application::on_feed_failed(FeedUnit& unit, const Error& problem) {
  unit.feed->fail(problem);
  on_reader_failed(unit, problem);
}

// What was read before is still handed over.
void Application::on_reader_failed(FeedUnit& unit, const Error& problem) {
  if (unit.code != ExitCode::kOk) return;
  spdlog::error("{}; feed {} stops (code {})", problem.message, unit.config->name, static_cast<int>(problem.code));
  unit.code = problem.code;
  unit.metrics->set_last_error(problem.message);
  unit.finished = true;
  if (unit.reader) unit.reader->stop();
  unit.metrics->set_state(FeedState::kFailed);
  check_finished();
}

void Application::on_feed_ended(FeedUnit& unit) {
  if (invocation_.exit_at_end) unit.finished = true;
  check_finished();
}

void Application::on_producer_fatal(const Error& problem) {
  producer_dead_ = true;
  for (const auto& unit : feeds_) on_feed_failed(*unit, problem);
}

void Application::check_finished() {
  if (phase_ != Phase::kRunning) return;
  if (!std::all_of(feeds_.begin(), feeds_.end(), [](const auto& unit) { return unit->finished; })) return;
  stop(invocation_.exit_at_end ? "all feeds have ended" : "all feeds have failed");
}

// Policies with a time limit need somebody to look at the clock.
void Application::tick() {
  if (phase_ != Phase::kRunning) return;
  bool wanted = false;
  for (const auto& unit : feeds_) {
    if (unit->config->sink.when_full == sink::WhenFull::kWait) continue;
    wanted = true;
    if (unit->feed->stalled()) unit->feed->kick();
  }
  if (!wanted) return;
  timer_.expires_after(kTick);
  timer_.async_wait([this](boost::system::error_code code) {
    if (!code) tick();
  });
}

// --- stopping: readers, then what was read, then acknowledgements, then threads ---

void Application::stop(const std::string& why) {
  spdlog::info("stopping: {}", why);
  phase_ = Phase::kStopping;
  stop_deadline_ = SteadyClock::now() + config_.shutdown_timeout;
  for (const auto& unit : feeds_) unit->reader->stop();
  await_drained();
}

// A failure shows in the feed, the lane or the producer before it is told here, and only then has the process its code;
// so a failure that is not told yet is waited for.
bool Application::all_acknowledged() const {
  if (!std::all_of(feeds_.begin(), feeds_.end(), [](const auto& unit) { return unit->feed->drained(); })) return false;
  bool flushed = true;  // false also when the producer has failed
  for (const SharedProducer& shared : producers_) flushed &= shared.producer->flush(kDrainPoll);
  return flushed && std::all_of(feeds_.begin(), feeds_.end(), [](const auto& unit) {
           const bool told = unit->code != ExitCode::kOk;
           return unit->lane->in_flight() == 0 && (told || !(unit->feed->failed() || unit->lane->failed()));
         });
}

// True when no lane will be acknowledged any more, so that waiting is of no use.
bool Application::hopeless() const {
  return producer_dead_ || std::all_of(feeds_.begin(), feeds_.end(), [](const auto& unit) {
           return unit->lane->failed() && unit->code != ExitCode::kOk;
         });
}

void Application::await_drained() {
  const bool acknowledged = all_acknowledged();
  if (acknowledged || hopeless() || SteadyClock::now() >= stop_deadline_) {
    code_ = worst_code();
    if (code_ == ExitCode::kOk && !acknowledged) code_ = ExitCode::kUnacknowledged;
    report();
    return finish();
  }
  timer_.expires_after(kDrainPoll);
  timer_.async_wait([this](boost::system::error_code code) {
    if (!code) await_drained();
  });
}

void Application::finish() {
  phase_ = Phase::kStopped;
  running_ = false;
  http_.reset();
  if (workers_) workers_->stop();
  signals_.cancel();
  io_.stop();
}

ExitCode Application::worst_code() const {
  constexpr std::array kWorstFirst{ExitCode::kInternal, ExitCode::kData, ExitCode::kProtocol, ExitCode::kUnacknowledged,
                                   ExitCode::kUnavailable};
  for (const ExitCode code : kWorstFirst) {
    if (std::any_of(feeds_.begin(), feeds_.end(), [code](const auto& unit) { return unit->code == code; })) return code;
  }
  return ExitCode::kOk;
}

void Application::report() const {
  for (const auto& unit : feeds_) {
    const metrics::FeedMetrics& metrics = *unit->metrics;
    spdlog::info("feed {}: {} packets, {} messages received, {} committed, {} acknowledged, {} dead-lettered, {} not "
                 "acknowledged, {} gaps, {} reconnects",
                 unit->config->name, metrics.value(FeedCounter::kPacketsReceived),
                 metrics.value(FeedCounter::kMessagesReceived), metrics.value(FeedCounter::kMessagesCommitted),
                 metrics.value(FeedCounter::kMessagesAcknowledged), metrics.value(FeedCounter::kMessagesDeadLettered),
                 unit->lane->in_flight(), metrics.value(FeedCounter::kGaps), metrics.value(FeedCounter::kReconnects));
  }
}

// --- what HTTP asks; HTTP's thread ---

void Application::sample() {
  using metrics::DaemonGauge;
  using metrics::FeedGauge;
  std::int64_t in_flight = 0;
  std::int64_t limit = 0;
  for (const auto& unit : feeds_) {
    unit->feed->sample();
    in_flight += unit->metrics->value(FeedGauge::kInFlight);
    limit += unit->metrics->value(FeedGauge::kInFlightLimit);
  }
  registry_.daemon().set(DaemonGauge::kProducerInFlight, in_flight);
  registry_.daemon().set(DaemonGauge::kProducerInFlightLimit, limit);
  registry_.daemon().set(DaemonGauge::kWorkers, static_cast<std::int64_t>(worker_count_));
  registry_.daemon().set(DaemonGauge::kWorkersParked, parking_.sleepers());
}

std::string Application::why_not_ready() const {
  if (!running_) return "starting or stopping";
  for (const SharedProducer& shared : producers_) {
    if (!shared.producer->can_write()) return "no connection to Kafka";
  }
  for (const auto& unit : feeds_) {
    const FeedState state = unit->metrics->state();
    if (state != FeedState::kStreaming && state != FeedState::kEnded) {
      return fmt::format("feed {} is {}", unit->config->name, metrics::name(state));
    }
  }
  return {};
}

std::string Application::why_not_healthy() const {
  if (!running_ || !workers_) return {};
  return workers_->progressing() ? std::string{} : "a worker makes no progress";
}

}  // namespace tickbridge::app
