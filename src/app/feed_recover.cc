// How a feed's life begins and ends: the start path, halts, stops, rebuilds in place.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "app/feed_unit.h"
#include "base/log.h"
#include "pipeline/start_facts.h"

namespace tickbridge::app {

namespace asio = boost::asio;
using metrics::FeedCounter;
using metrics::FeedState;

namespace {

constexpr milliseconds kPoll{2};
constexpr int kMostRecoveries = 10;  // in a row; then 75

}  // namespace

// In place where this process owns an epoch. If not, somebody else may: that is a first start again.
void FeedUnit::recover() {
  const bool in_place = epoch_ != 0;
  if (stopping_ || code_ != ExitCode::kOk) {  // the next start does it
    if (code_ == ExitCode::kOk) code_ = ExitCode::kUnacknowledged;
    phase_ = Phase::kStopped;
    return conclude();
  }
  phase_ = Phase::kRecovering;
  ++life_;
  recovering_since_ = SteadyClock::now();
  metrics_.set_state(FeedState::kRecovering);
  jumped_ = unsure_ = ending_ = over_ = false;
  if (!exact() && !jumps_.empty()) judging_ = false, judge_jumps();  // those that came while others were judged
  judging_ = crossing_ = false;
  jumps_.clear();
  reserving_ = dropping_ = false;
  wanted_ = 0;
  keeper_.reset();
  drained_at_.reset();
  run_job([this, in_place, life = life_, old = std::move(producer_)]() mutable {
    old.reset();  // if nobody else has it, this waits for its threads
    Result<std::shared_ptr<Opened>> result = std::shared_ptr<Opened>{};
    try {
      result = open(in_place);
    } catch (const std::exception& problem) {
      result = error(ExitCode::kInternal, fmt::format("feed {}: recovery failed: {}", config_.name, problem.what()));
    }
    asio::post(around_.io, [this, result, life] {
      if (life == life_) opened(result);
    });
  });
}

Result<std::shared_ptr<FeedUnit::Opened>> FeedUnit::open(bool in_place) {
  SteadyTime deadline = around_.config.startup_timeout + (patient() ? SteadyClock::now() : around_.started_at);
  const auto left = [&deadline] {
    return std::max(std::chrono::duration_cast<milliseconds>(deadline - SteadyClock::now()), milliseconds{1});
  };
  auto opened = std::make_shared<Opened>();  // crosses to the main thread inside a copyable function
  auto producer = around_.producers.get(config_);
  if (!producer) return producer.error();
  opened->producer = std::move(*producer);
  const std::uint64_t life = life_;
  auto lane = around_.producers.open_lane(
      *opened->producer, config_, metrics_,
      {.on_room =
           [this] {  // never without a feed: only what it handed over can be refused
             feed_->kick();
           },
       .on_failed =
           [this, life](const Error& problem) {
             asio::post(around_.io, [this, life, problem] {
               if (life == life_) fail(problem);
             });
           },
       .on_jump =
           [this, life](const sink::Jump& jump) {
             jumped_ = true;
             asio::post(around_.io, [this, life, jump] {
               if (life == life_) on_jump(jump);
             });
           },
       .on_spoilt =
           [this, life] {
             asio::post(around_.io, [this, life] {
               if (life != life_ || phase_ != Phase::kRunning) return;
               producer_failed(producer_.get(),
                               error(ExitCode::kUnacknowledged,
                                     fmt::format("feed {}: a transaction can only be aborted", config_.name)));
             });
           }},
      left());
  if (!lane) return lane.error();
  opened->lane = std::move(*lane);
  if (auto fits = check_topic(opened->lane->topic()); !fits) return fits.error();
  opened->replayed = config_;
  if (!journaled()) {
    if (auto made = make_feed(*opened, life); !made) return made.error();
    return opened;
  }
  Recovery recovery{{.config = around_.config,
                     .feed = config_,
                     .forced_start = owned_once_ ? std::nullopt : around_.forced_start,
                     .accept_change = around_.accept_change,
                     .in_place = in_place,
                     .own_epoch = epoch_,
                     .known = known_,
                     .instance = around_.instance,
                     .transactional = transactional(),
                     .deadline = deadline,
                     .on_step =
                         [this](journal::Step step) {
                           log_event(Event::kRecovery, of_feed(config_.name), "recovery: {}", journal::name(step));
                         }},
                    opened->lane->topic()};
  if (transactional()) {
    if (auto alone = in_place ? recovery.check_owner() : recovery.watch_first(); !alone) return alone.error();
    deadline += recovery.watched_for();
    if (auto ready = opened->producer->init_transactions(left()); !ready) {
      around_.producers.retire(opened->producer.get());
      return ready.error();
    }
  }
  auto recovered = recovery.run();
  if (!recovered) return recovered.error();
  opened->recovered = std::move(*recovered);
  opened->watched_for = recovery.watched_for();
  if (opened->recovered->replays_old) {
    auto old = config::reshaped(config_, opened->recovered->checkpoint->parameters);
    if (!old) return old.error();
    opened->replayed = std::move(*old);
  }
  if (auto made = make_feed(*opened, life); !made) return made.error();
  return opened;
}

// Taking the memory of a ring lasts tens of milliseconds, in which the main thread would read no other feed.
Result<void> FeedUnit::make_feed(Opened& opened, std::uint64_t life) {
  auto feed = pipeline::Feed::create({.name = config_.name,
                                      .codec = opened.replayed.codec,
                                      .pipeline = around_.config.pipeline,
                                      .workers = around_.workers,
                                      .before_decode = {}},
                                     around_.parking, metrics_, feed_events(life));
  if (!feed) return feed.error();
  opened.feed = std::move(*feed);
  return {};
}

Result<void> FeedUnit::check_topic(const sink::TopicInfo& topic) const {
  const auto warnings = pipeline::check_topic({.feed = config_.name,
                                               .topic = config_.sink.topic,
                                               .servers = around_.config.producer.properties.at("bootstrap.servers"),
                                               .policies = config_.policies,
                                               .routing = config_.routing,
                                               .exact = exact()},
                                              topic);
  if (!warnings) return warnings.error();
  for (const std::string& warning : *warnings) log_event(Event::kTopicWeak, "{}", warning);
  return {};
}

void FeedUnit::recover_again() {
  if (++recoveries_ > kMostRecoveries) {
    return fail(error(ExitCode::kUnacknowledged, fmt::format("feed {}: recovered in place {} times in a row, to no end",
                                                             config_.name, kMostRecoveries)));
  }
  log_event(Event::kRecoveryInPlace, of_feed(config_.name), "recovering in place");
  recover();
}

// The session has ended and all of it is acknowledged: what is left is the clean checkpoint, which needs no producer.
// Another life would need an exchange that may have closed by now. (A transactional feed's checkpoint needs one.)
bool FeedUnit::done() const {
  const bool standing = owning_ || crossing_ || change_due_ || jumped_ || (journaled() && !keeper_);
  return over_ && phase_ == Phase::kRunning && !transactional() && !standing && feed_->drained() && lane_->settled();
}

void FeedUnit::producer_failed(const sink::Producer* producer, const Error& problem) {
  if (phase_ == Phase::kRecovering)
    return around_.producers.retire(producer);  // opened() looks whether it has been given it
  if (producer_.get() != producer || phase_ == Phase::kStopped || code_ != ExitCode::kOk) return;
  if (phase_ == Phase::kHalting && !lane_)
    return around_.producers.retire(producer);  // what comes next has another one
  if (done()) return around_.producers.retire(producer);
  if (stopping_ || ++recoveries_ > kMostRecoveries) return fail(problem);
  log_event(Event::kRecoveryInPlace, of_feed(config_.name), "{}; recovering in place ({} in a row)", problem.message,
            recoveries_);
  around_.producers.retire(producer);  // a transaction that failed leaves a client that cannot begin anew
  if (keeper_) keeper_->freeze();
  halt();
  take_down();
  recover();
}

// --- the end of a life ---

/// Nothing is read, claimed or handed over any more.
void FeedUnit::halt() {
  if (phase_ != Phase::kRunning) return;
  phase_ = Phase::kHalting;
  timer_.cancel();
  reader_->stop();
  around_.remove_work(feed_.get());
}

// Until what is in flight is acknowledged, or cannot be; then the life is taken down.
void FeedUnit::when_quiet(std::function<void()> then) {
  if (phase_ != Phase::kHalting) return;
  if (lane_->in_flight() == 0 || lane_->failed()) {
    take_down();
    return then();
  }
  wait_.expires_after(kPoll);
  wait_.async_wait([this, life = life_, then = std::move(then)](boost::system::error_code code) {
    if (!code && life == life_) when_quiet(then);
  });
}

// REQUIRES: no worker is in the feed (remove_work).
void FeedUnit::take_down() {
  if (!lane_) return;
  retired_.push_back(std::move(reader_));
  note_written();
  if (keeper_ && !owning_)
    tell(feed_->take_strangers());  // while owning: to a loser of the race the winner's are strange
  if (keeper_) keeper_->leave_lane();
  std::unique_ptr<sink::Lane> lane;
  {
    const std::scoped_lock lock{sampling_};
    lane = std::move(lane_);
  }
  lane.reset();  // first: from here on nobody calls the feed; not under the lock, because it waits for a callback
  {
    const std::scoped_lock lock{sampling_};
    feed_.reset();
  }
  if (keeper_) keeper_->freeze();
  if (keeper_ && !owning_ && !transactional()) known_ = keeper_->current();  // a commit's may not have been committed
  owning_ = committing_ = false;
}

void FeedUnit::note_written() {
  written_.clear();
  for (std::size_t p = 0; recovered_ && p < recovered_->ends.size(); ++p) {
    written_.push_back(lane_->acked(static_cast<std::int32_t>(p)).last_offset);
  }
}

void FeedUnit::fail(const Error& problem) {
  if (code_ != ExitCode::kOk || phase_ == Phase::kStopped) return;
  log_event(Event::kFeedStopped, of_feed(config_.name), "{}; feed {} stops (code {})", problem.message, config_.name,
            static_cast<int>(problem.code));
  code_ = problem.code;
  metrics_.set_last_error(problem.message);
  metrics_.set_state(FeedState::kFailed);
  if (feed_) feed_->fail(problem);
  if (reader_) reader_->stop();
  timer_.cancel();
  // What is acknowledged by now; a transaction's records count with its commit only.
  if (keeper_ && !crossing_ && !owning_ && !transactional()) keeper_->write({}, journal::Follows::kMore);
  if (phase_ != Phase::kRunning) phase_ = Phase::kStopped;
  if (stopping_ && phase_ == Phase::kStopped) finished_ = true;
  around_.on_changed();
}

void FeedUnit::stop() {
  stopping_ = true;
  if (reader_) reader_->stop();
  if (phase_ == Phase::kRunning) return await_end();
  if (phase_ == Phase::kHalting) return;                                         // recover() concludes
  if (owned_once_ && code_ == ExitCode::kOk) code_ = ExitCode::kUnacknowledged;  // the next start recovers
  phase_ = Phase::kStopped;
  conclude();
}

// What was read is handed over and acknowledged; then the last checkpoint, clean if all is well.
void FeedUnit::await_end() {
  if (phase_ != Phase::kRunning) return;
  const bool failed = code_ != ExitCode::kOk;  // then nothing is waited for but what is in flight
  const bool busy = (owning_ || committing_ || crossing_) && !failed;
  const bool ending = ending_ && !(failed && transactional());  // a commit that failed is not waited for
  const bool quiet = feed_->drained() && (lane_->in_flight() == 0 || lane_->failed()) && !busy && !ending;
  if (quiet && !keeper_) {
    if (owned_once_ && !failed) code_ = ExitCode::kUnacknowledged;  // the next start recovers
    phase_ = Phase::kStopped;
    return conclude();
  }
  if (quiet) end_journal();
  end_.expires_after(kPoll);
  end_.async_wait([this](boost::system::error_code code) {
    if (!code) await_end();
  });
}

// The position must be the last one: a report that was asked for after all was handed over, hence the second one from
// then.
void FeedUnit::end_journal() {
  const bool failed = code_ != ExitCode::kOk;
  if (failed && (owning_ || crossing_ || transactional())) return last_written();
  if (transactional()) {
    ending_ = committing_ = true;
    return feed_->want_barrier();
  }
  if (!drained_at_) drained_at_ = marks_;
  if (!failed && marks_ < *drained_at_ + 2) return feed_->want_mark();
  if (keeper_->writing() || (!failed && !keeper_->settled())) return;
  if (keeper_->frozen()) return last_written();
  ending_ = true;
  const bool clean = !failed && keeper_->aligned();
  keeper_->write({}, clean ? journal::Follows::kNothing : journal::Follows::kMore,
                 [this, life = life_](const Result<void>& written) {
                   if (life != life_ || phase_ != Phase::kRunning) return;
                   if (!written && code_ == ExitCode::kOk) code_ = written.error().code;
                   last_written();
                 });
}

void FeedUnit::last_written() {
  phase_ = Phase::kStopped;
  conclude();
}

void FeedUnit::conclude() {
  finished_ = true;
  around_.on_changed();
}

// The producer ends on a thread of its own: that waits for the library's.
void FeedUnit::release() {
  sample();
  if (feed_) around_.remove_work(feed_.get());
  take_down();
  ++life_;  // what is still posted is not meant any more
  for (auto* const timer : {&timer_, &wait_, &overdue_, &look_, &end_}) timer->cancel();
  if (producer_ && transactional()) around_.producers.retire(producer_.get());
  run_job([producer = std::move(producer_)]() mutable { producer.reset(); });
}

bool FeedUnit::gone() const {
  return !busy() && std::ranges::all_of(retired_, [](const auto& reader) { return reader->quiet(); });
}

}  // namespace tickbridge::app
