#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/cache_line.h"

namespace tickbridge::sink {

/// When the records of one partition arrived that are in flight: what a hand-over took is one entry, because Kafka
/// acknowledges a partition's records in order. Entries are few; when there is room for no more, the last one
/// stands for the next hand-overs too, with its arrival.
///
/// handed: the committer. settled: the delivery thread.
class Arrivals {
 public:
  /// `count` records more are in flight.
  void handed(std::uint64_t count, std::int64_t arrived_ns) noexcept {
    if (count == 0) return;
    handed_ += count;
    const std::uint64_t made = made_.load(std::memory_order_relaxed);
    // acquire: partner of the release in settled(), which has read the entry that is overwritten
    if (made - taken_.load(std::memory_order_acquire) == kEntries) {
      entries_[(made - 1) % kEntries].upto.store(handed_, std::memory_order_relaxed);
      return;
    }
    Entry& entry = entries_[made % kEntries];
    entry.upto.store(handed_, std::memory_order_relaxed);
    entry.arrived_ns = arrived_ns;
    made_.store(made + 1, std::memory_order_release);  // partner: the acquire in settled()
  }

  /// `count` records are done with, the earliest ones; record(arrived_ns, n) for `n` of them. (Answered before handed()
  /// has run, they are not measured.)
  template <class Record>
  void settled(std::uint64_t count, const Record& record) noexcept {
    settled_ += count;
    const std::uint64_t made = made_.load(std::memory_order_acquire);
    std::uint64_t taken = taken_.load(std::memory_order_relaxed);
    while (taken != made) {
      const Entry& entry = entries_[taken % kEntries];
      const std::uint64_t last = entry.upto.load(std::memory_order_relaxed);
      const std::uint64_t upto = std::min(last, settled_);
      if (upto > measured_) record(entry.arrived_ns, upto - measured_), measured_ = upto;
      if (last > settled_) break;
      ++taken;
    }
    if (taken == made) measured_ = settled_;
    taken_.store(taken, std::memory_order_release);
  }

 private:
  struct Entry {
    std::atomic<std::uint64_t> upto{0};  ///< records handed over, ever
    std::int64_t arrived_ns = 0;         ///< of the earliest
  };
  static constexpr std::size_t kEntries = 256;

  std::array<Entry, kEntries> entries_{};

  // the committer
  alignas(kCacheLine) std::atomic<std::uint64_t> made_{0};
  std::uint64_t handed_ = 0;

  // the delivery thread
  alignas(kCacheLine) std::atomic<std::uint64_t> taken_{0};
  std::uint64_t settled_ = 0;
  std::uint64_t measured_ = 0;
};

}  // namespace tickbridge::sink
