#pragma once

#include <cstdint>
#include <vector>

#include "journal/align.h"

namespace tickbridge::journal {

/// Offsets [begin, end) of a partition where something lies that was not foreseen. `own` of its records are our own all
/// the same: acknowledged, but Kafka did not say where they lie.
struct JumpedRange {
  std::int32_t partition = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::uint64_t own = 0;
};

/// Takes out of `strangers` what may be ours: the foreign ones of a range that holds some of our own. Returns how many
/// of them cannot be, because they are more.
[[nodiscard]] std::uint64_t set_apart(std::vector<Stranger>& strangers, const JumpedRange& range);

}  // namespace tickbridge::journal
