#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace tickbridge::journal {

/// Offsets [first, last] of a partition whose records are not known as ours.
struct StrangerRange {
  std::int32_t partition = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool operator==(const StrangerRange&) const = default;
};

/// The strangers of a topic that were told, and all else there that nobody has compared with the feed. A record that
/// equals one of them is no double of ours: somebody may write the same bytes again and again.
class Strangers {
 public:
  static constexpr std::int64_t kNearby = 100'000;  ///< offsets: records further back are compared with nothing
  static constexpr std::size_t kMostRanges = 1024;  ///< of all partitions; each keeps an equal share, one at least

  void add(std::int32_t partition, std::int64_t offset);
  void add(const StrangerRange& range);  ///< first > last: nothing
  [[nodiscard]] bool contains(std::int32_t partition, std::int64_t offset) const noexcept;
  /// Forgets what lies kNearby or more before `offset`. More ranges than the share: those furthest back become one,
  /// with what lies between them.
  void trim(std::int32_t partition, std::int64_t offset, std::size_t partitions);
  [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
  /// By partition and offset.
  [[nodiscard]] std::vector<StrangerRange> ranges() const;

 private:
  using Ranges = std::map<std::int64_t, std::int64_t>;  // first → last, neither touching nor crossing each other
  std::map<std::int32_t, Ranges> ranges_;
};

}  // namespace tickbridge::journal
