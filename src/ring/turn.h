#pragma once

#include <atomic>
#include <cstdint>

#include "base/cache_line.h"

namespace tickbridge::ring {

/// Lets one thread at a time do a piece of work, and makes sure that the work is looked at after each request.
///
/// Nobody waits: who finds the turn taken leaves its request to the holder. Only read-modify-write operations
/// touch the counter, so each of them sees the one before it: no request is lost.
///
///     if (turn.enter()) {
///       std::uint32_t seen = 1;
///       do { /* look at all the work there is */ } while (!turn.leave(seen));
///     }
class Turn {
 public:
  /// Requests a look at the work. true: the caller holds the turn now.
  [[nodiscard]] bool enter() noexcept {
    return requests_.fetch_add(1, std::memory_order_acq_rel) == 0;  // partner: leave()
  }

  /// Takes the turn if nobody holds it; leaves no request if somebody does.
  [[nodiscard]] bool try_enter() noexcept {
    std::uint32_t none = 0;
    return requests_.compare_exchange_strong(none, 1, std::memory_order_acq_rel, std::memory_order_relaxed);
  }

  /// After a look at all the work. false: more was requested meanwhile, look again (`seen` is updated).
  [[nodiscard]] bool leave(std::uint32_t& seen) noexcept {
    seen = requests_.fetch_sub(seen, std::memory_order_acq_rel) - seen;  // partner: enter()
    return seen == 0;
  }

  /// True if nobody holds the turn. A snapshot, for tests and for a drained feed.
  [[nodiscard]] bool idle() const noexcept { return requests_.load(std::memory_order_acquire) == 0; }

 private:
  alignas(kCacheLine) std::atomic<std::uint32_t> requests_{0};
};

static_assert(sizeof(Turn) == kCacheLine);

}  // namespace tickbridge::ring
