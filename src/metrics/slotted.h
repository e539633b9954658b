#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/cache_line.h"
#include "metrics/thread_slot.h"

namespace tickbridge::metrics {

/// N counters kept per thread and summed on read: add() is one relaxed load and store of a line that no other
/// thread writes. Add once a batch, not once a message. The last slot is shared by the threads past kSlots and
/// takes fetch_add. Any thread may call anything; a sum never goes back.
template <std::size_t N>
class SlottedCounters {
 public:
  void add(std::size_t counter, std::uint64_t n) noexcept {
    const std::size_t slot = thread_slot();
    std::atomic<std::uint64_t>& count = slots_[slot].counts[counter];
    if (slot == kSharedSlot) [[unlikely]] {
      count.fetch_add(n, std::memory_order_relaxed);
    } else {
      count.store(count.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
  }

  [[nodiscard]] std::uint64_t value(std::size_t counter) const noexcept {
    std::uint64_t sum = 0;
    for (const Slot& slot : slots_) sum += slot.counts[counter].load(std::memory_order_relaxed);
    return sum;
  }

 private:
  struct alignas(kCacheLine) Slot {
    std::array<std::atomic<std::uint64_t>, N> counts{};
  };
  static_assert(alignof(Slot) == kCacheLine && sizeof(Slot) % kCacheLine == 0, "no two threads write one line");
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  std::vector<Slot> slots_ = std::vector<Slot>(kSlots);
};

/// N values, each on a line of its own because each has another writer. Any thread, the last one wins.
template <std::size_t N>
class SpacedGauges {
 public:
  void set(std::size_t gauge, std::int64_t value) noexcept {
    gauges_[gauge].value.store(value, std::memory_order_relaxed);
  }
  void add(std::size_t gauge, std::int64_t n) noexcept { gauges_[gauge].value.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value(std::size_t gauge) const noexcept {
    return gauges_[gauge].value.load(std::memory_order_relaxed);
  }

 private:
  struct alignas(kCacheLine) Line {
    std::atomic<std::int64_t> value{0};
  };
  static_assert(sizeof(Line) == kCacheLine);
  std::array<Line, N> gauges_{};
};

}  // namespace tickbridge::metrics
