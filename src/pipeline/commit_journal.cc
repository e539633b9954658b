// What the committer does for recovery: where a life begins, alignment, barriers, and what it tells the journal.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/log.h"
#include "codec/soup.h"
#include "journal/record_hash.h"
#include "pipeline/commit.h"

namespace tickbridge::pipeline {

using metrics::FeedCounter;
using Kind = Record::Kind;

void Committer::restore() {
  const Resume& resume = settings_.resume;
  for (std::size_t p = 0; p < resume.suffixes.size(); ++p) {
    handed_[p] = {.count = 0, .position = resume.suffixes[p].from.position, .hash = resume.suffixes[p].from.hash};
  }
  for (const journal::StateEntry& entry : resume.entries) know(entry);
  if (!resume.state) return;
  midnight_ms_ = resume.state->midnight_ms;
  last_timestamp_ms_ = resume.state->last_timestamp_ms;
  directory_.restore_turn(resume.state->turn);
  if (resume.reserved && !resume.clean)
    return;  // the start is ahead of the state: messages that were given up are no gap
  mold_.restore(resume.state->mold_session, resume.state->mold_expected);
}

void Committer::know(const journal::StateEntry& entry) {
  journal::forgets_all(entry) ? directory_.new_session()
                              : directory_.restore(entry.instrument, entry.key, entry.sticky);
}

// A login begins a piece. What it means can need a barrier, and so does a piece that is not reserved yet.
std::optional<Committer::Progress> Committer::before_piece(const Task& task, SteadyTime now, Reserved reserved) {
  const bool login = task.count != 0 && task.records[0].kind == Kind::kLogin;
  if (login && !std::exchange(login_taken_, true)) barrier_due_ = take_login(task.records[0]);
  if (stop_) {
    problem_ = *stop_;
    return Progress::kFailed;
  }
  if (barrier_due_) return stand(now);
  const std::uint64_t end = sequence_.of(task.packets);
  if (!settings_.resume.reserved || own_pending_ || end <= reserved.before)
    return std::nullopt;  // nothing counts before a login
  dropping_ = end <= reserved.dropped_before;
  if (dropping_) return std::nullopt;
  barrier_ = {.kind = Barrier::Kind::kReserve, .left = {}, .wanted = end, .report = {}};
  return Progress::kBarrier;
}

// The letters that tell of a gap go first, so that the barrier's checkpoint passes none that is not acknowledged.
Committer::Progress Committer::stand(SteadyTime now) {
  const bool later = settings_.resume.transactional && barrier_.kind == Barrier::Kind::kOwn;
  if (!later && !give_gap_letters()) {
    if (const Progress progress = full(now); progress != Progress::kDone) return progress;
    gap_letters_.clear();
  }
  barrier_due_ = false;
  barrier_.report = report();
  return Progress::kBarrier;
}

// true: commit stands still in front of what the login brings.
bool Committer::take_login(const Record& record) {
  const auto accepted = codec::soup::parse_accepted(record.bytes());
  if (!accepted) return false;  // the session has refused it already
  Barrier barrier;
  barrier.left = sequence_.session();
  barrier.left_at = std::max(sequence_.expected(), sequence_.of(record.packet));
  if (own_pending_ && !settings_.resume.known.session.empty()) {  // --start says how
    std::erase_if(settings_.resume.left,
                  [&](const journal::LeftSession& left) { return left.session == accepted->session; });
  }
  const SequenceFinding finding = sequence_.login(*accepted, record.packet);
  counted_repeat_ = 0;
  barrier.left_early = finding.new_session && joined_ && !ended_;
  joined_ = true;
  if (finding.new_session) ended_ = false;
  if (finding.new_session) settings_.resume.later.clear();
  if (finding.new_session)
    learnt_.clear();  // of the session that was left, which no start goes back to behind this barrier
  if (finding.new_session && !note_return(accepted->session)) return false;
  if (barrier.left_early && !note_left(barrier)) return false;
  if (!note(finding, accepted->session)) return false;
  if (finding.gap() && !finding.new_session) remember_gap(finding);
  if (aligner_) leave_suffix(finding);
  const bool first = std::exchange(own_pending_, false);
  if (!settings_.resume.journaled || !(first || finding.new_session || finding.gap())) return false;
  if (first) own(finding);
  if (finding.new_session)
    std::for_each(handed_.begin(), handed_.end(), [](auto& handed) { handed.position = {}, handed.hash = 0; });
  if (!finding.new_session) barrier.left.clear();
  barrier.kind = first ? Barrier::Kind::kOwn : finding.new_session ? Barrier::Kind::kSession : Barrier::Kind::kGap;
  if (finding.gap()) {
    barrier.gap_begin = finding.gap_begin;
    barrier.gap_end = finding.gap_end;
  }
  barrier_ = std::move(barrier);
  return true;
}

void Committer::drop_piece(const Task& task) {
  dropping_ = false;
  std::uint64_t dropped = 0;
  for (std::size_t i = 0; i < task.count; ++i)
    dropped += std::exchange(targets_[i].partition, kNowhere) != kNowhere ? 1U : 0U;
  metrics_.add(FeedCounter::kDroppedFull, dropped);
}

// What the lives before learnt from inside it still holds behind it.
void Committer::remember_gap(const SequenceFinding& finding) {
  for (const journal::StateEntry& entry : settings_.resume.later) {
    const std::uint64_t sequence = entry.position.sequence;
    if (sequence >= finding.gap_begin && sequence < finding.gap_end) know(entry);
  }
}

// A later login while aligning. Positions of a session that was left say nothing of the next one's messages; what was
// not compared yet may be ours, from behind the place where it was left.
void Committer::leave_suffix(const SequenceFinding& finding) {
  if (finding.new_session) {
    finish_aligning();
  } else if (finding.gap()) {
    aligner_->gap_opens();
  }
}

// What lies behind the checkpoint is compared with the replay. In another session there is none: all of it may be ours,
// unless the checkpoint says that nothing of ours can follow.
void Committer::own(const SequenceFinding& finding) {
  const KnownState& known = settings_.resume.known;
  if (sequence_.session() == known.session && sequence_.expected() >= known.from) {
    for (const journal::StateEntry& entry : known.entries) {
      if (entry.position.sequence < sequence_.expected()) know(entry);
    }
  }
  const bool over = settings_.resume.session_ended;
  if (settings_.resume.suffixes.empty() || (finding.new_session && !over && !settings_.resume.clean)) return;
  aligner_.emplace(
      journal::Aligner::Settings{.clean = settings_.resume.clean, .by_content = finding.gap() && !finding.new_session},
      settings_.resume.suffixes);
  if (over) aligner_->finish();
  if (finding.new_session) {
    strangers_ = aligner_->take_strangers();
    aligner_.reset();
    return;
  }
  hashes_.resize(targets_.size());
  constexpr std::uint32_t kLast = std::numeric_limits<std::uint32_t>::max();
  const bool nothing_there = aligner_->done({sequence_.expected() - 1, kLast});
  if (settings_.resume.until_aligned && nothing_there) finish_aligning();
}

// The whole piece is announced first: what comes later tells a hole in the log from somebody else's records.
void Committer::align(const Task& task) {
  if (!aligning_since_) aligning_since_ = SteadyClock::now();
  for (std::size_t i = 0; i < task.count; ++i) {
    const Target& target = targets_[i];
    if (target.partition < 0 || target.partition == dead_letters()) continue;
    hashes_[i] = journal::record_hash({target.key, target.key_size}, task.records[i].bytes());
    aligner_->expect(target.partition, hashes_[i]);
  }
  for (std::size_t i = 0; i < task.count && !stop_; ++i) {
    if (targets_[i].partition >= 0 && targets_[i].partition != dead_letters()) align_record(task, i);
  }
  if (stop_) {  // nothing of a piece that cannot be aligned is written
    for (std::size_t i = 0; i < task.count; ++i) targets_[i].partition = kNowhere;
    return;
  }
  if (ended_) aligner_->finish();
  if (aligner_->aligned() && !std::exchange(aligned_told_, true)) tell_aligned(task);
  if (ended_ || (task.count != 0 && aligner_->done({sequence_.of(task.records[task.count - 1].packet),
                                                    task.records[task.count - 1].index}))) {
    finish_aligning();
  }
}

void Committer::align_record(const Task& task, std::size_t i) {
  const Record& record = task.records[i];
  const journal::Position position{sequence_.of(record.packet), record.index};
  switch (aligner_->next(targets_[i].partition, position, hashes_[i])) {
    case journal::Alignment::kWrite:
      return bound(record, i, lane_.topic().max_record_bytes);  // may be lower than it was
    case journal::Alignment::kThere:
      targets_[i].partition = kNowhere;
      metrics_.add(FeedCounter::kMessagesSkipped, 1);
      return;
    case journal::Alignment::kFailed:
      stop_ =
          error(ExitCode::kData, fmt::format("feed {}: the log cannot be aligned with the feed, nothing is written: {}",
                                             settings_.feed, aligner_->problem()));
  }
}

void Committer::tell_aligned(const Task& task) const {
  if (aligner_->total() == 0) return;
  const auto took = std::chrono::duration_cast<milliseconds>(SteadyClock::now() - *aligning_since_).count();
  metrics_.set(metrics::FeedGauge::kAlignmentSeconds, took);
  log_event(Event::kAligned, of_feed(settings_.feed),
            "aligned before sequence {}: {} record(s) of the log compared, {} matched, {} passed over, {} ms",
            sequence_.of(task.packets), aligner_->total(), aligner_->matched(), aligner_->total() - aligner_->matched(),
            took);
}

void Committer::finish_aligning() {
  for (std::int32_t p = 0; p < partitions_; ++p) matched_.emplace_back(p, aligner_->reached(p));
  strangers_ = aligner_->take_strangers();
  aligner_.reset();
  hashes_ = {};
}

// Each session's first one is told: more often than not the feed has been joined late, or at_most_once has lost the
// directory.
void Committer::tell_keyed_by_number(const routing::Learnt& learnt, const Record& record) {
  metrics_.add(FeedCounter::kKeysByNumber, 1);
  if (std::exchange(keyed_by_number_in_, sequence_.session()) == sequence_.session()) return;
  log_event(Event::kKeyedByNumber, of_feed(settings_.feed),
            "sequence {} is about instrument {}, and no directory message has named that: its key is {} until the "
            "session ends, and so it is with others of its kind (keys_by_number)",
            sequence_.of(record.packet), learnt.instrument, learnt.key);
}

void Committer::note_learnt(const Record& record) {
  for (const routing::Learnt& learnt : directory_.take_learnt()) {
    if (learnt.sticky) tell_keyed_by_number(learnt, record);
    if (!settings_.resume.journaled) continue;
    learnt_.push_back({.position = {sequence_.of(record.packet), record.index},
                       .instrument = learnt.instrument,
                       .key = std::string{learnt.key},
                       .sticky = learnt.sticky});
  }
}

// After group(), begin_[p] is where group p ends, and where group p + 1 begins.
void Committer::note_handed(const Task& task) {
  std::size_t begin = 0;
  for (std::int32_t p = 0; p < partitions_; ++p) {
    const std::size_t end = begin_[static_cast<std::size_t>(p)];
    if (end != begin) {
      const std::size_t last = order_[end - 1];
      const Record& record = task.records[last];
      journal::Handed& handed = handed_[static_cast<std::size_t>(p)];
      handed.position = {sequence_.of(record.packet), record.index};
      handed.hash = journal::record_hash({targets_[last].key, targets_[last].key_size}, record.bytes());
    }
    begin = end;
  }
}

std::vector<journal::Stranger> Committer::take_strangers() {
  return aligner_ ? aligner_->take_strangers() : std::exchange(strangers_, {});
}

MarkReport Committer::report() {
  MarkReport report;
  report.session = sequence_.session();
  report.session_ended = ended_;
  if (!learnt_.empty()) ++state_batches_;
  report.learnt = std::exchange(learnt_, {});
  report.matched = std::exchange(matched_, {});
  report.strangers = take_strangers();
  if (aligner_) {
    for (std::int32_t p = 0; p < partitions_; ++p) report.matched.emplace_back(p, aligner_->reached(p));
    report.aligned = aligner_->aligned();
  }
  report.mark = {.next_sequence = sequence_.expected(),
                 .state = {.midnight_ms = midnight_ms_,
                           .last_timestamp_ms = last_timestamp_ms_,
                           .turn = directory_.turn(),
                           .mold_session = mold_.session(),
                           .mold_expected = mold_.expected()},
                 .handed = handed_,
                 .dead_letters = dead_lettered_,
                 .state_batches = state_batches_};
  return report;
}

}  // namespace tickbridge::pipeline
