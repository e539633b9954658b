#include "app/feed_unit.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>
#include <fstream>
#include <utility>

#include "pipeline/trading_day.h"

namespace tickbridge::app {

namespace asio = boost::asio;
using metrics::FeedCounter;
using metrics::FeedGauge;
using metrics::FeedState;
using sink::Delivery;

using sink::transaction_timeout;

namespace {

constexpr milliseconds kPoll{2};           // until what is in flight is acknowledged
constexpr milliseconds kMarkInterval{100}; // the longest between two marks
constexpr milliseconds kRetryAfter{500};
constexpr int kMostLostRaces = 3;

milliseconds since_ms(SteadyTime since) {
  return std::chrono::duration_cast<milliseconds>(SteadyClock::now() - since);
}

/// What the first login asks for where there is no checkpoint: 0 is the newest, 1 the beginning.
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

}  // namespace

FeedUnit::FeedUnit(Surroundings surroundings, const config::Feed& config, metrics::FeedMetrics& metrics)
    : around_{std::move(surroundings)},
      config_{config},
      metrics_{metrics},
      timer_{around_.io},
      wait_{around_.io},
      overdue_{around_.io},
      end_{around_.io} {}

FeedUnit::~FeedUnit() = default;

void FeedUnit::start() { recover(); }

// --- run: from the start path to a reading feed ---

void FeedUnit::opened(const Result<std::shared_ptr<Opened>>& result) {
  if (phase_ != Phase::kRecovering) return;
  if (!result) {
    const bool again = life_ > 1 && result.error().code == ExitCode::kUnavailable;
    if (!again) return fail(result.error());
    spdlog::warn("{}; trying again", result.error().message);
    wait_.expires_after(kRetryAfter);
    wait_.async_wait([this](boost::system::error_code code) {
      if (!code && phase_ == Phase::kRecovering) recover();
    });
    return;
  }
  if (failed_meanwhile_ && !(*result)->producer->can_write()) return recover_again();
  if (auto built = build(**result); !built) return fail(built.error());
  phase_ = Phase::kRunning;
  around_.add_work(feed_.get());
  const SteadyTime logged_in_by = around_.started_at + around_.config.startup_timeout + (*result)->watched_for;
  reader_->start(life_ == 1 ? logged_in_by : SteadyTime::max());
  if (journaled()) tick();
  around_.on_changed();
}

Result<void> FeedUnit::build(Opened& opened) {
  producer_ = std::move(opened.producer);
  lane_ = std::move(opened.lane);
  recovered_ = std::move(opened.recovered);
  replayed_ = std::move(opened.replayed);
  change_due_ = recovered_ && recovered_->replays_old;
  acknowledged_before_ = metrics_.value(FeedCounter::kMessagesAcknowledged);
  auto day = pipeline::TradingDay::create(replayed_.policies.trading_date, replayed_.policies.time_zone);
  if (!day) return day.error();
  auto password = read_password(config_);
  if (!password) return password.error();
  auto feed = pipeline::Feed::create({.name = config_.name,
                                      .codec = replayed_.codec,
                                      .pipeline = around_.config.pipeline,
                                      .workers = around_.workers,
                                      .before_decode = {}},
                                     around_.parking, metrics_, feed_events());
  if (!feed) return feed.error();
  const pipeline::Resume where = resume(opened);
  (*feed)->attach({.feed = config_.name,
                   .policies = replayed_.policies,
                   .when_full = config_.sink.when_full,
                   .max_block = around_.config.producer.max_block,
                   .transaction_messages = transactional() ? around_.config.producer.transaction_messages : 0,
                   .resume = where},
                  std::move(*day), replayed_.routing, *lane_);
  {
    const std::scoped_lock lock{sampling_};
    feed_ = std::move(*feed);
  }
  reader_ = std::make_unique<net::FeedReader>(
      around_.io, config_.name, replayed_.codec, config_.net, *password, !around_.invocation.exit_at_end, *feed_, metrics_,
      net::ReaderEvents{.on_ended =
                            [this] {
                              if (around_.invocation.exit_at_end) over_ = true;
                              around_.on_changed();
                            },
                        .on_failed = [this](const Error& problem) { fail(problem); }});
  if (journaled()) reader_->resume_at(where.session, where.next_sequence);
  reader_->catching_up(std::ranges::any_of(where.suffixes, [](const auto& suffix) { return !suffix.found.empty() || suffix.lost > 0; }));
  return {};
}

// Where the first login of this life asks to begin.
pipeline::Resume FeedUnit::resume(const Opened& opened) const {
  pipeline::Resume where;
  where.session = config_.net.session;
  where.next_sequence = first_sequence(config_);
  where.journaled = journaled();
  where.transactional = transactional();
  where.reserved = journaled() && config_.sink.delivery == Delivery::kAtMostOnce;
  if (!recovered_ || !recovered_->checkpoint || recovered_->given_up) return where;
  const journal::Checkpoint& checkpoint = *recovered_->checkpoint;
  if (checkpoint.session.empty()) return where;
  where.session = checkpoint.session;
  where.next_sequence = checkpoint.next_sequence;
  where.state = checkpoint.state;
  where.entries = recovered_->entries;
  where.later = recovered_->later;
  where.session_ended = checkpoint.session_ended;
  where.suffixes = recovered_->suffixes;
  where.clean = checkpoint.clean;
  where.until_aligned = recovered_->replays_old;
  if (recovered_->replays_old) {
    where.partitions = static_cast<std::int32_t>(checkpoint.partitions.size());
    where.max_record_bytes = journal::number(checkpoint.parameters, journal::kMaxRecordBytes);
  }
  static_cast<void>(opened);
  return where;
}

pipeline::FeedEvents FeedUnit::feed_events() {
  const std::uint64_t life = life_;
  const auto post = [this, life](auto function) {
    asio::post(around_.io, [this, life, function = std::move(function)]() mutable {
      if (life == life_ && phase_ != Phase::kStopped) function();
    });
  };
  return {.on_space = [this] { reader_->wake(); },
          .on_scan = [this](std::uint64_t connection, const net::Scan& scan) { reader_->report(connection, scan); },
          .on_failed = [this, post](const Error& problem) { post([this, problem] { fail(problem); }); },
          .on_mark =
              [this, post](pipeline::MarkReport report) {
                post([this, report = std::move(report)]() mutable { on_mark(std::move(report)); });
              },
          .on_barrier =
              [this, post](pipeline::Barrier barrier) {
                post([this, barrier = std::move(barrier)]() mutable { on_barrier(std::move(barrier)); });
              }};
}

void FeedUnit::sample() {
  const std::scoped_lock lock{sampling_};
  if (feed_) feed_->sample();
}

// --- marks and checkpoints at intervals ---

void FeedUnit::tick() {
  if (phase_ != Phase::kRunning) return;
  if (over_ && change_due_) around_.on_changed();
  const SteadyTime now = SteadyClock::now();
  const milliseconds interval = around_.config.checkpoint.interval;
  if (keeper_ && !owning_ && !ending_) {
    if (transactional()) {
      commit_transaction();
    } else {
      feed_->want_mark();
      if (now >= next_checkpoint_ && !jumped_ && !crossing_) {
        next_checkpoint_ = now + interval;
        keeper_->write({}, false);
      }
    }
  }
  const milliseconds often = transactional() ? around_.config.producer.transaction_interval : kMarkInterval;
  timer_.expires_after(std::min(often, interval));
  timer_.async_wait([this, life = life_](boost::system::error_code code) {
    if (!code && life == life_) tick();
  });
}

void FeedUnit::on_mark(pipeline::MarkReport report) {
  ++marks_;
  if (!keeper_) return;
  tell(report.strangers);
  const bool aligned = report.aligned;
  if (aligned && reader_) reader_->catching_up(false);  // none: the life is taken down, and this was on its way
  keeper_->take(std::move(report));
  if (aligned && recoveries_ != 0 && metrics_.value(FeedCounter::kMessagesAcknowledged) != acknowledged_before_) recoveries_ = 0;
}

// What alignment passes over may have been judged as a jump before, or passed over by an alignment before.
void FeedUnit::tell(std::vector<journal::Stranger> strangers) {
  for (journal::Stranger& stranger : strangers) {
    if (doubles_.contains({stranger.partition, stranger.offset})) stranger.kind = journal::Stranger::Kind::kDouble;
  }
  std::erase_if(strangers, [&](const auto& s) { return !told_.emplace(s.partition, s.offset).second; });
  std::sort(strangers.begin(), strangers.end(),
            [](const auto& a, const auto& b) { return std::pair{a.partition, a.offset} < std::pair{b.partition, b.offset}; });
  for (std::size_t i = 0; i < strangers.size();) {
    const journal::Stranger& first = strangers[i];
    if (first.kind == journal::Stranger::Kind::kCounted) {
      spdlog::warn("feed {}: topic {} partition {}: {} message(s) were skipped by count: retention has deleted the records that are "
                   "taken for theirs, the last at offset {}, and nothing is left to compare",
                   config_.name, config_.sink.topic, first.partition, first.count, first.offset);
      ++i;
      continue;
    }
    std::size_t n = 1;
    while (i + n < strangers.size() && strangers[i + n].kind == first.kind && strangers[i + n].partition == first.partition &&
           strangers[i + n].offset == first.offset + static_cast<std::int64_t>(n)) {
      ++n;
    }
    const bool foreign = first.kind == journal::Stranger::Kind::kForeign;
    spdlog::warn("feed {}: topic {} partition {} offsets {} to {}: {}", config_.name, config_.sink.topic, first.partition,
                 first.offset, first.offset + static_cast<std::int64_t>(n) - 1,
                 foreign ? "foreign records, not written by this feed; passed over"
                         : "doubles of records of ours; passed over");
    metrics_.add(foreign ? FeedCounter::kForeignWrites : FeedCounter::kDoubles, n);
    i += n;
  }
}

// Nothing at or before a checkpoint's offsets is met again.
void FeedUnit::forget_told(const journal::Checkpoint& checkpoint) {
  const auto behind = [&](const auto& place) {
    const auto p = static_cast<std::size_t>(place.first);
    return p >= checkpoint.partitions.size() || checkpoint.partitions[p].offset < place.second;
  };
  std::erase_if(told_, [&](const auto& place) { return !behind(place); });
  std::erase_if(doubles_, [&](const auto& place) { return !behind(place); });
}

// --- barriers: commit stands still until pass_barrier() ---

void FeedUnit::on_barrier(pipeline::Barrier barrier) {
  using Kind = pipeline::Barrier::Kind;
  standing_since_ = SteadyClock::now();
  switch (barrier.kind) {
    case Kind::kOwn:
      return when_settled([this, barrier] { own(barrier); });
    case Kind::kReserve:
      return reserve(barrier);
    case Kind::kGap:
    case Kind::kSession:
      crossing_ = !barrier.left.empty();
      keeper_->take(barrier.report);
      return when_settled([this, barrier] { cross(barrier); });
    case Kind::kDrain:
      committing_ = transactional();  // it may be full, and nobody have asked
      keeper_->take(barrier.report);
      return when_settled([this, barrier] { drained(barrier); });
  }
}

// All that was handed over is acknowledged, and so is what the directory has learnt. Kafka gives a transaction up that
// is open for too long, so that is how long commit stands still for one at most.
void FeedUnit::when_settled(std::function<void()> then) {
  if (phase_ != Phase::kRunning) return;
  if (lane_->in_flight() == 0 && (!keeper_ || (keeper_->settled() && !keeper_->writing()))) return then();
  if (transactional() && stands() >= transaction_timeout(around_.config.producer)) {
    return producer_failed(producer_.get(),
                           error(ExitCode::kUnacknowledged,
                                 fmt::format("a transaction's records are not acknowledged after {} ms "
                                             "(transaction.timeout.ms)",
                                             stands().count())));
  }
  wait_.expires_after(kPoll);
  wait_.async_wait([this, life = life_, then = std::move(then)](boost::system::error_code code) {
    if (!code && life == life_) when_settled(then);
  });
}

namespace {

std::string what_is_missing(const pipeline::Barrier& barrier, const std::string& session) {
  std::string text;
  if (barrier.left_early) {
    text += fmt::format("session {} was left before its end: sequence {} and what followed was not received; ", barrier.left,
                        barrier.left_at);
  }
  if (barrier.gap_begin != 0) {
    text += fmt::format("gap in session {}: sequences {} to {} cannot be had; ", session, barrier.gap_begin,
                        barrier.gap_end - 1);
  }
  if (!text.empty()) text.resize(text.size() - 2);
  return text;
}

}  // namespace

// The feed is owned before anything is handed over (recovery.md, 6).
void FeedUnit::own(const pipeline::Barrier& barrier) {
  if (code_ != ExitCode::kOk) return;
  reader_->catching_up(!barrier.report.aligned);
  spdlog::info("feed {}: recovery: {}", config_.name, journal::name(journal::Step::kOwn));
  keeper_ = std::make_shared<Keeper>(around_.io, Keeper::Settings{.start = start_checkpoint(barrier),
                                                                .delivery = config_.sink.delivery,
                                                                .ends = exact() ? recovered_->ends : std::vector<std::int64_t>{}},
                                     **around_.checkpoints, **around_.states, *lane_, metrics_);
  std::ranges::copy(barrier.report.strangers, std::back_inserter(recovered_->strangers));
  if (exact() || transactional()) lane_->watch(recovered_->ends);
  owning_ = true;
  keeper_->begin([this, life = life_](const Result<void>& written) {
    if (life != life_) return;
    if (!written) return fail(written.error());
    read_back();
  });
}

journal::Checkpoint FeedUnit::start_checkpoint(const pipeline::Barrier& barrier) const {
  const Recovered& recovered = *recovered_;
  journal::StartPlan plan{.previous = recovered.checkpoint && !recovered.checkpoint->session.empty() ? &*recovered.checkpoint : nullptr,
                          .highest_epoch = recovered.highest_epoch,
                          .feed = config_.name,
                          .instance = around_.instance,
                          .topic = config_.sink.topic,
                          .session = barrier.report.session,
                          .sequence = barrier.report.mark.next_sequence,
                          .parameters = change_due_ ? recovered.checkpoint->parameters
                                                    : parameters_of(config_, lane_->topic()),
                          .fresh = barrier.report.mark.state,
                          .partitions = {},
                          .ends = recovered.ends,
                          .decision = {},
                          .give_up = recovered.given_up};
  for (const auto& [partition, reached] : barrier.report.matched) plan.partitions.push_back(reached);
  if (change_due_) plan.ends.resize(recovered.checkpoint->partitions.size());
  plan.decision = recovered.why_given_up;
  for (const std::string& change : recovered.parameters.changes) {
    if (!change_due_) plan.decision += (plan.decision.empty() ? "" : "; ") + change;
  }
  journal::Checkpoint start = journal::start_checkpoint(plan);
  start.session_ended = barrier.report.session_ended;
  start.interval_ms = static_cast<std::uint64_t>(around_.config.checkpoint.interval.count());
  // Nothing lies behind a transaction's checkpoint; a gap's dead letter comes with the first commit, so until then it stays open.
  const bool again = transactional() && plan.previous != nullptr && !plan.give_up && plan.previous->session == start.session;
  if (again) start.next_sequence = plan.previous->next_sequence;
  if (!start.decision.empty()) spdlog::warn("feed {}: barrier: {}", config_.name, start.decision);
  return start;
}

// Two daemons may have come this far: the first one in the topic owns the feed.
void FeedUnit::read_back() {
  auto* const log = recovered_->checkpoints.get();
  const std::uint64_t epoch = keeper_->epoch();
  run_job([this, log, epoch, instance = around_.instance, prefix = config_.name + "/", life = life_] {
    Result<void> read;
    bool first = false;
    std::vector<journal::Checkpoint> seen;
    const SteadyTime deadline = SteadyClock::now() + around_.config.startup_timeout;
    for (bool ours = false; !ours && read;) {
      auto entries = log->read_on(prefix, milliseconds{200});
      if (!entries) {
        read = entries.error();
        break;
      }
      for (const sink::Entry& entry : *entries) {
        auto checkpoint = entry.value ? journal::parse_checkpoint(*entry.value) : Result<journal::Checkpoint>{error(ExitCode::kData, "")};
        if (!checkpoint) continue;
        ours |= checkpoint->instance == instance && checkpoint->epoch == epoch;
        seen.push_back(std::move(*checkpoint));
      }
      if (ours) first = journal::owns(seen, epoch, instance);
      if (!ours && SteadyClock::now() >= deadline) {
        read = error(ExitCode::kUnavailable, "the start checkpoint cannot be read back from " + around_.config.checkpoint.topic);
      }
    }
    asio::post(around_.io, [this, read, first, life] {
      if (life == life_) owned(read, first);
    });
  });
}

// Whose start checkpoint lies before ours may be dead: written late, it can come from a process that was killed. The next
// look tells.
void FeedUnit::look_again() {
  spdlog::warn("feed {}: another start checkpoint of epoch {} came first; looking whether its owner lives", config_.name,
               keeper_->epoch());
  if (transactional()) around_.producers.retire(producer_.get());  // init_transactions is for a new client
  halt();
  epoch_ = 0;
  when_quiet([this] { recover(); });
}

void FeedUnit::owned(const Result<void>& read, bool first) {
  if (phase_ != Phase::kRunning) return;
  owning_ = false;
  recovered_->checkpoints.reset();
  if (!read) return fail(read.error());
  if (!first) {
    keeper_->freeze();
    if (++lost_races_ <= kMostLostRaces) return look_again();
    return fail(error(ExitCode::kProtocol, fmt::format("feed {}: another daemon has taken it over at the same moment; {}stop one "
                                                       "of them",
                                                       config_.name, life_ == 1 ? "this one has written nothing; " : "")));
  }
  epoch_ = keeper_->epoch();
  owned_once_ = true;
  tell(recovered_->strangers);  // not before: to a loser of the race the winner's first records are somebody else's
  forget_told(keeper_->current());
  keeper_->bury(recovered_->older_epochs, recovered_->states);
  next_checkpoint_ = SteadyClock::now() + around_.config.checkpoint.interval;
  const auto took = since_ms(recovering_since_).count();
  metrics_.set(FeedGauge::kRecoverySeconds, took);
  spdlog::info("feed {}: owned, epoch {}, session {}, {} ms after the start of recovery", config_.name, keeper_->epoch(),
               keeper_->session(), took);
  if (metrics_.state() == FeedState::kRecovering) spdlog::info("feed {}: recovery: {}", config_.name, journal::name(journal::Step::kAlign));
  if (transactional()) {
    if (auto begun = producer_->begin_transaction(); !begun) return producer_failed(producer_.get(), begun.error());
    committed_at_ = 0;
  }
  feed_->pass_barrier();
}

// A gap or another session: a checkpoint names it, then commit goes on.
void FeedUnit::cross(const pipeline::Barrier& barrier) {
  std::string decision = what_is_missing(barrier, barrier.report.session);
  if (decision.empty()) decision = "session " + barrier.report.session;
  spdlog::info("feed {}: barrier: {}", config_.name, decision);
  if (!barrier.left.empty()) {
    keeper_->new_session(barrier.report.session, barrier.report.mark.next_sequence, barrier.report.mark.state);
  }
  crossing_ = false;
  if (transactional()) return commit(std::move(decision));
  const auto pass = [this, life = life_](const Result<void>& written) {
    if (life != life_) return;
    if (!written) return fail(written.error());
    feed_->pass_barrier();
  };
  keeper_->write(std::move(decision), false, pass);
}

// The checkpoint runs ahead of what is handed over. While it is not acknowledged there is no room, so to say.
void FeedUnit::reserve(const pipeline::Barrier& barrier) {
  constexpr std::uint64_t kFarthest = 20'000;  // packets: what a crash may lose of what is received and not handed over
  wanted_ = barrier.wanted;
  if (reserving_) return dropping_ ? reserve_overdue() : void();
  reserving_ = true;
  const std::uint64_t upto = std::max(wanted_, std::min(reader_->next_sequence(), wanted_ + kFarthest));
  keeper_->reserve(upto, [this, upto, life = life_](const Result<void>& written) {
    if (life == life_) reserved(upto, written);
  });
  if (config_.sink.when_full == sink::WhenFull::kWait) return;
  overdue_.expires_after(around_.config.producer.max_block);
  overdue_.async_wait([this, life = life_](boost::system::error_code code) {
    if (!code && life == life_) reserve_overdue();
  });
}

void FeedUnit::reserved(std::uint64_t upto, const Result<void>& written) {
  reserving_ = dropping_ = false;
  overdue_.cancel();
  if (!written) return fail(written.error());
  feed_->reserve(upto);
  if (std::exchange(wanted_, 0) != 0) feed_->pass_barrier();
}

void FeedUnit::reserve_overdue() {
  if (wanted_ == 0 || code_ != ExitCode::kOk) return;
  const auto limit = around_.config.producer.max_block.count();
  if (config_.sink.when_full == sink::WhenFull::kStop) {
    return fail(error(ExitCode::kUnacknowledged,
                      fmt::format("feed {}: no checkpoint acknowledged for {} ms (max.block.ms) and when_full = \"stop\"; is a "
                                  "live broker leading {}?",
                                  config_.name, limit, around_.config.checkpoint.topic)));
  }
  if (!std::exchange(dropping_, true)) {
    spdlog::warn("feed {}: no checkpoint acknowledged for {} ms: messages are dropped (when_full = \"drop\")", config_.name, limit);
  }
  feed_->drop_before(std::exchange(wanted_, 0));
  feed_->pass_barrier();
}

// Asked for: the end of a transaction, or the old parameters have done their part.
void FeedUnit::drained(const pipeline::Barrier&) {
  change_due_ ? change_over() : commit({});
}

// A clean checkpoint ends what was under the old configuration, even if this is the session's end; all else is the next
// life's, in place or after a stop.
void FeedUnit::change_over() {
  const std::string decision = recovered_->replays_old ? "aligned under the old configuration" : "partitions added";
  spdlog::info("feed {}: barrier: {}; going on under the new configuration", config_.name, decision);
  ending_ = true;
  if (transactional()) return commit(decision);
  keeper_->write(decision, true, [this, life = life_](const Result<void>& written) {
    if (life != life_) return;
    written ? changed_over() : fail(written.error());
  });
}

// The rest of an ended session is still to be written where the old configuration has done its part.
bool FeedUnit::over() const noexcept {
  const bool changes = change_due_ && phase_ == Phase::kRunning && !feed_->drained();
  return (over_ && !changes) || code_ != ExitCode::kOk;
}

void FeedUnit::changed_over() {
  if (stopping_) return last_written();
  if (transactional()) around_.producers.retire(producer_.get());  // init_transactions is for a new client
  halt();
  when_quiet([this] { recover(); });
}

// What was handed over, and a checkpoint of all of it; commit stands still.
void FeedUnit::commit(std::string decision) {
  committing_ = true;
  metrics_.set(FeedGauge::kDrainSeconds, stands().count());
  const milliseconds left = std::max(transaction_timeout(around_.config.producer) - stands(), milliseconds{1});
  const journal::Checkpoint checkpoint = keeper_->next(std::move(decision), ending_);
  run_job([this, checkpoint, left, life = life_, producer = producer_, topic = around_.config.checkpoint.topic,
           last = ending_] {
    const SteadyTime since = SteadyClock::now();
    Result<void> done = producer->send_in_transaction(topic, journal::checkpoint_key(checkpoint.feed, checkpoint.epoch),
                                                      journal::to_json(checkpoint));
    if (done) done = producer->commit_transaction(left);
    metrics_.set(FeedGauge::kCheckpointSeconds, since_ms(since).count());
    if (done && !last) done = producer->begin_transaction();
    asio::post(around_.io, [this, done, life] {
      if (life == life_ && phase_ == Phase::kRunning) committed(done);
    });
  });
}

void FeedUnit::committed(const Result<void>& done) {
  committing_ = false;
  if (!done) {
    if (done.error().code == ExitCode::kProtocol) return fail(done.error());
    return producer_failed(producer_.get(), error(ExitCode::kUnacknowledged, done.error().message));
  }
  recoveries_ = 0;
  if (!told_.empty()) forget_told(keeper_->current());
  metrics_.add(FeedCounter::kCheckpoints, 1);
  metrics_.add(FeedCounter::kStandstillSeconds, static_cast<std::uint64_t>(stands().count()));
  lane_->expect_markers();
  if (change_due_) return changed_over();
  if (ending_) return last_written();
  feed_->pass_barrier();
}

// Something was handed over since the last one: commit stands still while it is committed.
void FeedUnit::commit_transaction() {
  const std::uint64_t handed = metrics_.value(FeedCounter::kMessagesCommitted) + metrics_.value(FeedCounter::kMessagesDeadLettered);
  const bool due = SteadyClock::now() >= next_checkpoint_;  // nothing to commit: the proof that the owner lives
  if (committing_ || (handed == committed_at_ && !due)) return;
  committed_at_ = handed;
  committing_ = true;
  next_checkpoint_ = SteadyClock::now() + around_.config.checkpoint.interval;
  feed_->want_barrier();
}

// How long commit has stood still by now.
milliseconds FeedUnit::stands() const { return since_ms(standing_since_); }

void FeedUnit::saw_epoch(std::uint64_t epoch, const std::string& instance) {
  if (!keeper_ || owning_ || epoch <= keeper_->epoch() || instance == around_.instance) return;
  keeper_->freeze();
  fail(error(ExitCode::kProtocol, fmt::format("feed {}: instance {} has taken it over (epoch {}, ours is {})", config_.name,
                                              instance, epoch, keeper_->epoch())));
}

void FeedUnit::saw_partitions(std::int32_t partitions) {
  if (phase_ != Phase::kRunning || !keeper_ || owning_ || ending_ || stopping_ || change_due_) return;
  const std::size_t known = recovered_->ends.size();
  if (static_cast<std::size_t>(partitions) <= known) return;
  spdlog::info("feed {}: topic {} has {} partitions now, {} before", config_.name, config_.sink.topic, partitions, known);
  change_due_ = true;
  feed_->want_barrier();
}

}  // namespace tickbridge::app
