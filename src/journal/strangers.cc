#include "journal/strangers.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tickbridge::journal {

void Strangers::add(std::int32_t partition, std::int64_t offset) { add({partition, offset, offset}); }

void Strangers::add(const StrangerRange& range) {
  if (range.first > range.last) return;
  Ranges& ranges = ranges_[range.partition];
  auto [first, last] = std::pair{range.first, range.last};
  auto at = ranges.upper_bound(first);
  if (at != ranges.begin() && std::prev(at)->second >= first - 1) --at;
  while (at != ranges.end() && at->first <= last + 1) {
    first = std::min(first, at->first);
    last = std::max(last, at->second);
    at = ranges.erase(at);
  }
  ranges.emplace(first, last);
}

bool Strangers::contains(std::int32_t partition, std::int64_t offset) const noexcept {
  const auto found = ranges_.find(partition);
  if (found == ranges_.end()) return false;
  const auto behind = found->second.upper_bound(offset);
  return behind != found->second.begin() && std::prev(behind)->second >= offset;
}

void Strangers::trim(std::int32_t partition, std::int64_t offset, std::size_t partitions) {
  const auto found = ranges_.find(partition);
  if (found == ranges_.end()) return;
  Ranges& ranges = found->second;
  while (!ranges.empty() && ranges.begin()->second <= offset - kNearby) ranges.erase(ranges.begin());
  const std::size_t share = std::max<std::size_t>(kMostRanges / std::max<std::size_t>(partitions, 1), 1);
  while (ranges.size() > share) {
    const std::int64_t first = ranges.begin()->first;
    ranges.erase(ranges.begin());
    auto next = ranges.extract(ranges.begin());
    next.key() = first;
    ranges.insert(std::move(next));
  }
  if (ranges.empty()) ranges_.erase(found);
}

std::vector<StrangerRange> Strangers::ranges() const {
  std::vector<StrangerRange> all;
  for (const auto& [partition, ranges] : ranges_) {
    for (const auto& [first, last] : ranges) all.push_back({partition, first, last});
  }
  return all;
}

}  // namespace tickbridge::journal
