#include "journal/model/daemon.h"

#include <algorithm>
#include <utility>

#include "journal/model/world.h"

namespace tickbridge::journal::model {
namespace {

constexpr const char* kFeed = "f";

Parameters parameters_for(std::size_t partitions) { return {{"topic_partitions", std::to_string(partitions)}}; }

}  // namespace

Daemon::Daemon(World& world, int id) : world_{world} {
  id_ = id;
  instance_ = "d" + std::to_string(id);
  begin(false);
}

// Of one that is gone only what its exit is judged by.
void Daemon::add_to(Digest& digest) const {
  digest.add(stopping);
  digest.add(exit_);
  digest.add(running());
  if (running()) return digest.add(static_cast<const DaemonState&>(*this));
  if (exit_ == 65) digest.add(why_);
}

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
  world_.kafka.sessions[producer_].die();
  if (code == 76) ++world_.tally.left;
}

void Daemon::advance() {
  step_ = next_step(step_, facts_);
  if (step_ != Step::kWatchOwner) liveness_.reset();
}

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
  if (base_ && facts_.rebuild_in_place) settle(*base_);
  facts_.has_checkpoint = base_.has_value();
  facts_.clean = base_ && base_->clean;
  if (base_) liveness_.emplace(*base_);
  looks_ = 0;
  company_ = company_ || world_.others_alive(*this);
  seen_intervals_.clear();
  for (const auto& daemon : world_.daemons) seen_intervals_.push_back(daemon->running() ? daemon->intervals_ : 0);
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
  settle(*base_);
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
  if (!suffixes_.empty() && (same || base_->session_ended || base_->clean)) {
    aligner_.emplace(Aligner::Settings{.clean = base_->clean, .by_content = login_.gap()}, suffixes_);
    if (same && !base_->clean) see_witnesses();
    if (base_->session_ended) aligner_->finish();
  }
  advance();
}

// The exchange sends what it has sent before.
void Daemon::see_witnesses() {
  const std::uint64_t asked = witness_from(*base_, suffixes_);
  for (const Suffix& suffix : suffixes_) {
    const bool sent = asked >= world_.first && suffix.from.position.sequence >= asked;
    if (sent && suffix.from.position.sequence < base_->next_sequence)
      aligner_->witness(suffix.from.position, suffix.from.hash);
  }
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
  const bool same = base_ && base_->session == joined_;
  if (aligner_ && same) {
    for (std::size_t p = 0; p < suffixes_.size(); ++p) {
      plan.partitions.push_back(aligner_->reached(static_cast<std::int32_t>(p)));
    }
  }
  current_ = start_checkpoint(plan);
  current_.session_ended = same && base_->session_ended;
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
  if (other && !aligner_) {
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
  if (base_ && base_->session != current_.session) aligner_.reset();
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
  predicted_ = std::move(ends_);
  news_ = false;
  base_.reset();
  suffixes_.clear();
  seen_intervals_.clear();
  login_ = {};
}

}  // namespace tickbridge::journal::model
