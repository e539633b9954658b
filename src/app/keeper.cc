#include "app/keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "base/log.h"

namespace tickbridge::app {

namespace asio = boost::asio;
using journal::Follows;
using metrics::FeedCounter;
using sink::Delivery;

namespace {

constexpr milliseconds kInferAfter{300};   // without anything in flight
constexpr milliseconds kPatience{10'000};  // for a deleted topic to be there again
constexpr milliseconds kAgain{200};        // after a note that could not be written

}  // namespace

Keeper::Keeper(asio::io_context& io, Settings settings, sink::CompactedLog& checkpoints, sink::CompactedLog& states,
               sink::Lane& lane, metrics::FeedMetrics& metrics)
    : io_{io},
      delivery_{settings.delivery},
      ends_{std::move(settings.ends)},
      checkpoints_{checkpoints},
      states_{states},
      lane_{&lane},
      metrics_{metrics},
      current_{std::move(settings.start)},
      marks_{current_.next_sequence, current_.state, current_.partitions},
      reserved_{current_.next_sequence},
      final_next_{current_.next_sequence},
      final_state_{current_.state},
      aligned_{settings.aligned} {}

void Keeper::begin(Then then) {
  current_.number = 1;
  if (current_.session_ended) ended_at_ = current_.next_sequence;
  put(current_, std::move(then));
}

void Keeper::take(pipeline::MarkReport report) {
  aligned_ = report.aligned;
  for (const auto& [partition, found] : report.matched) marks_.matched(partition, found);
  if (!report.learnt.empty()) {
    const journal::StateBatch batch{.feed = current_.feed,
                                    .session = report.session,
                                    .epoch = current_.epoch,
                                    .number = state_batches_acked_ + state_writes_.size() + 1,
                                    .entries = std::move(report.learnt)};
    state_writes_.push_back(
        {.key = journal::state_key(batch.feed, batch.epoch, batch.number), .value = journal::to_json(batch)});
    send_state(batch.number);
  }
  if (report.session_ended) ended_at_ = report.mark.next_sequence;
  final_next_ = report.mark.next_sequence;
  final_state_ = report.mark.state;
  marks_.add(std::move(report.mark));
}

void Keeper::send_state(std::uint64_t number) {
  const StateWrite& write = state_writes_[number - state_batches_acked_ - 1];
  states_.write(write.key, write.value, [self = shared_from_this(), number](const Result<std::int64_t>& answer) {
    asio::post(self->io_, [self, number, answer] { self->state_answered(number, answer); });
  });
}

// A batch that could not be written is written again: no checkpoint passes it before.
void Keeper::state_answered(std::uint64_t number, const Result<std::int64_t>& answer) {
  if (!answer) {
    if (frozen_) return;
    log_event(Event::kCheckpointFailed, of_feed(current_.feed),
              "what the directory has learnt could not be written, trying again: {}", answer.error().message);
    auto later = std::make_shared<asio::steady_timer>(io_, kAgain);
    return later->async_wait([self = shared_from_this(), number, later](boost::system::error_code) {
      if (!self->frozen_) self->send_state(number);
    });
  }
  state_writes_[number - state_batches_acked_ - 1].acked = true;
  for (; !state_writes_.empty() && state_writes_.front().acked; ++state_batches_acked_) state_writes_.pop_front();
}

// Offsets come from records whose offsets Kafka told. Where it did not tell the newest ones (retries that the broker
// had already), they are waited for a little, and inferred when nothing more is to come. Behind a jump nothing counts:
// the next alignment begins before it, and sorts out what is there.
void Keeper::acknowledge() {
  if (lane_ == nullptr) return;
  acked_.resize(marks_.partitions().size());
  const bool infer = !watched() || inferring();
  for (std::size_t p = 0; p < acked_.size(); ++p) {
    acknowledge(p, lane_->acked(static_cast<std::int32_t>(p)), infer);
  }
  marks_.acknowledge(acked_, lane_->dead_letters_acked(), state_batches_acked_);
}

void Keeper::acknowledge(std::size_t partition, const sink::Acked& has, bool infer) {
  journal::Acked& acked = acked_[partition];
  if (partition < ends_.size() && has.count != 0 &&
      has.last_offset != ends_[partition] + static_cast<std::int64_t>(has.count) - 1) {
    const auto jump = jumps_.find(partition);
    if (jump == jumps_.end()) return;
    const std::uint64_t before =
        std::min(has.count, static_cast<std::uint64_t>(std::max<std::int64_t>(jump->second - ends_[partition], 0)));
    if (before > acked.count)
      acked = {
          .count = before, .last_offset = ends_[partition] + static_cast<std::int64_t>(before) - 1, .before_jump = 0};
    return;
  }
  const std::uint64_t count = infer ? has.count : std::min(has.count, std::max(has.told, has.before_jump));
  if (count < acked.count) return;
  acked = {.count = count,
           .last_offset = has.last_offset - static_cast<std::int64_t>(has.count - count),
           .before_jump =
               watched() ? has.before_jump : 0};  // where others may write too, offsets are what they may be at most
}

void Keeper::jumped(std::int32_t partition, std::int64_t expected) {
  const auto [found, first] = jumps_.emplace(static_cast<std::size_t>(partition), expected);
  if (!first) found->second = std::min(found->second, expected);
}

void Keeper::leave_lane() {
  acknowledge();
  lane_ = nullptr;
}

bool Keeper::watched() const noexcept {
  return delivery_ == Delivery::kExactlyOnce || delivery_ == Delivery::kTransactional;
}

bool Keeper::inferring() {
  if (lane_->in_flight() != 0) {
    quiet_since_.reset();
    return false;
  }
  const SteadyTime now = SteadyClock::now();
  std::uint64_t acknowledged = 0;
  for (std::size_t p = 0; p < acked_.size(); ++p) acknowledged += lane_->acked(static_cast<std::int32_t>(p)).count;
  if (!quiet_since_ || acknowledged != std::exchange(quiet_at_, acknowledged)) quiet_since_ = now;
  return now - *quiet_since_ >= kInferAfter;
}

bool Keeper::settled() {
  acknowledge();
  // At most once has nothing to wait for: what is not acknowledged by now never will be.
  return marks_.settled() || (delivery_ == Delivery::kAtMostOnce && state_writes_.empty());
}

journal::Checkpoint Keeper::next(std::string decision, Follows follows) {
  acknowledge();
  const bool ahead = delivery_ == Delivery::kAtMostOnce;
  const std::uint64_t given_up = follows == Follows::kNothing ? final_next_ : std::max(reserved_, final_next_);
  current_.next_sequence = ahead ? given_up : marks_.next_sequence();
  ++current_.number;
  current_.session_ended = ended_at_ && (ahead ? final_next_ : marks_.next_sequence()) >= *ended_at_;
  current_.partitions = marks_.partitions();
  current_.state = ahead ? final_state_ : marks_.state();
  current_.decision = std::move(decision);
  journal::closes(current_, follows);
  return current_;
}

void Keeper::write(std::string decision, Follows follows, Then then) {
  if (frozen_) return;
  if (!writing_) return send({std::move(decision), follows, std::move(then)});
  if (decision.empty() && follows == Follows::kMore && !then) return;  // the one in flight says it nearly as well
  waiting_.push_back({std::move(decision), follows, std::move(then)});
}

void Keeper::repeat() {
  if (frozen_ || writing_) return;
  ++current_.number;
  current_.decision.clear();
  put(current_, {});
}

void Keeper::withdraw(Then then) {
  freeze();
  bury_own(std::make_shared<Then>(std::move(then)), SteadyClock::now() + kPatience);
}

void Keeper::bury_own(std::shared_ptr<Then> then, SteadyTime deadline) {
  checkpoints_.write(journal::checkpoint_key(current_.feed, current_.epoch), std::nullopt,
                     [self = shared_from_this(), then, deadline](const Result<std::int64_t>& answer) {
                       asio::post(self->io_, [self, then, deadline, answer] {
                         if (answer) return (*then)({});
                         if (SteadyClock::now() >= deadline) return (*then)(answer.error());
                         auto later = std::make_shared<asio::steady_timer>(self->io_, kAgain);
                         later->async_wait([self, then, deadline, later](boost::system::error_code) {
                           self->bury_own(then, deadline);
                         });
                       });
                     });
}

void Keeper::send(Waiting waiting) { put(next(std::move(waiting.decision), waiting.follows), std::move(waiting.then)); }

void Keeper::put(const journal::Checkpoint& checkpoint, Then then) {
  writing_ = true;
  attempt(std::make_shared<Attempt>(Attempt{.key = journal::checkpoint_key(checkpoint.feed, checkpoint.epoch),
                                            .value = journal::to_json(checkpoint),
                                            .then = std::move(then),
                                            .since = SteadyClock::now(),
                                            .since_wall_ns = wall_nanoseconds()}));
}

void Keeper::attempt(std::shared_ptr<Attempt> one) {
  checkpoints_.write(one->key, one->value, [self = shared_from_this(), one](const Result<std::int64_t>& answer) {
    asio::post(self->io_, [self, one, answer] { self->answered(one, answer); });
  });
}

// A producer of notes that is made anew throws away what is on its way: written again, the same one changes nothing.
void Keeper::answered(const std::shared_ptr<Attempt>& one, const Result<std::int64_t>& answer) {
  if (!answer && one->then && SteadyClock::now() - one->since < kPatience && !frozen_) {
    auto later = std::make_shared<asio::steady_timer>(io_, kAgain);
    return later->async_wait([self = shared_from_this(), one, answer, later](boost::system::error_code) {
      self->frozen_ ? self->answered(one, answer) : self->attempt(one);
    });
  }
  writing_ = false;
  if (answer) {
    silence_ = std::max({SteadyClock::now() - proved_at_,
                         SteadyClock::duration{std::chrono::nanoseconds{wall_nanoseconds() - proved_wall_ns_}},
                         SteadyClock::duration{}});
    proved_at_ = one->since;
    proved_wall_ns_ = one->since_wall_ns;
    metrics_.add(FeedCounter::kCheckpoints, 1);
    metrics_.set(metrics::FeedGauge::kCheckpointSeconds,
                 std::chrono::duration_cast<milliseconds>(SteadyClock::now() - one->since).count());
  } else {
    log_event(Event::kCheckpointFailed, of_feed(current_.feed), "a checkpoint could not be written: {}",
              answer.error().message);
  }
  if (one->then) one->then(answer ? Result<void>{} : Result<void>{answer.error()});
  if (writing_ || waiting_.empty() || frozen_) return;
  Waiting next = std::move(waiting_.front());
  waiting_.erase(waiting_.begin());
  send(std::move(next));
}

void Keeper::reserve(std::uint64_t sequence, Then then) {
  reserved_ = std::max(reserved_, sequence);
  write("", Follows::kMore, std::move(then));
}

// Positions of the session before are void; all that lies before the place where this life began to write, or before
// what it has written last, is of the session before.
void Keeper::new_session(std::string session, std::uint64_t next_sequence, const journal::FunctionState& state) {
  acknowledge();
  std::vector<journal::PartitionState> partitions = marks_.partitions();
  for (std::size_t p = 0; p < partitions.size(); ++p) {
    const sink::Acked has = lane_->acked(static_cast<std::int32_t>(p));
    const std::int64_t began = p < ends_.size() ? std::max(ends_[p] - 1, partitions[p].offset) : partitions[p].offset;
    const std::int64_t offset = has.count != 0 ? has.last_offset : began;
    partitions[p] = {.position = {}, .offset = offset, .hash = 0, .markers = 0};
  }
  ended_at_.reset();
  current_.session = std::move(session);
  current_.state_epoch_floor = current_.epoch;
  marks_ = journal::Marks{next_sequence, state, std::move(partitions)};
  reserved_ = final_next_ = next_sequence;
  final_state_ = state;
}

// What fails, the next start buries.
void Keeper::bury(const std::vector<std::uint64_t>& epochs, const std::vector<journal::StateBatch>& states) {
  for (const std::uint64_t epoch : epochs) {
    checkpoints_.write(journal::checkpoint_key(current_.feed, epoch), std::nullopt, [](const Result<std::int64_t>&) {});
  }
  std::size_t buried = 0;
  for (const journal::StateBatch& batch : states) {
    const bool before_us =
        batch.epoch < current_.epoch;  // if not: the checkpoint topic has been lost, and epochs begin anew
    if (before_us && !journal::gone(batch, current_.session, current_.state_epoch_floor)) continue;
    states_.write(journal::state_key(batch.feed, batch.epoch, batch.number), std::nullopt,
                  [](const Result<std::int64_t>&) {});
    ++buried;
  }
  if (buried != 0)
    log_event(Event::kStateBuried, of_feed(current_.feed), "{} state record(s) that no start needs any more are buried",
              buried);
}

}  // namespace tickbridge::app
