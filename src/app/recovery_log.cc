#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "app/recovery.h"
#include "base/log.h"
#include "journal/record_hash.h"
#include "sink/fence.h"
#include "sink/log_reader.h"

// What the start path finds out of the log and of what the feed has learnt: fence, ends, suffix, state.

namespace tickbridge::app {

using journal::Step;
using sink::Delivery;

namespace {

// What a compaction would leave: of each key the newest, and nothing where that is a tombstone.
void keep_live(std::vector<sink::Entry>& entries) {
  std::unordered_map<std::string, std::int64_t> newest;
  for (const sink::Entry& entry : entries) newest[entry.key] = entry.offset;
  std::erase_if(entries,
                [&](const sink::Entry& entry) { return !entry.value || newest.at(entry.key) != entry.offset; });
}

/// How many offsets of each partition are read before the checkpoint's.
std::int64_t copies_before(std::size_t partitions) {
  constexpr std::size_t kInAll = 120'000;
  return static_cast<std::int64_t>(std::clamp<std::size_t>(kInAll / std::max<std::size_t>(partitions, 1), 100, 20'000));
}

}  // namespace

Result<void> Recovery::fence() {
  if (found_.checkpoint->topic != settings_.feed.sink.topic) return {};  // nobody of ours wrote there
  const SteadyTime since = SteadyClock::now();
  auto report = sink::fence(settings_.config.producer, transactional_id(), settings_.feed.sink.topic, topic_.partitions,
                            settings_.config.checkpoint.settle, settings_.deadline);
  if (!report) return report.error();
  const auto took = std::chrono::duration_cast<milliseconds>(SteadyClock::now() - since).count();
  if (report->fenced) {
    log_event(Event::kRecovery, of_feed(settings_.feed.name), "the ends of topic {} are fenced, {} round(s), {} ms",
              settings_.feed.sink.topic, report->rounds, took);
  } else {
    log_event(Event::kNoFence, of_feed(settings_.feed.name),
              "no fence, the ends of topic {} stood still for {} ms: {}; what a dead process still had under way "
              "could be appended later (it would be found and told)",
              settings_.feed.sink.topic, settings_.config.checkpoint.settle.count(), report->why_not);
  }
  return {};
}

Result<void> Recovery::read_ends() {
  auto reader = sink::LogReader::open(settings_.config.producer, settings_.feed.sink.topic);
  if (!reader) return reader.error();
  auto offsets = (*reader)->offsets(topic_.partitions, settings_.deadline);
  if (!offsets) return offsets.error();
  for (const sink::Offsets& partition : *offsets) {
    begins_.push_back(partition.begin);
    found_.ends.push_back(partition.end);
  }
  return {};
}

bool Recovery::aligns() const {
  return continues() && journal::delivered(*found_.checkpoint, "exactly_once") &&
         settings_.feed.sink.delivery == Delivery::kExactlyOnce &&
         found_.parameters.way != journal::ParameterFinding::Way::kBarrier;
}

// The checkpoint topic was deleted, or the topic has been used by somebody else.
void Recovery::warn_of_what_is_there() const {
  std::string counts;
  for (std::size_t p = 0; p < found_.ends.size(); ++p) {
    const std::int64_t count = found_.ends[p] - begins_[p];
    if (count > 0) counts += fmt::format("{}partition {}: {}", counts.empty() ? "" : ", ", p, count);
  }
  if (counts.empty()) return;
  log_event(Event::kNoCheckpoint, of_feed(settings_.feed.name),
            "there is no checkpoint in topic {}, but topic {} is not empty (offsets in {}): what is there is neither "
            "compared nor skipped, and the feed begins where start = \"{}\" says",
            settings_.config.checkpoint.topic, settings_.feed.sink.topic, counts, settings_.feed.net.start);
}

bool Recovery::shared() const { return config::shares_topic(settings_.config, settings_.feed); }

// Whether there is a checkpoint that counts.
bool Recovery::continues() const {
  return found_.checkpoint && !found_.given_up && !found_.checkpoint->session.empty();
}

// Where nothing is aligned: whether the topic is still the one that the checkpoint knows. (read_suffix() looks by
// itself.)
Result<void> Recovery::check_ends() {
  if (!continues() || aligns()) return {};
  journal::Holds holds = journal::holds(*found_.checkpoint);
  if (holds == journal::Holds::kRecord && shared()) holds = journal::Holds::kEnd;
  if (holds == journal::Holds::kNothing) return {};
  const std::vector<journal::PartitionState>& states = found_.checkpoint->partitions;
  if (auto all = check_count(); !all) return all;
  std::vector<journal::End> ends(states.size());
  std::vector<sink::Range> ranges;
  for (std::size_t p = 0; p < states.size(); ++p) {
    ends[p] = {.begin = begins_[p], .end = found_.ends[p], .hash_at_offset = {}};
    const std::int64_t offset = states[p].offset;
    const bool there = offset >= begins_[p] && offset < found_.ends[p];
    if (there && holds == journal::Holds::kRecord) ranges.push_back({static_cast<std::int32_t>(p), offset, offset + 1});
  }
  auto reader = sink::LogReader::open(settings_.config.producer, settings_.feed.sink.topic);
  if (!reader) return reader.error();
  const auto take = [&](std::int32_t partition, std::int64_t, std::string_view key, Bytes value) {
    ends[static_cast<std::size_t>(partition)].hash_at_offset = journal::record_hash(key, value);
  };
  if (auto read = (*reader)->read(ranges, take, settings_.deadline); !read) return read;
  return check_all(ends);
}

Result<void> Recovery::check_count() const {
  const std::size_t known = found_.checkpoint->partitions.size();
  if (known <= found_.ends.size()) return {};
  return error(ExitCode::kData,
               fmt::format("feed {}: topic {} has {} partitions, the checkpoint knows {}: it was re-created; if "
                           "that was meant, start once with --start beginning",
                           settings_.feed.name, settings_.feed.sink.topic, found_.ends.size(), known));
}

Result<void> Recovery::check_all(const std::vector<journal::End>& ends) const {
  for (std::size_t p = 0; p < ends.size(); ++p) {
    auto there = journal::check_end(settings_.feed.sink.topic, static_cast<std::int32_t>(p),
                                    found_.checkpoint->partitions[p], ends[p]);
    if (!there) return there;
  }
  return {};
}

// Data and checkpoint are in one transaction, and init_transactions has ended the one behind it: what readers of
// committed records see behind the checkpoint's offsets somebody else has written. So it is after a clean stop, where
// the configuration has changed and nothing is aligned. Where other feeds write too nobody can tell.
Result<void> Recovery::read_strangers() {
  using Way = journal::ParameterFinding::Way;
  const bool changed = continues() && found_.parameters.way == Way::kBarrier &&
                       journal::delivered(*found_.checkpoint, "exactly_once") &&
                       settings_.feed.sink.delivery == Delivery::kExactlyOnce;
  const bool committed =
      settings_.transactional && !shared() && continues() && journal::delivered(*found_.checkpoint, "transactional");
  if (!changed && !committed) return {};
  settings_.on_step(Step::kReadSuffix);
  const char* const isolation = committed ? "read_committed" : "read_uncommitted";
  auto reader = sink::LogReader::open(settings_.config.producer, settings_.feed.sink.topic, isolation);
  if (!reader) return reader.error();
  auto offsets = (*reader)->offsets(static_cast<std::int32_t>(found_.ends.size()), settings_.deadline);
  if (!offsets) return offsets.error();
  std::vector<sink::Range> ranges;
  const std::vector<journal::PartitionState>& states = found_.checkpoint->partitions;
  for (std::size_t p = 0; p < found_.ends.size(); ++p) {
    const sink::Offsets& there = (*offsets)[p];
    const journal::PartitionState from = p < states.size() ? states[p] : journal::PartitionState{};  // added since
    const std::int64_t begin = std::max({there.begin, from.offset + 1, from.strangers_to + 1});
    if (begin < there.end) ranges.push_back({static_cast<std::int32_t>(p), begin, there.end});
    if (committed && there.end < found_.ends[p]) {
      log_event(Event::kOpenTransaction, of_feed(settings_.feed.name),
                "topic {} partition {}: somebody else's transaction is open from offset {} on; what it holds up to "
                "offset {} is not looked at",
                settings_.feed.sink.topic, p, there.end, found_.ends[p] - 1);
    }
  }
  const auto take = [this](std::int32_t partition, std::int64_t offset, std::string_view, Bytes) {
    found_.strangers.push_back({journal::Stranger::Kind::kForeign, partition, offset});
  };
  return (*reader)->read(ranges, take, settings_.deadline);
}

// From the checkpoint's offset on, that record included: it must be the one that the checkpoint knows. A little before
// it, too: copies of that are doubles of ours, not somebody else's records.
Result<void> Recovery::read_suffix() {
  if (!aligns()) return {};
  if (auto all = check_count(); !all) return all;
  const std::vector<journal::PartitionState>& states = found_.checkpoint->partitions;
  std::vector<sink::Range> ranges;
  std::vector<journal::End> ends(states.size());
  found_.suffixes.resize(states.size());
  for (std::size_t p = 0; p < states.size(); ++p) {
    ends[p] = {.begin = begins_[p], .end = found_.ends[p], .hash_at_offset = {}};
    found_.suffixes[p] = {.from = states[p],
                          .end = found_.ends[p],
                          .found = {},
                          .lost = std::max<std::int64_t>(begins_[p] - (states[p].offset + 1), 0)};
    const std::int64_t begin = std::max(begins_[p], states[p].offset - copies_before(states.size()));
    if (begin < found_.ends[p]) ranges.push_back({static_cast<std::int32_t>(p), begin, found_.ends[p]});
  }
  for (std::size_t p = states.size(); p < found_.ends.size(); ++p) {  // added since: nothing there is ours
    if (begins_[p] < found_.ends[p]) ranges.push_back({static_cast<std::int32_t>(p), begins_[p], found_.ends[p]});
  }
  auto reader = sink::LogReader::open(settings_.config.producer, settings_.feed.sink.topic);
  if (!reader) return reader.error();
  std::size_t count = 0;
  journal::Strangers strangers;
  for (const journal::StrangerRange& range : found_.checkpoint->strangers) strangers.add(range);
  const bool compared = journal::holds(*found_.checkpoint) == journal::Holds::kRecord;
  const auto take = [&](std::int32_t partition, std::int64_t offset, std::string_view key, Bytes value) {
    const auto p = static_cast<std::size_t>(partition);
    if (p >= states.size()) {
      found_.strangers.push_back({journal::Stranger::Kind::kForeign, partition, offset});
      return;
    }
    const std::uint64_t hash = journal::record_hash(key, value);
    if (offset == states[p].offset) ends[p].hash_at_offset = hash;
    if (offset <= states[p].offset) {
      if (!compared || strangers.contains(partition, offset)) return;
      found_.suffixes[p].before.push_back(hash);
    } else {
      found_.suffixes[p].found.push_back({offset, hash});
      ++count;
    }
  };
  if (auto read = (*reader)->read(ranges, take, settings_.deadline); !read) return read;
  if (auto there = check_all(ends); !there) return there;
  log_event(Event::kRecovery, of_feed(settings_.feed.name),
            "{} record(s) lie behind the checkpoint (epoch {}, session {} sequence {})", count,
            found_.checkpoint->epoch, found_.checkpoint->session, found_.checkpoint->next_sequence);
  return {};
}

// Where the checkpoint does not count, what was learnt counts only if the login goes on behind it; and it is to be
// buried.
Result<void> Recovery::read_state() {
  const bool counts = found_.checkpoint && !found_.given_up;
  auto log =
      sink::CompactedLog::open(settings_.config.producer, settings_.config.topics,
                               settings_.config.checkpoint.topic + ".state", "read_uncommitted", settings_.deadline);
  if (!log) return log.error();
  auto entries = (*log)->read_back(prefix(), [](const auto&) { return false; }, settings_.deadline);
  if (!entries) return entries.error();
  std::vector<journal::StateBatch> batches;
  keep_live(*entries);
  for (const sink::Entry& entry : *entries) {
    auto batch = journal::parse_state(*entry.value);
    if (!batch && !counts) continue;
    if (!batch)
      return error(ExitCode::kData, fmt::format("feed {}: state at offset {}: {}", settings_.feed.name, entry.offset,
                                                batch.error().message));
    batches.push_back(std::move(*batch));
  }
  if (found_.checkpoint) take_state(batches);
  for (journal::StateBatch& batch : batches) batch.entries.clear();
  found_.states = std::move(batches);
  return {};
}

void Recovery::take_state(const std::vector<journal::StateBatch>& batches) {
  const journal::Checkpoint& at = *found_.checkpoint;
  found_.entries = journal::entries_before(batches, at.session, at.next_sequence, at.state_epoch_floor);
  constexpr std::uint64_t kEver = std::numeric_limits<std::uint64_t>::max();
  for (journal::StateEntry& entry : journal::entries_before(batches, at.session, kEver, at.state_epoch_floor)) {
    if (entry.position.sequence >= at.next_sequence) found_.later.push_back(std::move(entry));
  }
}

}  // namespace tickbridge::app
