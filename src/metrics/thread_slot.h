#pragma once

#include <cstddef>

namespace tickbridge::metrics {

/// How many threads count without sharing; the last slot is for all that come after.
constexpr std::size_t kSlots = 64;
constexpr std::size_t kSharedSlot = kSlots - 1;

/// The slot that this thread adds to: given at first use, returned when the thread ends, then given to another.
/// kSharedSlot where all others are taken, and for what a thread counts while it ends.
[[nodiscard]] std::size_t thread_slot() noexcept;

}  // namespace tickbridge::metrics
