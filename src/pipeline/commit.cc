#include "pipeline/commit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "codec/payload.h"
#include "codec/soup.h"
#include "journal/record_hash.h"

namespace tickbridge::pipeline {

using codec::Reason;
using metrics::FeedCounter;
using Kind = Record::Kind;

namespace {

constexpr std::size_t kMaxGroup = 4096;  // records a call; more are handed over in several calls
constexpr std::size_t kPrefetch = 8;     // records ahead: about what the processor can have under way
constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

}  // namespace

struct Committer::Tally {
  std::uint64_t messages = 0, repeats = 0, invalid = 0, unknown_dropped = 0, unknown_types = 0, unknown_codes = 0;
};

Committer::Committer(Settings settings, const codec::Protocol& protocol, TradingDay day, routing::Directory directory,
                     sink::Lane& lane, metrics::FeedMetrics& metrics, std::size_t max_records)
    : settings_{std::move(settings)},
      protocol_{protocol},
      day_{std::move(day)},
      lane_{lane},
      metrics_{metrics},
      partitions_{settings_.resume.partitions != 0 ? settings_.resume.partitions : lane.topic().partitions},
      max_record_bytes_{settings_.resume.max_record_bytes != 0 ? settings_.resume.max_record_bytes
                                                               : lane.topic().max_record_bytes},
      max_dead_letter_bytes_{lane.dead_letter_max_bytes()},
      directory_{std::move(directory)},
      sequence_{settings_.resume.session, settings_.resume.next_sequence},
      midnight_ms_{day_.midnight_ms(wall_nanoseconds())},
      last_timestamp_ms_{midnight_ms_},
      handed_(static_cast<std::size_t>(partitions_)),
      own_pending_{settings_.resume.journaled},
      joined_{settings_.resume.state.has_value()},
      ended_{settings_.resume.session_ended},
      targets_(max_records),
      begin_(static_cast<std::size_t>(partitions_) + 2),
      order_(max_records),
      reasons_(max_records),
      outgoing_(std::min(kMaxGroup, max_records)) {
  restore();
}

Committer::Progress Committer::commit(const Task& task, SteadyTime now, Reserved reserved) {
  if (!routed_) {
    if (const auto wait = before_piece(task, now, reserved)) return *wait;
    between_tasks_ = false;
    route(task);
    if (aligner_) [[unlikely]]
      align(task);
    if (dropping_) [[unlikely]]
      drop_piece(task);
    group(task);
    cursor_partition_ = 0;
    cursor_index_ = 0;
    routed_ = true;
  }
  const Progress progress = hand_over(task, now);
  if (progress != Progress::kDone) return progress;
  if (settings_.resume.journaled) note_handed(task);
  routed_ = false;
  login_taken_ = false;
  if (stop_) {
    problem_ = *stop_;
    return Progress::kFailed;
  }
  return Progress::kDone;
}

// --- routing: once a piece, in feed order ---

void Committer::route(const Task& task) {
  directory_.forget_unused_keys();  // no record points to one now: what was handed over is copied
  Tally tally;
  std::size_t i = 0;
  for (; i < task.count; ++i) {
    directory_.prefetch(task.records[std::min(i + kPrefetch, task.count - 1)].instrument);
    if (!route_record(task, i, tally)) break;
  }
  for (; i < task.count; ++i) targets_[i].partition = kNowhere;  // behind what stops the feed
  metrics_.add(FeedCounter::kMessagesReceived, tally.messages);
  if (tally.repeats != 0) metrics_.add(FeedCounter::kDroppedRepeat, tally.repeats);
  if (tally.invalid != 0) metrics_.add(FeedCounter::kDroppedInvalid, tally.invalid);
  if (tally.unknown_dropped != 0) metrics_.add(FeedCounter::kDroppedUnknown, tally.unknown_dropped);
  if (tally.unknown_types != 0) metrics_.add(FeedCounter::kMessagesUnknownType, tally.unknown_types);
  if (tally.unknown_codes != 0) metrics_.add(FeedCounter::kMessagesUnknownCode, tally.unknown_codes);
}

// false: the feed stops before this record.
inline bool Committer::route_record(const Task& task, std::size_t i, Tally& tally) {
  const Record& record = task.records[i];
  Target& target = targets_[i];
  target.partition = kNowhere;
  reasons_[i] = record.reason;
  if (record.kind == Kind::kLogin) return true;  // before_piece() has taken it
  if (record.kind == Kind::kEnd) return ended_ = true;
  if (repeats(record, tally)) return true;
  if (record.kind == Kind::kMoldHeader) return route_mold(record);
  ++tally.messages;
  if (record.kind == Kind::kInvalid || record.kind == Kind::kBadPacket) return route_invalid(record, target, tally);
  const bool goes_on = route_message(record, task, target, tally);
  if (target.partition >= 0) bound(record, i, max_record_bytes_);
  return goes_on;
}

void Committer::bound(const Record& record, std::size_t i, std::size_t most) {
  if (record.size + targets_[i].key_size <= most) return;
  targets_[i].partition = dead_letters();
  reasons_[i] = Reason::kTooLarge;
}

inline bool Committer::repeats(const Record& record, Tally& tally) {
  const bool packet = sequence_.repeats(record.packet);
  const std::uint64_t sequence = sequence_.of(record.packet);
  if (packet && aligner_ && asked_for(sequence)) {
    witness(record);
    return true;
  }
  if (packet && std::exchange(counted_repeat_, sequence) != sequence) metrics_.add(FeedCounter::kSequenceRepeats, 1);
  const bool message =
      record.kind != Kind::kMoldHeader && record.kind != Kind::kBadPacket && mold_.repeats(record.index);
  if (!packet && !message) return false;
  if (record.kind != Kind::kMoldHeader) ++tally.messages, ++tally.repeats;
  return true;
}

bool Committer::asked_for(std::uint64_t sequence) const noexcept {
  return settings_.resume.asked != 0 && sequence >= settings_.resume.asked && sequence < settings_.resume.next_sequence;
}

// It was in an earlier life's log, if anything is.
void Committer::witness(const Record& record) {
  const std::string key = record.kind == Kind::kDirectory
                              ? directory_.key_of(record.instrument, protocol_.symbol(record.bytes()))
                              : directory_.key_of(record.instrument);
  aligner_->witness({sequence_.of(record.packet), record.index}, journal::record_hash(key, record.bytes()));
}

inline bool Committer::route_message(const Record& record, const Task& task, Target& target, Tally& tally) {
  const bool unknown = record.reason == Reason::kUnknownType || record.reason == Reason::kUnknownCode;
  routing::Route route;
  if (record.kind == Kind::kDirectory) {
    route = directory_.learn(record.instrument, protocol_.symbol(record.bytes()));
  } else {
    route = directory_.route(record.instrument);
  }
  target.key = route.key.data();
  target.key_size = static_cast<std::uint32_t>(route.key.size());
  target.partition = route.partition;
  target.timestamp_ms = timestamp(record, task);
  if (directory_.has_learnt()) [[unlikely]]
    note_learnt(record);
  if (!unknown) [[likely]]
    return true;
  ++(record.reason == Reason::kUnknownType ? tally.unknown_types : tally.unknown_codes);
  if (settings_.policies.on_unknown == OnUnknown::kDeadLetter) target.partition = dead_letters();
  if (settings_.policies.on_unknown == OnUnknown::kDrop) target.partition = kNowhere, ++tally.unknown_dropped;
  return true;
}

bool Committer::route_invalid(const Record& record, Target& target, Tally& tally) {
  switch (settings_.policies.on_invalid) {
    case OnInvalid::kDeadLetter:
      target.partition = dead_letters();
      return true;
    case OnInvalid::kDrop:
      ++tally.invalid;
      return true;
    case OnInvalid::kStop:
      break;
  }
  --tally.messages;
  stop_ = error(ExitCode::kData,
                fmt::format("feed {}: session {} sequence {} message {} is invalid ({}) and on_invalid = \"stop\"",
                            settings_.feed, sequence_.session(), sequence_.of(record.packet), record.index,
                            codec::name(record.reason)));
  return false;
}

inline std::int64_t Committer::timestamp(const Record& record, const Task& task) noexcept {
  switch (settings_.policies.timestamp) {
    case Timestamp::kExchange:
      if (record.time_ns != codec::kNoTime) {
        last_timestamp_ms_ = midnight_ms_ + static_cast<std::int64_t>(record.time_ns / kNanosecondsPerMillisecond);
      }
      return last_timestamp_ms_;
    case Timestamp::kReceive:
      return task.claim.received_ns / kNanosecondsPerMillisecond;
    case Timestamp::kSend:
    case Timestamp::kBroker:
      break;
  }
  return 0;
}

bool Committer::route_mold(const Record& record) {
  const auto header = codec::parse_mold_header(record.bytes());
  if (!header) return true;  // decode has checked it
  const SequenceFinding finding = mold_.header(*header);
  if (mold_.repeated() != 0) metrics_.add(FeedCounter::kSequenceRepeats, 1);
  if (finding.new_session && settings_.resume.journaled)
    learnt_.push_back(journal::forget_all({sequence_.of(record.packet), 0}));
  return note(finding, std::string{header->session.data(), header->session.size()});
}

// false: on_gap stops the feed here.
bool Committer::note(const SequenceFinding& finding, const std::string& session) {
  if (finding.new_session) {
    metrics_.add(FeedCounter::kSessionChanges, 1);
    log_event(Event::kSessionChanged, of_feed(settings_.feed), "session {} begins; symbols are learnt anew", session);
    directory_.new_session();
  }
  if (finding.new_session || (finding.first && !settings_.resume.state)) {
    midnight_ms_ = last_timestamp_ms_ = day_.midnight_ms(wall_nanoseconds());
  }
  const bool witnesses = finding.repeats != 0 && asked_for(sequence_.expected() - finding.repeats);
  if (finding.repeats != 0 && !witnesses && !ended_) {
    log_event(Event::kAnsweredLower, of_feed(settings_.feed),
              "session {} was answered {} packets lower than asked for; they are dropped as repeats", session,
              finding.repeats);
  }
  if (!finding.gap()) return true;
  metrics_.add(FeedCounter::kMessagesMissing, finding.gap_end - finding.gap_begin);
  return note_gap(session, finding.gap_begin,
                  fmt::format("sequences {} to {}", finding.gap_begin, finding.gap_end - 1));
}

// false: a session that was left before its end has come back. It begins anew, and what was written of it would be
// written again.
bool Committer::note_return(const std::string& session) {
  const journal::LeftSession* const left =
      journal::find_left(settings_.resume.left, session, day_.midnight_ms(wall_nanoseconds()));
  if (left == nullptr) return true;
  const std::string what =
      fmt::format("feed {}: session {} has come back, which was left before its end, at sequence {}", settings_.feed,
                  session, left->next_sequence);
  if (!settings_.resume.single) {
    log_event(Event::kSessionReturned, of_feed(settings_.feed), "{}: what was written of it is written again", what);
    return true;
  }
  stop_ = error(ExitCode::kData,
                fmt::format("{}: what was written of it would be written again; start once with --start {} to go on "
                            "there, or with --start beginning to have it all again",
                            what, left->next_sequence));
  return false;
}

// How many are missing nobody can say.
bool Committer::note_left(const Barrier& barrier) {
  journal::leave(settings_.resume.left, {barrier.left, barrier.left_at, midnight_ms_});
  log_event(Event::kSessionLeft, of_feed(settings_.feed), "session {} was left before its end", barrier.left);
  return note_gap(barrier.left, barrier.left_at, fmt::format("sequences {} and on", barrier.left_at));
}

// false: on_gap stops the feed here.
bool Committer::note_gap(const std::string& session, std::uint64_t begin, const std::string& range) {
  metrics_.add(FeedCounter::kGaps, 1);
  const std::string what = fmt::format("feed {}: gap in session {}: {} cannot be had", settings_.feed, session, range);
  if (settings_.policies.on_gap == OnGap::kContinue) {
    log_event(Event::kGap, of_feed(settings_.feed), "{}; going on", what);
    gap_letters_.push_back({.session = session, .begin = begin, .text = fmt::format("session {} {}", session, range)});
    return true;
  }
  stop_ = error(ExitCode::kData, what + " and on_gap = \"stop\"");
  return false;
}

// A counting sort by partition: order_ holds the records of partition 0, then those of 1, …, then dead letters.
void Committer::group(const Task& task) {
  std::fill(begin_.begin(), begin_.end(), 0U);
  for (std::size_t i = 0; i < task.count; ++i) {
    if (targets_[i].partition != kNowhere) ++begin_[static_cast<std::size_t>(targets_[i].partition) + 1];
  }
  for (std::size_t p = 1; p < begin_.size(); ++p) begin_[p] += begin_[p - 1];
  // begin_[p] is where group p begins; placing moves it to where p ends, which is where p + 1 begins.
  for (std::size_t i = 0; i < task.count; ++i) {
    if (targets_[i].partition == kNowhere) continue;
    order_[begin_[static_cast<std::size_t>(targets_[i].partition)]++] = static_cast<std::uint32_t>(i);
  }
}

// --- hand-over: again and again until the piece is through ---

Committer::Progress Committer::hand_over(const Task& task, SteadyTime now) {
  while (cursor_partition_ <= dead_letters()) {
    const bool through = cursor_partition_ == dead_letters() ? hand_over_dead_letters(task)
                                                             : hand_over_partition(task, cursor_partition_);
    if (!through) {
      hold(begin_[static_cast<std::size_t>(dead_letters())] - cursor_index_);
      const Progress progress = full(now);
      if (progress != Progress::kDone) return progress;
      drop_rest();
      break;
    }
    ++cursor_partition_;
  }
  if (held_ != 0) hold(0);
  return Progress::kDone;
}

void Committer::hold(std::size_t messages) {
  held_ = messages;
  metrics_.set(metrics::FeedGauge::kMessagesHeld, static_cast<std::int64_t>(messages));
}

// After group(), begin_[p] is where group p ends.
bool Committer::hand_over_partition(const Task& task, std::int32_t partition) {
  const std::size_t end = begin_[static_cast<std::size_t>(partition)];
  while (cursor_index_ < end) {
    const std::size_t upto = std::min(end, cursor_index_ + outgoing_.size());
    fill(task, cursor_index_, upto);
    const std::size_t given = upto - cursor_index_;
    const std::size_t taken = lane_.hand_over(partition, {outgoing_.data(), given}, task.claim.arrived_ns);
    if (taken != 0) {
      metrics_.add(FeedCounter::kMessagesCommitted, taken);
      handed_[static_cast<std::size_t>(partition)].count += taken;
      in_transaction_ += taken;
      cursor_index_ += taken;
      full_since_.reset();
    }
    if (taken < given) return false;
  }
  return true;
}

inline void Committer::fill(const Task& task, std::size_t begin, std::size_t end) {
  sink::Outgoing* out = outgoing_.data();
  for (std::size_t i = begin; i < end; ++i, ++out) {
    const Record& record = task.records[order_[i]];
    const Target& target = targets_[order_[i]];
    out->value = record.data;
    out->value_size = record.size;
    out->key = target.key;
    out->key_size = target.key_size;
    out->timestamp_ms = target.timestamp_ms;
    out->sequence = sequence_.of(record.packet);
    out->receive_ns = task.claim.received_ns;
  }
}

bool Committer::hand_over_dead_letters(const Task& task) {
  if (!gap_letters_.empty() && !give_gap_letters()) return false;
  const std::size_t end = begin_[static_cast<std::size_t>(dead_letters())];
  for (; cursor_index_ < end; ++cursor_index_) {
    const std::size_t i = order_[cursor_index_];
    const Record& record = task.records[i];
    const bool cut = record.size > max_dead_letter_bytes_;
    const sink::DeadLetter letter{.value = cut ? record.bytes().first(max_dead_letter_bytes_) : record.bytes(),
                                  .reason = codec::name(reasons_[i]),
                                  .session = sequence_.session(),
                                  .sequence = sequence_.of(record.packet),
                                  .index = record.index,
                                  .full_size = cut ? record.size : 0};
    if (!lane_.hand_over_dead_letter(letter)) return false;
    metrics_.add(FeedCounter::kMessagesDeadLettered, 1);
    ++dead_lettered_;
    ++in_transaction_;
    full_since_.reset();
  }
  return true;
}

bool Committer::give_gap_letters() {
  while (!gap_letters_.empty()) {
    const GapLetter& gap = gap_letters_.front();
    const sink::DeadLetter letter{.value = as_bytes(gap.text),
                                  .reason = codec::name(Reason::kGap),
                                  .session = gap.session,
                                  .sequence = gap.begin,
                                  .index = 0};
    if (!lane_.hand_over_dead_letter(letter)) return false;
    metrics_.add(FeedCounter::kMessagesDeadLettered, 1);
    metrics_.add(FeedCounter::kGapLetters, 1);
    ++dead_lettered_;
    ++in_transaction_;
    gap_letters_.erase(gap_letters_.begin());
  }
  return true;
}

// kDone: the rest is to be dropped.
Committer::Progress Committer::full(SteadyTime now) {
  if (!full_since_) full_since_ = now;
  if (settings_.when_full == sink::WhenFull::kWait || now - *full_since_ < settings_.max_block) return Progress::kFull;
  if (settings_.when_full == sink::WhenFull::kDrop) return Progress::kDone;
  problem_ =
      error(ExitCode::kUnacknowledged,
            fmt::format("feed {}: no room in the producer for {} ms (max.block.ms) and when_full = \"stop\"; are "
                        "all partitions of its topic led by a live broker?",
                        settings_.feed, settings_.max_block.count()));
  return Progress::kFailed;
}

void Committer::drop_rest() {
  const std::size_t rest = begin_[static_cast<std::size_t>(dead_letters())] - cursor_index_;
  metrics_.add(FeedCounter::kDroppedFull, rest);
  log_event(Event::kMessagesDropped, of_feed(settings_.feed),
            "no room in the producer for {} ms: {} messages dropped (when_full = \"drop\")",
            settings_.max_block.count(), rest);
}

}  // namespace tickbridge::pipeline
