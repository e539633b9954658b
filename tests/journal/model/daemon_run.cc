// The daemon once it owns its feed: hand-over, marks, checkpoints, barriers.
#include <algorithm>
#include <utility>

#include "journal/model/daemon.h"
#include "journal/model/world.h"

namespace tickbridge::journal::model {
namespace {

std::int64_t as_offset(std::size_t n) { return static_cast<std::int64_t>(n); }

}  // namespace

std::size_t Daemon::in_flight() const {
  std::size_t sum = 0;
  const ProducerSession& session = world_.kafka.sessions[producer_];
  for (const auto& queue : session.sent) {
    for (const Batch& batch : queue) sum += batch.hashes.size();
  }
  for (const auto& queue : session.appended) {
    for (const Batch& batch : queue) sum += batch.hashes.size();
  }
  return sum;
}

bool Daemon::finished() const {
  return world_.session + 1 == world_.sessions.size() && cursor_ > world_.current().packets.size() &&
         current_.session == world_.current().name;
}

bool Daemon::ended() const { return world_.ends_before(current_.session, cursor_); }

bool Daemon::more_to_come() const {
  return world_.current().name != current_.session || cursor_ <= world_.current().packets.size() ||
         cursor_ < world_.first || (change_due_ && caught_up());
}

bool Daemon::caught_up() const { return !aligner_ || aligner_->caught_up({cursor_ - 1, UINT32_MAX}); }

bool Daemon::quiet() const { return groups_.empty() && in_flight() == 0 && writes_in_flight == 0; }

bool Daemon::can_run() const {
  if (!jumps_.empty()) return true;
  if (last_word_) return writes_in_flight == 0;
  if (barrier_) return !groups_.empty() || quiet();
  if (!groups_.empty() && in_flight() < world_.settings.window) return true;
  if (!writing_ && (news_ || packets_since_ >= world_.settings.checkpoint_every || world_.watched(*this))) return true;
  if (finished() || stopping) return quiet();
  return groups_.empty() && more_to_come();
}

void Daemon::run() {
  if (!jumps_.empty()) {
    // The other thread may be about to write a checkpoint.
    int& more = world_.settings.checkpoints_at_jumps;
    if (!writing_ && !world_.calm && more > 0 && world_.choices->choose(2) == 1) return --more, interval();
    return judge_jumps();
  }
  if (last_word_) return leave(0, "clean stop");
  if (!groups_.empty() && (barrier_ || in_flight() < world_.settings.window)) return hand_over();
  if (barrier_) return pass_barrier();
  const bool due = packets_since_ >= world_.settings.checkpoint_every || world_.watched(*this) ||
                   (news_ && (finished() || stopping));
  if (!writing_ && due) return interval();
  if ((finished() || stopping) && quiet()) {
    return stop_cleanly();
  }
  if (groups_.empty() && !stopping && fetch()) return;
  if (!writing_) interval();
}

// Nothing is named here: alignment does, from a checkpoint before the jump, so that one record of several equal ones
// stays.
void Daemon::judge_jumps() {
  bool foreign = false;
  for (const Jump& jump : jumps_) {
    if (jump.found < jump.expected) return leave(65, "a partition was cut short");
    for (std::int64_t offset = jump.expected; offset < jump.found; ++offset) {
      foreign |= world_.kafka.partitions[jump.partition].log[static_cast<std::size_t>(offset)].foreign;
    }
  }
  world_.kafka.sessions[producer_].die();
  if (foreign) return leave(76, "somebody else writes into the topic");
  world_.say(instance_ + " recovers in place");
  begin(true);
}

void Daemon::hand_over() {
  Group group = std::move(groups_.front());
  groups_.pop_front();
  const std::size_t queues = world_.kafka.sessions[producer_].sent.size();
  if (group.queue == static_cast<std::size_t>(count_)) {
    dead_letters_ += group.hashes.size();
    group.queue = queues - 1;
  } else {
    Handed& handed = handed_[group.queue];
    handed.count += group.hashes.size();
    handed.position = group.last;
    handed.hash = group.hashes.back();
  }
  world_.kafka.sessions[producer_].sent[group.queue].push_back({std::move(group.hashes), -1});
}

void Daemon::acknowledged(std::size_t queue, const Batch& batch) {
  news_ = true;
  const std::uint64_t n = batch.hashes.size();
  if (queue + 1 == world_.kafka.sessions[producer_].sent.size()) {
    dead_letters_acked_ += n;
    return;
  }
  if (batch.base != predicted_[queue]) {
    jumps_.push_back({queue, predicted_[queue], batch.base});
    acked_[queue].before_jump = acked_[queue].count;
    acked_[queue].jumped = true;
  }
  acked_[queue].count += n;
  acked_[queue].last_offset = batch.base + as_offset(batch.hashes.size()) - 1;
  predicted_[queue] = acked_[queue].last_offset + 1;
}

void Daemon::written(const Request& request) {
  --writes_in_flight;
  if (request.note.checkpoint) writing_ = false;
  if (request.state) ++batches_acked_;
}

void Daemon::mark() {
  if (!learnt_.empty()) {
    StateBatch batch{
        .feed = current_.feed, .session = current_.session, .epoch = epoch_, .number = ++batches_, .entries = {}};
    batch.entries = std::exchange(learnt_, {});
    world_.kafka.requests.push_back({id_, {}, std::move(batch)});
    ++writes_in_flight;
  }
  if (aligner_) {
    for (std::int32_t p = 0; p < count_; ++p) marks_->matched(p, aligner_->reached(p));
    if (aligner_->done({cursor_ - 1, UINT32_MAX})) aligner_.reset();
  }
  marks_->add({.next_sequence = cursor_,
               .state = function_->state(),
               .handed = handed_,
               .dead_letters = dead_letters_,
               .state_batches = batches_});
}

void Daemon::acknowledge_marks() { marks_->acknowledge(acked_, dead_letters_acked_, batches_acked_); }

void Daemon::interval() {
  if (world_.somebody_looks()) ++intervals_;
  packets_since_ = 0;
  news_ = false;
  if (highest_epoch(read_notes()) > epoch_) return leave(76, "a newer epoch");
  if (groups_.empty()) mark();
  if (!writing_) write_checkpoint("", Follows::kMore);
}

void Daemon::write_checkpoint(std::string decision, Follows follows) {
  acknowledge_marks();
  ++current_.number;
  current_.next_sequence = marks_->next_sequence();
  current_.state = marks_->state();
  current_.session_ended = world_.ends_before(current_.session, current_.next_sequence);
  current_.partitions = marks_->partitions();
  current_.decision = std::move(decision);
  closes(current_, follows);
  send(current_);
}

void Daemon::send(Checkpoint checkpoint) {
  std::string key = checkpoint_key(checkpoint.feed, checkpoint.epoch);
  world_.kafka.requests.push_back({id_, {std::move(key), std::move(checkpoint)}, std::nullopt});
  ++writes_in_flight;
  writing_ = true;
}

// true: something was taken, or a barrier stands in front.
bool Daemon::fetch() {
  const Session& session = world_.current();
  if (session.name != current_.session) {
    barrier_ = Barrier{Barrier::Kind::kSession};
    return true;
  }
  if (change_due_ && caught_up()) {
    barrier_ = Barrier{Barrier::Kind::kParameters};
    return true;
  }
  if (cursor_ < world_.first) {
    barrier_ = Barrier{Barrier::Kind::kGap};
    return true;
  }
  const std::uint64_t end = std::min<std::uint64_t>(cursor_ + world_.settings.piece, session.packets.size() + 1);
  if (end <= cursor_) return false;
  if (commit(cursor_, end)) {
    packets_since_ += end - cursor_;
    cursor_ = end;
  }
  return true;
}

bool Daemon::commit(std::uint64_t first, std::uint64_t end) {
  std::vector<Output> outputs;
  std::vector<Group> groups(static_cast<std::size_t>(count_) + 1);
  const auto add = [&groups](std::size_t queue, const Output& output) {
    groups[queue].queue = queue;
    groups[queue].hashes.push_back(output.hash);
    groups[queue].last = output.position;
  };
  for (std::uint64_t sequence = first; sequence < end; ++sequence) {
    for (const Message& message : world_.current().packets[sequence - 1]) {
      if (message.invalid) {
        add(static_cast<std::size_t>(count_), {0, {sequence, message.index}, message.content});
      } else {
        outputs.push_back(function_->take(sequence, message));
      }
    }
  }
  for (StateEntry& entry : function_->take_learnt()) learnt_.push_back(std::move(entry));
  if (aligner_) {
    for (const Output& output : outputs) aligner_->expect(output.partition, output.hash);
  }
  for (const Output& output : outputs) {
    Alignment what = Alignment::kWrite;
    if (aligner_) what = aligner_->next(output.partition, output.position, output.hash);
    if (what == Alignment::kFailed) {
      leave(65, aligner_->problem());
      return false;
    }
    if (what == Alignment::kWrite) add(static_cast<std::size_t>(output.partition), output);
  }
  for (Group& group : groups) {
    if (!group.hashes.empty()) groups_.push_back(std::move(group));
  }
  if (aligner_) {
    if (end > world_.current().packets.size()) aligner_->finish();
    world_.name_strangers(aligner_->take_strangers());
    world_.tally.matched += aligner_->matched() != 0 ? 1U : 0U;
  }
  return true;
}

// --- barriers ---

bool Daemon::settled() {
  mark();
  acknowledge_marks();
  return writes_in_flight == 0 && marks_->settled();
}

void Daemon::pass_barrier() {
  if (barrier_->written) {
    const bool parameters = barrier_->kind == Barrier::Kind::kParameters;
    barrier_.reset();
    if (parameters) begin(true);
    return;
  }
  if (!settled()) return;
  if (highest_epoch(read_notes()) > epoch_) return leave(76, "a newer epoch");
  barrier_->written = true;
  switch (barrier_->kind) {
    case Barrier::Kind::kGap:
      return cross_gap();
    case Barrier::Kind::kSession:
      return cross_session();
    case Barrier::Kind::kParameters:
      return write_checkpoint("parameters", Follows::kAnotherEpoch);
  }
}

void Daemon::cross_gap() {
  const std::uint64_t gap = cursor_;
  cursor_ = world_.first;
  world_.missing.push_back({current_.session, gap, cursor_});
  if (aligner_) aligner_->gap_opens();
  mark();  // everything before the gap is acknowledged, so everything before its end is
  write_checkpoint("gap", Follows::kMore);
}

// What was not compared yet may be ours, if the session was left before its end.
void Daemon::cross_session() {
  const bool left_early = !ended();
  world_.missing.push_back({current_.session, cursor_, 0});
  std::vector<PartitionState> partitions(static_cast<std::size_t>(count_));
  std::vector<std::uint64_t> counts;
  for (std::size_t p = 0; p < partitions.size(); ++p) {
    const std::int64_t end = predicted_[p];
    for (std::int64_t o = marks_->partitions()[p].offset + 1; left_early && o < end; ++o) world_.closed[p].insert(o);
    partitions[p].offset = end - 1;
    handed_[p].position = {};
    handed_[p].hash = 0;
    counts.push_back(handed_[p].count);
  }
  aligner_.reset();
  function_.emplace(count_);
  cursor_ = world_.first;
  current_.session = world_.current().name;
  current_.state_epoch_floor = epoch_;
  world_.shapes.push_back({current_.session, cursor_, count_});
  marks_.emplace(cursor_, function_->state(), std::move(partitions), std::move(counts));
  write_checkpoint("session", Follows::kMore);
}

void Daemon::stop_cleanly() {
  if (!settled()) return;
  if (highest_epoch(read_notes()) > epoch_) return leave(76, "a newer epoch");
  last_word_ = true;
  write_checkpoint("", caught_up() ? Follows::kNothing : Follows::kMore);
}

}  // namespace tickbridge::journal::model
