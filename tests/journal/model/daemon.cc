#include "journal/model/daemon.h"

#include <algorithm>
#include <utility>

#include "journal/model/world.h"

namespace tickbridge::journal::model {
namespace {

constexpr const char* kFeed = "f";

std::int64_t as_offset(std::size_t n) { return static_cast<std::int64_t>(n); }

Parameters parameters_for(std::size_t partitions) { return {{"topic_partitions", std::to_string(partitions)}}; }

}  // namespace

Daemon::Daemon(World& world, int id) : world_{world}, id_{id}, instance_{"d" + std::to_string(id)} { begin(false); }

void Daemon::begin(bool in_place) {
  if (in_place) world_.owner_rests(id_);
  step_ = Step::kReadCheckpoints;
  facts_ = {};
  facts_.rebuild_in_place = in_place;
  producer_ = world_.kafka.open_session(kMostPartitions + 1);
  aligner_.reset();
  marks_.reset();
  groups_.clear();
  learnt_.clear();
  jumps_.clear();
  barrier_.reset();
  suffixes_.clear();
  dead_letters_ = dead_letters_acked_ = batches_ = batches_acked_ = 0;
  change_due_ = owned_ = last_word_ = writing_ = false;
  packets_since_ = 0;
}

void Daemon::leave(int code, const std::string& why) {
  exit_ = code;
  if (code == 76 && !company_ && !world_.strange)
    world_.wrong(instance_ + " leaves with 76 although nobody else lives");
  why_ = why;
  world_.say(instance_ + " leaves with " + std::to_string(code) + ": " + why);
  world_.kafka.sessions[producer_].dead = true;
  if (code == 76) ++world_.tally.left;
}

void Daemon::advance() { step_ = next_step(step_, facts_); }

std::vector<Checkpoint> Daemon::read_notes() const {
  std::vector<Checkpoint> out;
  for (const Note& note : world_.kafka.notes) {
    if (note.checkpoint) out.push_back(*note.checkpoint);
  }
  return out;
}

bool Daemon::can_step() const {
  if (!running() || paused) return false;
  switch (step_) {
    case Step::kWatchOwner:
      return world_.interval_passed(*this);
    case Step::kReadBack:
      return writes_in_flight == 0;
    case Step::kOwn:
      return writes_in_flight == 0;
    case Step::kRun:
      return can_run();
    default:
      return true;
  }
}

void Daemon::step() {
  switch (step_) {
    case Step::kReadCheckpoints:
      return read_checkpoints();
    case Step::kWatchOwner:
      return watch_owner();
    case Step::kFence:
      return fence();
    case Step::kReadEnds:
      return read_ends();
    case Step::kReadSuffix:
      return read_suffix();
    case Step::kLogIn:
      return log_in();
    case Step::kOwn:
      return own();
    case Step::kReadBack:
      return read_back();
    case Step::kAlign:
      return advance();
    case Step::kRun:
      return run();
  }
}

// --- the start path ---

void Daemon::read_checkpoints() {
  const std::vector<Checkpoint> notes = read_notes();
  const std::uint64_t own = epoch_;
  highest_ = highest_epoch(notes);
  if (facts_.rebuild_in_place && highest_ > own) return leave(76, "somebody else has taken the feed over");
  const Checkpoint* const found = newest(notes);
  base_ = found != nullptr ? std::optional{*found} : std::nullopt;
  facts_.has_checkpoint = base_.has_value();
  facts_.clean = base_ && base_->clean;
  if (base_) liveness_.emplace(*base_);
  looks_ = 0;
  company_ = company_ || world_.others_alive(*this);
  seen_intervals_.clear();
  for (const auto& daemon : world_.daemons) seen_intervals_.push_back(daemon->intervals_);
  steady_owner = base_ ? world_.owner_of(base_->epoch, *this) : -1;
  ++world_.tally.recoveries;
  parameters_ = parameters_for(world_.kafka.partitions.size());
  count_ = static_cast<std::int32_t>(world_.kafka.partitions.size());
  if (base_) {
    const ParameterFinding finding = judge_parameters(*base_, parameters_, false);
    if (finding.way == ParameterFinding::Way::kRefused) return leave(65, finding.problem);
    change_due_ = finding.way == ParameterFinding::Way::kOldFirst;
    if (change_due_) {
      parameters_ = base_->parameters;
      count_ = static_cast<std::int32_t>(base_->partitions.size());
    }
  }
  advance();
}

void Daemon::watch_owner() {
  for (const Checkpoint& note : read_notes()) liveness_->saw(note);
  ++looks_;
  if (liveness_->alive()) {
    if (!company_ && !world_.others_alive(*this)) world_.wrong(instance_ + " takes a dead owner for a living one");
    return leave(76, "an owner lives");
  }
  if (looks_ < 2) return;
  const std::vector<Checkpoint> notes = read_notes();
  if (highest_epoch(notes) != highest_) return begin(facts_.rebuild_in_place);
  base_ = *newest(notes);  // what was on its way
  facts_.clean = base_->clean;
  advance();
}

void Daemon::fence() {
  if (world_.still_owns(steady_owner)) world_.wrong(instance_ + " fences a living owner");
  if (world_.fence_round()) advance();
}

void Daemon::read_ends() {
  ends_.clear();
  for (std::int32_t p = 0; p < count_; ++p) {
    const PartitionLog& log = world_.kafka.partitions[static_cast<std::size_t>(p)];
    ends_.push_back(log.watermark);
    if (!base_ || static_cast<std::size_t>(p) >= base_->partitions.size()) continue;
    const PartitionState& state = base_->partitions[static_cast<std::size_t>(p)];
    End end{.begin = log.begin, .end = log.watermark, .hash_at_offset = {}};
    if (state.offset >= log.begin && state.offset < log.watermark) {
      const LogRecord& record = log.log[static_cast<std::size_t>(state.offset)];
      if (record.kind == LogRecord::Kind::kData) end.hash_at_offset = record.hash;
    }
    const Result<void> good = check_end("t", p, state, end);
    if (!good) return leave(65, good.error().message);
  }
  advance();
}

void Daemon::read_suffix() {
  suffixes_.clear();
  for (std::size_t p = 0; p < base_->partitions.size(); ++p) {
    const PartitionLog& log = world_.kafka.partitions[p];
    Suffix& suffix = suffixes_.emplace_back();
    suffix.from = base_->partitions[p];
    suffix.end = ends_[p];
    suffix.lost = std::max<std::int64_t>(0, std::min(log.begin, suffix.end) - suffix.from.offset - 1);
    for (std::int64_t offset = log.begin; offset <= suffix.from.offset; ++offset) {
      const LogRecord& record = log.log[static_cast<std::size_t>(offset)];
      if (record.kind == LogRecord::Kind::kData) suffix.before.push_back(record.hash);
    }
    for (std::int64_t offset = std::max(log.begin, suffix.from.offset + 1); offset < suffix.end; ++offset) {
      const LogRecord& record = log.log[static_cast<std::size_t>(offset)];
      if (record.kind == LogRecord::Kind::kData) suffix.found.push_back({offset, record.hash});
    }
  }
  for (const Suffix& suffix : suffixes_) {  // what remains tells where it begins, if it is ours
    world_.guessed |= suffix.lost > 0 && (suffix.found.empty() || world_.strange || world_.rivals);
  }
  for (std::size_t p = suffixes_.size(); p < ends_.size(); ++p) {  // the topic has grown
    Suffix& suffix = suffixes_.emplace_back();
    suffix.end = ends_[p];
    suffix.from.offset = suffix.end - 1;
  }
  advance();
}

void Daemon::log_in() {
  const Session& session = world_.current();
  joined_ = session.name;
  const bool same = base_ && base_->session == session.name;
  cursor_ = std::max(same ? base_->next_sequence : 1, world_.first);
  login_ = base_ ? judge_login(*base_, session.name, cursor_) : LoginFinding{};
  if (!suffixes_.empty() && same) {
    aligner_.emplace(Aligner::Settings{.clean = base_->clean, .by_content = login_.gap()}, suffixes_);
  }
  advance();
}

void Daemon::own() {
  StartPlan plan;
  plan.previous = base_ ? &*base_ : nullptr;
  plan.highest_epoch = highest_;
  plan.feed = kFeed;
  plan.instance = instance_;
  plan.topic = "t";
  plan.session = joined_;
  plan.sequence = cursor_;
  plan.parameters = parameters_;
  plan.ends = ends_;
  if (aligner_) {
    for (std::size_t p = 0; p < suffixes_.size(); ++p) {
      plan.partitions.push_back(aligner_->reached(static_cast<std::int32_t>(p)));
    }
  }
  current_ = start_checkpoint(plan);
  epoch_ = current_.epoch;
  note_decisions();
  send(current_);
  advance();
}

// What the start checkpoint gives up counts from here on: it may be valid although this daemon does not live to see it.
void Daemon::note_decisions() {
  if (!base_ && cursor_ > 1) world_.missing.push_back({current_.session, 1, cursor_});
  if (login_.gap() && base_) {
    world_.missing.push_back({base_->session, login_.gap_begin, login_.gap_end});
  }
  for (std::size_t p = base_ ? base_->partitions.size() : ends_.size(); p < ends_.size();
       ++p) {  // before we took it over
    for (std::int64_t offset = 0; offset < ends_[p]; ++offset) world_.closed[p].insert(offset);
  }
  const bool other = base_ && base_->session != current_.session;
  if (other) {
    for (std::size_t p = 0; p < base_->partitions.size(); ++p) {
      for (std::int64_t offset = base_->partitions[p].offset + 1; offset < ends_[p]; ++offset)
        world_.closed[p].insert(offset);
    }
  }
}

// Whoever comes second begins again: the first may be a dead process's, which arrived late.
void Daemon::read_back() {
  const std::vector<Checkpoint> notes = read_notes();
  if (!owns(notes, epoch_, instance_)) {
    world_.say(instance_ + " is second in epoch " + std::to_string(epoch_));
    epoch_ = 0;
    return begin(false);
  }
  take_over();
  advance();
}

void Daemon::take_over() {
  owned_ = true;
  if (aligner_) world_.name_strangers(aligner_->take_strangers());
  if (world_.shapes.empty() || world_.shapes.back().partitions != count_ ||
      world_.shapes.back().session != current_.session) {
    world_.shapes.push_back({current_.session, current_.next_sequence, count_});
  }
  for (std::uint64_t epoch = 1; epoch < epoch_; ++epoch) {
    const std::string key = checkpoint_key(kFeed, epoch);
    if (std::ranges::any_of(world_.kafka.notes, [&](const Note& note) { return note.key == key && note.checkpoint; })) {
      world_.kafka.requests.push_back({id_, {key, std::nullopt}, std::nullopt});
      ++writes_in_flight;
    }
  }
  function_.emplace(count_);
  function_->restore(
      entries_before(world_.kafka.states, current_.session, current_.next_sequence, current_.state_epoch_floor),
      current_.state);
  cursor_ = std::max(cursor_, current_.next_sequence);
  marks_.emplace(current_.next_sequence, current_.state, current_.partitions);
  handed_.assign(static_cast<std::size_t>(count_), {});
  for (std::size_t p = 0; p < handed_.size(); ++p) handed_[p].position = current_.partitions[p].position;
  acked_.assign(static_cast<std::size_t>(count_), {});
  predicted_ = ends_;
  news_ = false;
}

// --- running ---

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
    if (!writing_ && !world_.calm && world_.choices->choose(2) == 1) return interval();
    return judge_jumps();
  }
  if (last_word_) return leave(0, "clean stop");
  if (!groups_.empty() && (barrier_ || in_flight() < world_.settings.window)) return hand_over();
  if (barrier_) return pass_barrier();
  const bool due = packets_since_ >= world_.settings.checkpoint_every || world_.watched(*this) ||
                   (news_ && (finished() || stopping));
  if (!writing_ && due) return interval();
  if ((finished() || stopping) && quiet()) {
    if (finished() && aligner_ && !aligner_->aligned()) {
      aligner_->finish();
      world_.name_strangers(aligner_->take_strangers());
    }
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
  world_.kafka.sessions[producer_].dead = true;
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
    StateBatch batch{.feed = kFeed, .session = current_.session, .epoch = epoch_, .number = ++batches_, .entries = {}};
    batch.entries = std::exchange(learnt_, {});
    world_.kafka.requests.push_back({id_, {}, std::move(batch)});
    ++writes_in_flight;
  }
  if (aligner_) {
    for (std::int32_t p = 0; p < count_; ++p) marks_->matched(p, aligner_->reached(p));
  }
  marks_->add({.next_sequence = cursor_,
               .state = function_->state(),
               .handed = handed_,
               .dead_letters = dead_letters_,
               .state_batches = batches_});
}

void Daemon::acknowledge_marks() { marks_->acknowledge(acked_, dead_letters_acked_, batches_acked_); }

void Daemon::interval() {
  ++intervals_;
  packets_since_ = 0;
  news_ = false;
  if (highest_epoch(read_notes()) > epoch_) return leave(76, "a newer epoch");
  if (groups_.empty()) mark();
  if (!writing_) write_checkpoint("", false);
}

void Daemon::write_checkpoint(std::string decision, bool clean) {
  acknowledge_marks();
  ++current_.number;
  current_.next_sequence = marks_->next_sequence();
  current_.state = marks_->state();
  current_.partitions = marks_->partitions();
  current_.decision = std::move(decision);
  current_.clean = clean;
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
      return write_checkpoint("parameters", true);
  }
}

void Daemon::cross_gap() {
  const std::uint64_t gap = cursor_;
  cursor_ = world_.first;
  world_.missing.push_back({current_.session, gap, cursor_});
  if (aligner_) aligner_->gap_opens();
  mark();  // everything before the gap is acknowledged, so everything before its end is
  write_checkpoint("gap", false);
}

void Daemon::cross_session() {
  world_.missing.push_back({current_.session, cursor_, 0});
  std::vector<PartitionState> partitions(static_cast<std::size_t>(count_));
  std::vector<std::uint64_t> counts;
  for (std::size_t p = 0; p < partitions.size(); ++p) {
    const std::int64_t end = std::max(predicted_[p], world_.kafka.partitions[p].watermark);
    for (std::int64_t o = marks_->partitions()[p].offset + 1; o < end; ++o) world_.closed[p].insert(o);
    partitions[p].offset = end - 1;
    predicted_[p] = end;
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
  write_checkpoint("session", false);
}

void Daemon::stop_cleanly() {
  if (!settled()) return;
  if (highest_epoch(read_notes()) > epoch_) return leave(76, "a newer epoch");
  last_word_ = true;
  write_checkpoint("", caught_up());
}

}  // namespace tickbridge::journal::model
