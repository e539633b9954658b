#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tickbridge::journal {

struct Found;

/// Where in a suffix a hash lies: hash → indices, ascending. Built once; 12 to 20 bytes a record.
class SuffixIndex {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  /// REQUIRES: `found` outlives the index and does not change; fewer than 2^31 records.
  explicit SuffixIndex(std::span<const Found> found);

  /// The first index of the hash; kNone: it is nowhere.
  [[nodiscard]] std::uint32_t first(std::uint64_t hash) const noexcept;
  /// The next index behind this one with the same hash, or kNone.
  [[nodiscard]] std::uint32_t next(std::uint32_t at) const noexcept { return next_[at]; }
  /// The first index of the hash that is not before `from`, or kNone.
  [[nodiscard]] std::uint32_t first_from(std::uint64_t hash, std::size_t from) const noexcept;

 private:
  [[nodiscard]] std::size_t slot(std::uint64_t hash) const noexcept;

  std::span<const Found> found_;
  std::size_t mask_;
  std::vector<std::uint32_t> slots_;  // open addressing, at most half full
  std::vector<std::uint32_t> next_;
};

}  // namespace tickbridge::journal
