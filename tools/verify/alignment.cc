#include "alignment.h"

#include <algorithm>
#include <numeric>

namespace tickbridge::verify {
namespace {

using Values = std::span<const std::uint64_t>;
constexpr std::uint64_t kMostSteps = 16'000'000;
constexpr std::uint32_t kNone = 0xffffffff;

/// Places of equal values, found by the value.
class Places {
 public:
  explicit Places(Values values) : values_(values), order_(values.size()) {
    std::iota(order_.begin(), order_.end(), 0U);
    std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
      return values_[a] != values_[b] ? values_[a] < values_[b] : a < b;
    });
  }
  /// Rising places of `value`.
  [[nodiscard]] std::span<const std::uint32_t> of(std::uint64_t value) const {
    const auto less = [&](std::uint32_t place, std::uint64_t v) { return values_[place] < v; };
    const auto begin = std::lower_bound(order_.begin(), order_.end(), value, less);
    const auto more = [&](std::uint64_t v, std::uint32_t place) { return v < values_[place]; };
    return {begin, std::upper_bound(begin, order_.end(), value, more)};
  }

 private:
  Values values_;
  std::vector<std::uint32_t> order_;
};

/// Grows the longest rising row of pairs; pairs of one found value must come with falling `expected`.
class RisingRow {
 public:
  void offer(std::uint32_t expected, std::uint32_t found) {
    const auto at = std::lower_bound(ends_.begin(), ends_.end(), expected,
                                     [&](std::uint32_t node, std::uint32_t e) { return nodes_[node].expected < e; });
    if (at != ends_.end() && nodes_[*at].expected == expected) return;
    const auto before = at == ends_.begin() ? kNone : *(at - 1);
    const auto node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.push_back({expected, found, before});
    if (at == ends_.end()) {
      ends_.push_back(node);
    } else {
      *at = node;
    }
  }
  void append_to(std::vector<Pair>& pairs, std::size_t shift) const {
    const auto first = static_cast<std::ptrdiff_t>(pairs.size());
    for (auto node = ends_.empty() ? kNone : ends_.back(); node != kNone; node = nodes_[node].before) {
      pairs.push_back({nodes_[node].expected + shift, nodes_[node].found + shift});
    }
    std::reverse(pairs.begin() + first, pairs.end());
  }

 private:
  struct Node {
    std::uint32_t expected, found, before;
  };
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> ends_;  // by length: the node that ends the row of that length with the least `expected`
};

std::uint64_t steps(const Places& places, Values found) {
  std::uint64_t sum = 0;
  for (const auto value : found) sum += places.of(value).size();
  return sum;
}

RisingRow all_pairs(const Places& places, Values found) {
  RisingRow row;
  for (std::uint32_t j = 0; j < found.size(); ++j) {
    const auto candidates = places.of(found[j]);
    for (auto i = candidates.rbegin(); i != candidates.rend(); ++i) row.offer(*i, j);
  }
  return row;
}

RisingRow nth_pairs(const Places& places, Values found) {
  RisingRow row;
  const Places found_places(found);
  for (std::uint32_t j = 0; j < found.size(); ++j) {
    const auto same = found_places.of(found[j]);
    const auto nth = static_cast<std::size_t>(std::lower_bound(same.begin(), same.end(), j) - same.begin());
    const auto candidates = places.of(found[j]);
    if (nth < candidates.size()) row.offer(candidates[nth], j);
  }
  return row;
}

}  // namespace

std::vector<Pair> align(Values expected, Values found, Extent extent) {
  const auto least = std::min(expected.size(), found.size());
  std::size_t head = 0;
  while (head < least && expected[head] == found[head]) ++head;
  std::size_t tail = 0;
  const auto most_tail = extent == Extent::kWhole ? least - head : 0;
  while (tail < most_tail && expected[expected.size() - 1 - tail] == found[found.size() - 1 - tail]) ++tail;

  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < head; ++i) pairs.push_back({i, i});
  const auto middle_expected = expected.subspan(head, expected.size() - head - tail);
  const auto middle_found = found.subspan(head, found.size() - head - tail);
  if (!middle_expected.empty() && !middle_found.empty()) {
    const Places places(middle_expected);
    const bool few = steps(places, middle_found) <= kMostSteps;
    (few ? all_pairs(places, middle_found) : nth_pairs(places, middle_found)).append_to(pairs, head);
  }
  for (auto i = tail; i > 0; --i) pairs.push_back({expected.size() - i, found.size() - i});
  return pairs;
}

}  // namespace tickbridge::verify
