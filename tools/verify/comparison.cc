#include "comparison.h"

#include <algorithm>
#include <bitset>
#include <memory>
#include <numeric>

#include "hash.h"

namespace tickbridge::verify {
namespace {

constexpr std::size_t kFirstTry = 32;   // records held before the first attempt to align them
constexpr std::size_t kAgreement = 16;  // neighbours on both sides that end a disturbed stretch

/// Whether the last records held are neighbours in the expectation too, so that the disturbance is over.
bool agrees_again(const std::vector<Pair>& pairs, std::size_t held) {
  if (pairs.size() < kAgreement || pairs.back().found + 1 != held) return false;
  const Pair& last = pairs.back();
  const Pair& first = pairs[pairs.size() - kAgreement];
  return last.found - first.found == kAgreement - 1 && last.expected - first.expected == kAgreement - 1;
}

/// Says quickly of most hashes that they are not among a few.
class Sieve {
 public:
  void add(std::uint64_t hash) { bits_->set(hash & kMask); }
  [[nodiscard]] bool may_have(std::uint64_t hash) const { return bits_->test(hash & kMask); }

 private:
  static constexpr std::size_t kBits = 1U << 23U;
  static constexpr std::uint64_t kMask = kBits - 1;
  std::unique_ptr<std::bitset<kBits>> bits_ = std::make_unique<std::bitset<kBits>>();
};

}  // namespace

std::string Verdict::line() const {
  const auto part = [](const char* name, std::uint64_t value) { return name + std::to_string(value); };
  return part("expected ", expected) + part(" found ", found) + part(" lost ", lost) +
         part(" duplicated ", duplicated) + part(" out_of_order ", out_of_order) + part(" altered ", altered);
}

Comparison::Comparison(const Expectation& expectation) : expectation_(expectation) {
  progress_.reserve(expectation.streams().size());
  for (const auto& stream : expectation.streams()) progress_.push_back({stream.hashes.data(), 0, stream.hashes.size()});
}

void Comparison::take(std::int32_t partition, std::string_view key, std::string_view value, std::int64_t offset) {
  ++found_;
  const auto hash = content_hash(value);
  const auto stream = expectation_.index().find(partition, key);
  if (stream == kNoStream) return stray(partition, key, hash, offset);
  Progress& progress = progress_[stream];
  if (progress.held == kNoStream && progress.next < progress.size && progress.expected[progress.next] == hash) {
    ++progress.next;
    ++matched_;
    return;
  }
  hold(stream, hash, offset);
}

void Comparison::stray(std::int32_t partition, std::string_view key, std::uint64_t hash, std::int64_t offset) {
  stray_keys_.emplace_back(key);
  extras_.push_back({.hash = hash,
                     .offset = offset,
                     .partition = partition,
                     .key = static_cast<std::uint32_t>(stray_keys_.size() - 1)});
}

void Comparison::hold(std::uint32_t stream, std::uint64_t hash, std::int64_t offset) {
  Progress& progress = progress_[stream];
  if (progress.held == kNoStream) {
    if (free_held_.empty()) {
      free_held_.push_back(static_cast<std::uint32_t>(held_.size()));
      held_.emplace_back();
    }
    progress.held = free_held_.back();
    free_held_.pop_back();
    held_[progress.held] = {{}, {}, kFirstTry};
  }
  Held& held = held_[progress.held];
  held.hashes.push_back(hash);
  held.offsets.push_back(offset);
  if (held.hashes.size() >= held.next_try) try_to_align(stream);
}

void Comparison::try_to_align(std::uint32_t stream) {
  const Progress& progress = progress_[stream];
  Held& held = held_[progress.held];
  const auto window = std::min(progress.size - progress.next, 2 * held.hashes.size() + kFirstTry);
  const auto pairs = align({progress.expected + progress.next, window}, held.hashes, Extent::kOpenEnd);
  if (agrees_again(pairs, held.hashes.size())) return settle(stream, pairs, pairs.back().expected + 1);
  held.next_try *= 2;
}

void Comparison::align_rest(std::uint32_t stream) {
  Progress& progress = progress_[stream];
  const auto rest = progress.size - progress.next;
  if (progress.held == kNoStream) {
    miss(stream, progress.next, rest, -1);
    progress.next = progress.size;
    return;
  }
  settle(stream, align({progress.expected + progress.next, rest}, held_[progress.held].hashes, Extent::kWhole), rest);
}

/// Takes what has no partner out of the held records and out of the next `expected_end` expected ones.
void Comparison::settle(std::uint32_t stream, const std::vector<Pair>& pairs, std::size_t expected_end) {
  Progress& progress = progress_[stream];
  Held& held = held_[progress.held];
  std::size_t expected = 0;
  std::size_t found = 0;
  const auto up_to = [&](std::size_t expected_stop, std::size_t found_stop) {
    miss(stream, progress.next + expected, expected_stop - expected,
         found < held.offsets.size() ? held.offsets[found] : -1);
    for (; found < found_stop; ++found) {
      extras_.push_back({.hash = held.hashes[found],
                         .offset = held.offsets[found],
                         .partition = expectation_.streams()[stream].partition,
                         .stream = stream});
    }
  };
  for (const auto& pair : pairs) {
    up_to(pair.expected, pair.found);
    expected = pair.expected + 1;
    found = pair.found + 1;
  }
  up_to(expected_end, held.hashes.size());
  matched_ += pairs.size();
  progress.next += expected_end;
  free_held_.push_back(progress.held);
  held = {};
  progress.held = kNoStream;
}

void Comparison::miss(std::uint32_t stream, std::size_t place, std::size_t count, std::int64_t offset) {
  if (count > 0) missing_.push_back({stream, place, count, offset});
}

template <typename Visit>
void Comparison::for_each_missing(Visit&& visit) {
  for (const auto& range : missing_) {
    const auto& hashes = expectation_.streams()[range.stream].hashes;
    for (std::size_t i = range.place; i < range.place + range.count; ++i) visit(range.stream, i, hashes[i]);
  }
}

/// Gives each missing value to an extra that has it: in the same stream, or in any.
void Comparison::claim_missing(bool same_stream) {
  Sieve sieve;
  for (const auto& extra : extras_) {
    if (!extra.settled) sieve.add(extra.hash);
  }
  const auto taken = claimed_.size();
  for_each_missing([&](std::uint32_t stream, std::size_t place, std::uint64_t hash) {
    if (!sieve.may_have(hash)) return;
    const auto before = claimed_.begin() + static_cast<std::ptrdiff_t>(taken);
    if (std::binary_search(claimed_.begin(), before, std::pair{stream, place})) return;
    auto at = std::lower_bound(by_hash_.begin(), by_hash_.end(), hash,
                               [&](std::uint32_t extra, std::uint64_t h) { return extras_[extra].hash < h; });
    for (; at != by_hash_.end() && extras_[*at].hash == hash; ++at) {
      Extra& extra = extras_[*at];
      if (extra.settled || (same_stream && extra.stream != stream)) continue;
      extra.settled = true;
      extra.kind = same_stream ? FaultKind::kOutOfOrder : FaultKind::kAltered;
      extra.for_stream = stream;
      extra.for_place = place;
      claimed_.emplace_back(stream, place);
      return;
    }
  });
  std::sort(claimed_.begin(), claimed_.end());
}

/// An extra whose stream has that value anyway is a copy of it; under another key or partition it is altered.
void Comparison::find_copies() {
  Sieve sieve;
  for (const auto& extra : extras_) {
    if (!extra.settled) sieve.add(extra.hash);
  }
  const auto& streams = expectation_.streams();
  for (std::uint32_t stream = 0; stream < streams.size(); ++stream) {
    for (std::size_t place = 0; place < streams[stream].hashes.size(); ++place) {
      const auto hash = streams[stream].hashes[place];
      if (!sieve.may_have(hash)) continue;
      auto at = std::lower_bound(by_hash_.begin(), by_hash_.end(), hash,
                                 [&](std::uint32_t extra, std::uint64_t h) { return extras_[extra].hash < h; });
      for (; at != by_hash_.end() && extras_[*at].hash == hash; ++at) {
        Extra& extra = extras_[*at];
        if (extra.settled || extra.kind == FaultKind::kDuplicated) continue;
        if (extra.stream == stream) extra.kind = FaultKind::kDuplicated;
        extra.for_stream = stream;
        extra.for_place = place;
      }
    }
  }
  for (auto& extra : extras_) extra.settled = extra.settled || extra.for_stream != kNoStream;
}

/// A value that matches nothing stands for one that is missing in its stream, if there is one.
void Comparison::stand_in() {
  std::vector<std::vector<std::size_t>> waiting(progress_.size());
  for (std::size_t i = 0; i < extras_.size(); ++i) {
    if (!extras_[i].settled && extras_[i].stream != kNoStream) waiting[extras_[i].stream].push_back(i);
  }
  for (auto& list : waiting) std::reverse(list.begin(), list.end());
  const auto taken = claimed_.size();
  for (const auto& range : missing_) {
    auto& list = waiting[range.stream];
    for (std::size_t i = range.place; i < range.place + range.count && !list.empty(); ++i) {
      const std::pair claim{range.stream, i};
      if (std::binary_search(claimed_.begin(), claimed_.begin() + static_cast<std::ptrdiff_t>(taken), claim)) continue;
      Extra& extra = extras_[list.back()];
      list.pop_back();
      extra.settled = true;
      extra.for_stream = range.stream;
      extra.for_place = i;
      claimed_.push_back(claim);
    }
  }
  std::sort(claimed_.begin(), claimed_.end());
}

Verdict Comparison::finish() {
  for (std::uint32_t stream = 0; stream < progress_.size(); ++stream) align_rest(stream);
  by_hash_.resize(extras_.size());
  std::iota(by_hash_.begin(), by_hash_.end(), 0U);
  std::sort(by_hash_.begin(), by_hash_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return extras_[a].hash != extras_[b].hash ? extras_[a].hash < extras_[b].hash : a < b;
  });
  if (!extras_.empty()) {
    claim_missing(true);
    claim_missing(false);
    find_copies();
    stand_in();
  }
  return judge();
}

Fault Comparison::describe(const Extra& extra) const {
  Fault fault;
  fault.kind = extra.kind;
  fault.partition = extra.partition;
  fault.offset = extra.offset;
  fault.key = extra.stream == kNoStream ? stray_keys_[extra.key] : expectation_.streams()[extra.stream].key;
  fault.stream = extra.for_stream;
  fault.place = extra.for_place;
  if (extra.kind == FaultKind::kDuplicated) fault.what = "a copy of";
  if (extra.kind == FaultKind::kOutOfOrder) fault.what = "comes too late or too early:";
  if (extra.kind != FaultKind::kAltered) return fault;
  const auto hashes = extra.for_stream == kNoStream ? nullptr : &expectation_.streams()[extra.for_stream].hashes;
  if (hashes == nullptr) {
    fault.what = "its value matches nothing expected";
  } else if ((*hashes)[extra.for_place] == extra.hash) {
    fault.what = "wrong key or partition; belongs to";
  } else {
    fault.what = "its value matches nothing expected; missing here is";
  }
  return fault;
}

Verdict Comparison::judge() {
  Verdict verdict{.expected = expectation_.total(), .found = found_};
  std::size_t told[4] = {};
  for (const auto& extra : extras_) {
    ++(extra.kind == FaultKind::kDuplicated   ? verdict.duplicated
       : extra.kind == FaultKind::kOutOfOrder ? verdict.out_of_order
                                              : verdict.altered);
    if (told[static_cast<std::size_t>(extra.kind)]++ < kMostFaults) verdict.faults.push_back(describe(extra));
  }
  for (const auto& range : missing_) {
    const auto first = std::lower_bound(claimed_.begin(), claimed_.end(), std::pair{range.stream, range.place});
    const auto last = std::lower_bound(first, claimed_.end(), std::pair{range.stream, range.place + range.count});
    const auto lost = range.count - static_cast<std::uint64_t>(last - first);
    verdict.lost += lost;
    if (lost == 0 || told[0]++ >= kMostFaults) continue;
    const auto& stream = expectation_.streams()[range.stream];
    auto place = range.place;
    for (auto claim = first; claim != last && claim->second == place; ++claim) ++place;
    verdict.faults.push_back(
        {FaultKind::kLost, stream.partition, range.offset, stream.key, range.stream, place, lost, "lost:"});
  }
  return verdict;
}

}  // namespace tickbridge::verify
