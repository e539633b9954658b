#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

#include "app/feed_unit.h"
#include "base/log.h"

// The barriers of a feed: what its commit stands still for, on the main thread, until pass_barrier().

namespace tickbridge::app {

namespace asio = boost::asio;
using metrics::FeedCounter;
using metrics::FeedGauge;
using metrics::FeedState;
using sink::transaction_timeout;

namespace {

constexpr milliseconds kPoll{2};  // until what is in flight is acknowledged
constexpr int kMostLostRaces = 3;

milliseconds since_ms(SteadyTime since) { return std::chrono::duration_cast<milliseconds>(SteadyClock::now() - since); }

}  // namespace

void FeedUnit::on_barrier(pipeline::Barrier barrier) {
  using Kind = pipeline::Barrier::Kind;
  if (code_ != ExitCode::kOk) return;
  standing_since_ = SteadyClock::now();
  if (barrier.kind != Kind::kOwn) tell(barrier.report.strangers);  // those in front of the first one when it is owned
  switch (barrier.kind) {
    case Kind::kOwn:
      return when_settled([this, barrier] { own(barrier); });
    case Kind::kReserve:
      return reserve(barrier);
    case Kind::kGap:
    case Kind::kSession:
      crossing_ = true;  // no checkpoint at an interval passes what this barrier names
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
  if (phase_ != Phase::kRunning || code_ != ExitCode::kOk) return;
  const bool noted = !keeper_ || (keeper_->settled() && !keeper_->writing() && !reserving_);
  if (lane_->in_flight() == 0 && noted) return then();
  if (transactional() && stands() >= transaction_timeout(around_.config.producer)) {
    return producer_failed(
        producer_.get(),
        error(ExitCode::kUnacknowledged, fmt::format("a transaction's records are not acknowledged after {} ms "
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
    text += fmt::format("session {} was left before its end: sequence {} and what followed was not received; ",
                        barrier.left, barrier.left_at);
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
  log_event(Event::kRecovery, of_feed(config_.name), "recovery: {}", journal::name(journal::Step::kOwn));
  if (recovered_->checkpoint && recovered_->checkpoint->session != barrier.report.session && !recovered_->given_up)
    disown(recovered_->checkpoint->partitions);  // of the session before; nothing replays it
  keeper_ = std::make_shared<Keeper>(around_.io,
                                     Keeper::Settings{.start = start_checkpoint(barrier),
                                                      .delivery = config_.sink.delivery,
                                                      .aligned = barrier.report.aligned,
                                                      .ends = exact() ? recovered_->ends : std::vector<std::int64_t>{}},
                                     **around_.checkpoints, **around_.states, *lane_, metrics_);
  std::ranges::copy(barrier.report.strangers, std::back_inserter(recovered_->strangers));
  foretell(recovered_->strangers);
  const bool alone = !config::shares_topic(around_.config, config_);
  if (alone && (exact() || transactional())) lane_->watch(recovered_->ends);
  owning_ = true;
  keeper_->begin([this, life = life_](const Result<void>& written) {
    if (life != life_) return;
    written ? read_back() : owned(written, Place::kSecond);
  });
}

journal::Checkpoint FeedUnit::start_checkpoint(const pipeline::Barrier& barrier) const {
  const Recovered& recovered = *recovered_;
  journal::StartPlan plan{
      .previous = recovered.checkpoint && !recovered.checkpoint->session.empty() ? &*recovered.checkpoint : nullptr,
      .highest_epoch = recovered.highest_epoch,
      .feed = config_.name,
      .instance = around_.instance,
      .topic = config_.sink.topic,
      .session = barrier.report.session,
      .sequence = barrier.report.mark.next_sequence,
      .parameters = change_due_ ? recovered.checkpoint->parameters : parameters_of(config_, lane_->topic()),
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
  start.strangers = strangers_.ranges();
  start.interval_ms = static_cast<std::uint64_t>(around_.config.checkpoint.interval.count());
  // Nothing lies behind a transaction's checkpoint; a gap's dead letter comes with the first commit, so until then it
  // stays open.
  const bool again =
      transactional() && plan.previous != nullptr && !plan.give_up && plan.previous->session == start.session;
  if (again) start.next_sequence = plan.previous->next_sequence;
  if (!start.decision.empty()) log_event(Event::kStartDecision, of_feed(config_.name), "barrier: {}", start.decision);
  return start;
}

// Two daemons may have come this far: the first one in the topic owns the feed.
void FeedUnit::read_back() {
  auto* const log = recovered_->checkpoints.get();
  const std::uint64_t epoch = keeper_->epoch();
  const auto base = recovered_->given_up ? std::nullopt : recovered_->checkpoint;
  run_job([this, log, base, epoch, instance = around_.instance, prefix = config_.name + "/", life = life_] {
    Result<void> read;
    Place place = Place::kSecond;
    std::vector<journal::Checkpoint> seen;
    const SteadyTime deadline = SteadyClock::now() + around_.config.startup_timeout;
    for (bool ours = false; !ours && read;) {
      auto entries = log->read_on(prefix, milliseconds{200});
      if (!entries) {
        read = entries.error();
        break;
      }
      for (const sink::Entry& entry : *entries) {
        auto checkpoint = entry.value ? journal::parse_checkpoint(*entry.value)
                                      : Result<journal::Checkpoint>{error(ExitCode::kData, "")};
        if (!checkpoint) continue;
        ours |= checkpoint->instance == instance && checkpoint->epoch == epoch;
        seen.push_back(std::move(*checkpoint));
      }
      if (ours && journal::owns(seen, epoch, instance))
        place = base && journal::goes_on(seen, *base) ? Place::kBehind : Place::kFirst;
      if (!ours && SteadyClock::now() >= deadline) {
        read = error(ExitCode::kUnavailable,
                     "the start checkpoint cannot be read back from " + around_.config.checkpoint.topic);
      }
    }
    asio::post(around_.io, [this, read, place, life] {
      if (life == life_) owned(read, place);
    });
  });
}

// Whose start checkpoint lies before ours may be dead: written late, it can come from a process that was killed. The
// next look tells.
void FeedUnit::look_again() {
  log_event(Event::kOwnerContended, of_feed(config_.name),
            "another start checkpoint of epoch {} came first; looking whether its owner lives", keeper_->epoch());
  epoch_ = 0;
  begin_again();
}

void FeedUnit::begin_again() {
  if (transactional()) around_.producers.retire(producer_.get());  // init_transactions is for a new client
  halt();
  when_quiet([this] { recover(); });
}

// A zombie of the owner before went on while this one logged in: what it has reserved is not to be written again.
// (Aligned, or fenced, it is not.)
void FeedUnit::begin_behind() {
  log_event(Event::kOwnerContended, of_feed(config_.name),
            "its owner before has woken up and gone on; beginning again behind that");
  keeper_->withdraw([this, life = life_](const Result<void>& done) {
    if (life != life_ || phase_ != Phase::kRunning) return;
    if (!done) return fail(done.error());
    epoch_ = 0;
    begin_again();
  });
}

void FeedUnit::owned(const Result<void>& read, Place place) {
  if (phase_ != Phase::kRunning) return;
  owning_ = false;
  recovered_->checkpoints.reset();
  if (!read && patient() && read.error().code == ExitCode::kUnavailable) {  // a running feed waits for Kafka
    log_event(Event::kRecoveryRetried, of_feed(config_.name), "{}; trying again", read.error().message);
    std::ranges::move(recovered_->strangers, std::back_inserter(untold_));
    keeper_->freeze();
    return begin_again();
  }
  if (!read) return fail(read.error());
  const bool nothing_compared = config_.sink.delivery == sink::Delivery::kAtMostOnce;
  if (place == Place::kBehind && nothing_compared) return begin_behind();
  if (place == Place::kSecond) {
    keeper_->freeze();
    if (++lost_races_ <= kMostLostRaces) return look_again();
    return fail(error(ExitCode::kProtocol,
                      fmt::format("feed {}: another daemon has taken it over at the same moment; {}stop one "
                                  "of them",
                                  config_.name, life_ == 1 ? "this one has written nothing; " : "")));
  }
  epoch_ = keeper_->epoch();
  owned_once_ = true;
  owned_at_ = SteadyClock::now();
  tell(std::exchange(untold_, {}));
  tell(recovered_->strangers);  // not before: to a loser of the race the winner's first records are somebody else's
  forget_told(keeper_->current());
  keeper_->bury(recovered_->older_epochs, recovered_->states);
  next_checkpoint_ = SteadyClock::now() + around_.config.checkpoint.interval;
  const auto took = since_ms(recovering_since_).count();
  metrics_.set(FeedGauge::kRecoverySeconds, took);
  metrics_.set(FeedGauge::kAlignmentSeconds, 0);
  log_event(Event::kOwned, of_feed(config_.name), "owned, epoch {}, session {}, {} ms after the start of recovery",
            keeper_->epoch(), keeper_->session(), took);
  if (metrics_.state() == FeedState::kRecovering)
    log_event(Event::kRecovery, of_feed(config_.name), "recovery: {}", journal::name(journal::Step::kAlign));
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
  log_event(Event::kBarrier, of_feed(config_.name), "barrier: {}", decision);
  if (!barrier.left.empty()) {
    if (barrier.left_early) keeper_->leave(barrier.left, barrier.left_at);
    keeper_->new_session(barrier.report.session, barrier.report.mark.next_sequence, barrier.report.mark.state);
    feed_->reserve(barrier.report.mark.next_sequence);  // the numbers begin anew
    feed_->drop_before(0);
  }
  crossing_ = false;
  if (transactional()) return commit(std::move(decision));
  const auto pass = [this, life = life_](const Result<void>& written) {
    if (life != life_) return;
    if (!written) return fail(written.error());
    feed_->pass_barrier();
  };
  keeper_->write(std::move(decision), journal::Follows::kMore, pass);
}

// Asked for: the end of a transaction, or the old parameters have done their part.
void FeedUnit::drained(const pipeline::Barrier&) { change_due_ ? change_over() : commit({}); }

// Nothing of ours lies behind the barrier's checkpoint, as after a clean stop, even if this is the session's end; all
// else is the next life's, in place or after a stop. The checkpoint says "clean" in the latter case only: to a second
// daemon it would mean that no owner lives. It says "settled" in the former, so that who starts after a kill takes the
// new configuration too.
void FeedUnit::change_over() {
  const std::string decision = recovered_->replays_old ? "aligned under the old configuration" : "partitions added";
  log_event(Event::kBarrier, of_feed(config_.name), "barrier: {}; going on under the new configuration", decision);
  ending_ = true;
  if (transactional()) return commit(decision);
  keeper_->give_back();
  keeper_->write(decision, follows(), [this, life = life_](const Result<void>& written) {
    if (life != life_) return;
    ending_ = static_cast<bool>(written);
    written ? changed_over() : fail(written.error());
  });
}

journal::Follows FeedUnit::follows() const {
  if (!ending_) return journal::Follows::kMore;
  return change_due_ && !stopping_ ? journal::Follows::kAnotherEpoch : journal::Follows::kNothing;
}

void FeedUnit::changed_over() {
  if (stopping_) return keeper_->current().clean ? last_written() : stopped_at_change();
  begin_again();
}

// The stop came while the barrier's checkpoint was on its way.
void FeedUnit::stopped_at_change() {
  if (transactional()) {
    if (auto begun = producer_->begin_transaction(); !begun) return fail(begun.error());
    return commit({});
  }
  keeper_->write({}, journal::Follows::kNothing, [this, life = life_](const Result<void>& written) {
    if (life != life_) return;
    ending_ = static_cast<bool>(written);
    written ? last_written() : fail(written.error());
  });
}

// What was handed over, and a checkpoint of all of it; commit stands still.
void FeedUnit::commit(std::string decision) {
  committing_ = true;
  metrics_.set(FeedGauge::kDrainSeconds, stands().count());
  const milliseconds left = std::max(transaction_timeout(around_.config.producer) - stands(), milliseconds{1});
  const journal::Checkpoint checkpoint = keeper_->next(std::move(decision), follows());
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
  if (change_due_ && ending_) return changed_over();
  if (ending_) return last_written();
  feed_->pass_barrier();
}

// Something was handed over since the last one: commit stands still while it is committed.
void FeedUnit::commit_transaction() {
  const std::uint64_t handed =
      metrics_.value(FeedCounter::kMessagesCommitted) + metrics_.value(FeedCounter::kMessagesDeadLettered);
  const bool due = SteadyClock::now() >= next_checkpoint_;  // nothing to commit: the proof that the owner lives
  if (committing_ || (handed == committed_at_ && !due)) return;
  committed_at_ = handed;
  committing_ = true;
  next_checkpoint_ = SteadyClock::now() + around_.config.checkpoint.interval;
  feed_->want_barrier();
}

// How long commit has stood still by now.
milliseconds FeedUnit::stands() const { return since_ms(standing_since_); }

}  // namespace tickbridge::app
