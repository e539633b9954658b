#include "journal/align.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "journal/align_index.h"

namespace tickbridge::journal {
namespace {

constexpr std::uint64_t kWatch = 65'536;  // records compared with what somebody else left at a partition's end
constexpr std::string_view kHowToGoOn =
    "look at the topic and at what the exchange replays; --start gives up what is there and writes again";

}  // namespace

struct Aligner::Partition {
  Partition(std::int32_t partition_number, Suffix&& read);

  std::int32_t number;
  Suffix suffix;
  PartitionState reached;
  std::size_t at = 0;  // the suffix's next record
  bool open = false;   // something in the suffix is not accounted for
  bool by_content = false;
  bool any_match = false;
  bool past_lost = false;                  // something has matched: what retention has deleted lies behind us
  std::uint64_t counted = 0;               // records taken for what retention has deleted
  std::int64_t lost_left = 0;              // records that may have lain in deleted offsets
  std::unique_ptr<SuffixIndex> index;      // of the suffix; none: it is empty
  std::vector<bool> there;                 // by suffix index: a copy of a record that was found before it, or dropped
  std::deque<std::uint64_t> expected;      // announced, not yet come
  std::unordered_set<std::uint64_t> tail;  // hashes of somebody else's records at the end
  std::uint64_t watch = 0;                 // records left to compare with the tail

  [[nodiscard]] const std::vector<Found>& found() const noexcept { return suffix.found; }
  [[nodiscard]] bool in_rest(std::uint64_t hash) const noexcept {
    return index != nullptr && index->first_from(hash, at) != SuffixIndex::kNone;
  }
  // Every record of this hash behind the cursor is a copy from now on.
  void note_there(std::uint64_t hash) {
    if (index == nullptr) return;
    for (std::uint32_t i = index->first_from(hash, at); i != SuffixIndex::kNone; i = index->next(i)) there[i] = true;
  }
  void comes(std::uint64_t hash) {
    if (!expected.empty() && expected.front() == hash) expected.pop_front();
  }
  // Offsets behind `offset` that hold no data record.
  [[nodiscard]] std::int64_t markers_behind(std::int64_t offset, std::size_t next) const noexcept {
    return std::max<std::int64_t>(0, suffix.end - 1 - offset - static_cast<std::int64_t>(found().size() - next));
  }
  // An announced record lies in the rest, and is no copy.
  [[nodiscard]] std::uint32_t hole() const noexcept {
    for (const std::uint64_t hash : expected) {
      const std::uint32_t i = index == nullptr ? SuffixIndex::kNone : index->first_from(hash, at);
      if (i != SuffixIndex::kNone && !there[i]) return i;
    }
    return SuffixIndex::kNone;
  }
};

// What remains tells where it begins, so the count of what is lost is only a bound; where nothing remains it must be
// exact.
Aligner::Partition::Partition(std::int32_t partition_number, Suffix&& read)
    : number{partition_number}, suffix{std::move(read)}, reached{suffix.from}, there(suffix.found.size(), false) {
  // Markers lie behind the records that their fence met: those that are left are the newest, the last one this start's
  // own.
  const std::int64_t left = std::max<std::int64_t>(0, markers_behind(suffix.from.offset + suffix.lost, 0) - 1);
  const std::int64_t lost_markers = suffix.lost > 0 ? std::max<std::int64_t>(0, suffix.from.markers - left) : 0;
  lost_left = found().empty() ? std::max<std::int64_t>(0, suffix.lost - lost_markers) : suffix.lost;
  open = !found().empty() || lost_left > 0;
  if (!found().empty()) index = std::make_unique<SuffixIndex>(found());
  for (const std::uint64_t hash : suffix.before) note_there(hash);
  reached.markers = lost_markers + markers_behind(suffix.from.offset + suffix.lost, 0);
}

namespace {

bool all_there(const std::vector<bool>& there, std::size_t from) {
  return std::all_of(there.begin() + static_cast<std::ptrdiff_t>(from), there.end(), [](bool copy) { return copy; });
}

}  // namespace

std::uint64_t witness_from(const Checkpoint& checkpoint, const std::vector<Suffix>& suffixes) noexcept {
  constexpr std::uint64_t kFarthest = 100'000;  // packets that are replayed for it at most
  const auto unexplained = [](const Suffix& suffix) {
    return !suffix.found.empty() && suffix.found.back().offset > suffix.from.strangers_to;
  };
  if (std::ranges::none_of(suffixes, unexplained)) return checkpoint.next_sequence;
  std::uint64_t newest = 0;
  for (const Suffix& suffix : suffixes) {
    if (suffix.from.hash != 0) newest = std::max(newest, suffix.from.position.sequence);
  }
  const bool near = newest != 0 && newest < checkpoint.next_sequence && checkpoint.next_sequence - newest <= kFarthest;
  return near ? newest : checkpoint.next_sequence;
}

Aligner::~Aligner() = default;
Aligner::Aligner(Aligner&&) noexcept = default;
Aligner& Aligner::operator=(Aligner&&) noexcept = default;

Aligner::Aligner(Settings settings, std::vector<Suffix> suffixes) : settings_{settings} {
  partitions_.reserve(suffixes.size());
  for (Suffix& suffix : suffixes) {
    Partition& partition = partitions_.emplace_back(static_cast<std::int32_t>(partitions_.size()), std::move(suffix));
    last_position_ = std::max(last_position_, partition.suffix.from.position);
    total_ += partition.found().size();
    partition.by_content = !settings_.clean && (settings_.by_content || partition.suffix.from.gap);
    partition.reached.gap = partition.by_content && partition.open;
    open_ += partition.open ? 1U : 0U;
    if (settings_.clean) {
      partition.at = known_strangers(partition);  // whoever stops cleanly has lived to tell
      if (partition.open) give_up_rest(partition, false);
    } else {
      pass_known_strangers(partition);
    }
  }
}

// How many of the suffix's records an earlier start has found not to be ours.
std::size_t Aligner::known_strangers(const Partition& partition) {
  const auto behind =
      std::ranges::upper_bound(partition.found(), partition.suffix.from.strangers_to, {}, &Found::offset);
  return static_cast<std::size_t>(behind - partition.found().begin());
}

// What an earlier start has found not to be ours; it may not have lived to tell.
void Aligner::pass_known_strangers(Partition& partition) {
  const std::size_t known = known_strangers(partition);
  if (known == 0) return;
  const bool by_content = std::exchange(partition.by_content, false);
  pass_over(partition, known, false);
  partition.by_content = by_content;
  if (known == partition.found().size()) close(partition);
}

Alignment Aligner::next(std::int32_t number, Position position, std::uint64_t hash) {
  if (!problem_.empty()) return Alignment::kFailed;
  Partition& partition = partitions_[static_cast<std::size_t>(number)];
  partition.comes(hash);
  if (position <= partition.suffix.from.position) return at_or_before(partition, position, hash);
  if (!partition.open) return behind_suffix(partition, hash);
  if (partition.at < partition.found().size() && partition.found()[partition.at].hash == hash) {
    return match(partition, partition.at, position);
  }
  return search(partition, position, hash);
}

void Aligner::expect(std::int32_t number, std::uint64_t hash) {
  Partition& partition = partitions_[static_cast<std::size_t>(number)];
  if (!partition.open) return;
  partition.expected.push_back(hash);
  evidence_ = evidence_ || partition.in_rest(hash);
}

void Aligner::witness(Position position, std::uint64_t hash) noexcept {
  for (const Partition& partition : partitions_) {
    const PartitionState& from = partition.suffix.from;
    if (from.hash != 0 && from.position == position && from.hash == hash) evidence_ = true;
  }
}

void Aligner::gap_opens() noexcept {
  for (Partition& partition : partitions_) {
    if (!partition.open) continue;
    partition.by_content = true;
    partition.any_match = false;
    partition.reached.gap = true;
  }
}

void Aligner::finish() {
  for (Partition& partition : partitions_) {
    if (problem_.empty() && partition.open) give_up_rest(partition, false);
  }
}

Alignment Aligner::at_or_before(Partition& partition, Position position, std::uint64_t hash) {
  const PartitionState& from = partition.suffix.from;
  if (position == from.position && from.hash != 0) {
    if (hash != from.hash) {
      return fail(
          partition, from.offset,
          fmt::format(
              "is not what the exchange now sends as sequence {}: it replays other data, or the output is shaped "
              "in another way",
              position.sequence));
    }
    evidence_ = true;
  }
  if (partition.open) partition.note_there(hash);
  return Alignment::kThere;
}

Alignment Aligner::match(Partition& partition, std::size_t at, Position position) {
  const Found& found = partition.found()[at];
  evidence_ = true;
  partition.any_match = true;
  partition.at = at + 1;
  partition.past_lost = true;
  ++matched_;
  partition.reached = {.position = position,
                       .offset = found.offset,
                       .hash = found.hash,
                       .markers = partition.markers_behind(found.offset, at + 1),
                       .gap = false,
                       .strangers_to = -1};
  if (partition.index->next(static_cast<std::uint32_t>(at)) != SuffixIndex::kNone) partition.note_there(found.hash);
  if (partition.at == partition.found().size()) close(partition);
  return Alignment::kThere;
}

Alignment Aligner::search(Partition& partition, Position position, std::uint64_t hash) {
  const std::uint32_t later =
      partition.index == nullptr ? SuffixIndex::kNone : partition.index->first_from(hash, partition.at);
  if (later != SuffixIndex::kNone) {
    pass_over(partition, later, false);
    return match(partition, later, position);
  }
  const bool maybe_lost = partition.suffix.lost > 0 && !partition.past_lost;
  if (maybe_lost && (partition.lost_left > 0 || partition.hole() != SuffixIndex::kNone)) {
    return count_lost(partition, position);
  }
  return without_match(partition, position);
}

// Retention has deleted the beginning of the suffix: this record was there. The offset moves along, so that a
// checkpoint written now leaves fewer to be counted by the next start.
Alignment Aligner::count_lost(Partition& partition, Position position) {
  if (partition.by_content && partition.hole() == SuffixIndex::kNone) {
    return fail(
        partition, partition.suffix.from.offset + partition.suffix.lost + 1,
        "follows offsets that retention has deleted, and the exchange has a gap: how much of the replay is there "
        "already cannot be known");
  }
  if (partition.lost_left > 0) {
    --partition.lost_left;
    ++partition.reached.offset;
  }
  partition.reached.position = position;
  partition.reached.hash = 0;
  ++counted_;
  ++partition.counted;
  if (partition.found().empty() && partition.lost_left == 0) give_up_rest(partition, false);
  return Alignment::kThere;
}

// The record is nowhere in what is left of the suffix, so nothing there may be ours.
Alignment Aligner::without_match(Partition& partition, Position position) {
  const std::vector<Found>& found = partition.found();
  if (const std::uint32_t hole = partition.hole(); hole != SuffixIndex::kNone) {
    return fail(partition, found[hole].offset,
                fmt::format("is there, but sequence {}, index {}, which comes before it, is not: the log has a hole",
                            position.sequence, position.index));
  }
  const bool from_gap = partition.by_content && !partition.any_match;
  if (!evidence_ && !from_gap && !all_there(partition.there, partition.at)) {
    return fail(
        partition, found[partition.at].offset,
        fmt::format("is not what the exchange now sends as sequence {}, index {}, and nothing else shows that the log "
                    "and this session belong together",
                    position.sequence, position.index));
  }
  give_up_rest(partition, !from_gap);
  return Alignment::kWrite;
}

Alignment Aligner::behind_suffix(Partition& partition, std::uint64_t hash) {
  if (partition.watch == 0) return Alignment::kWrite;
  if (partition.tail.contains(hash)) {
    const auto& found = partition.found();
    const auto at = std::ranges::find(found, hash, &Found::hash);
    return fail(
        partition, at->offset,
        "was taken for somebody else's, but the exchange sends it only now: the log had a hole before it, or somebody "
        "writes this feed's records into the topic");
  }
  if (--partition.watch == 0) {
    --watched_;
    partition.tail.clear();
  }
  return Alignment::kWrite;
}

// Passes the suffix's records before `to` over. From inside a gap they are ours and not told; `at_end`: none of ours
// follows, so later records of the replay are compared with them.
void Aligner::pass_over(Partition& partition, std::size_t to, bool at_end) {
  const bool from_gap = partition.by_content && !partition.any_match;
  for (; partition.at < to; ++partition.at) {
    const Found& found = partition.found()[partition.at];
    const bool copy = partition.there[partition.at] || (from_gap && partition.index->first(found.hash) < partition.at);
    if (from_gap && !copy) {
      ++from_gap_;
      continue;
    }
    strangers_.push_back({copy ? Stranger::Kind::kDouble : Stranger::Kind::kForeign, partition.number, found.offset});
    if (at_end && !copy) partition.tail.insert(found.hash);
  }
  if (!partition.tail.empty()) {
    partition.watch = kWatch;
    ++watched_;
  }
}

// The rest of the suffix is accounted for: a checkpoint may say so, and no later start judges it again.
void Aligner::give_up_rest(Partition& partition, bool at_end) {
  const bool ours = partition.by_content && !partition.any_match;
  const bool counted = partition.found().empty();
  pass_over(partition, partition.found().size(), at_end);
  const std::int64_t last = partition.suffix.end - 1;
  if (ours || counted) {
    partition.reached = {.position = partition.reached.position, .offset = last, .hash = 0};
  } else {
    partition.reached.strangers_to = last;
  }
  close(partition);
}

void Aligner::close(Partition& partition) {
  partition.open = false;
  --open_;
  if (partition.counted != 0 && !partition.any_match) {
    strangers_.push_back({.kind = Stranger::Kind::kCounted,
                          .partition = partition.number,
                          .offset = partition.suffix.from.offset + partition.suffix.lost,
                          .count = partition.counted});
  }
  partition.expected.clear();
  partition.expected.shrink_to_fit();
  if (partition.watch == 0) partition.suffix.found.clear();
  partition.index.reset();
}

Alignment Aligner::fail(const Partition& partition, std::int64_t offset, std::string_view what) {
  problem_ = fmt::format("partition {}: the record at offset {} {}; {}", partition.number, offset, what, kHowToGoOn);
  return Alignment::kFailed;
}

bool Aligner::done(Position position) const noexcept { return caught_up(position) && watched_ == 0; }

const PartitionState& Aligner::reached(std::int32_t partition) const {
  check(static_cast<std::size_t>(partition) < partitions_.size(), "every partition has a suffix");
  return partitions_[static_cast<std::size_t>(partition)].reached;
}

std::vector<Stranger> Aligner::take_strangers() { return std::exchange(strangers_, {}); }

}  // namespace tickbridge::journal
