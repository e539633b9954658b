#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>

#include "base/cache_line.h"

namespace tickbridge::ring {

/// Where idle workers sleep. A worker that found nothing to do takes a ticket, looks once more, and sleeps
/// until somebody announces work after the ticket was taken.
///
/// By the kernel's futex, not std::atomic::wait: libstdc++ yields the core a few times before it sleeps, and where
/// others want it, who yields comes back after some milliseconds, whatever was announced meanwhile.
class Parking {
 public:
  using Ticket = std::uint32_t;

  /// Work is there: wakes one sleeper, if any. Any thread. Costs one read-modify-write when nobody sleeps.
  void wake_one() noexcept {
    announced_.fetch_add(1, std::memory_order_seq_cst);  // partner: ticket()
    if (sleepers_.load(std::memory_order_seq_cst) != 0) futex(FUTEX_WAKE_PRIVATE, 1);
  }
  void wake_all() noexcept {
    announced_.fetch_add(1, std::memory_order_seq_cst);
    futex(FUTEX_WAKE_PRIVATE, INT_MAX);
  }

  /// Says that this thread is about to sleep. Look for work after this, then sleep() or stay().
  [[nodiscard]] Ticket ticket() noexcept {
    // Either the announcer sees us among the sleepers, or we see its announcement here (and so its work).
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    return announced_.load(std::memory_order_seq_cst);
  }
  /// Sleeps until work is announced after `ticket`.
  void sleep(Ticket ticket) noexcept {
    while (announced_.load(std::memory_order_seq_cst) == ticket) futex(FUTEX_WAIT_PRIVATE, ticket);
    stay();
  }
  /// Found something after all.
  void stay() noexcept { sleepers_.fetch_sub(1, std::memory_order_relaxed); }

  /// A snapshot, for metrics.
  [[nodiscard]] std::uint32_t sleepers() const noexcept { return sleepers_.load(std::memory_order_relaxed); }

 private:
  void futex(int operation, std::uint32_t value) noexcept {
    static_assert(sizeof(announced_) == sizeof value && std::atomic<std::uint32_t>::is_always_lock_free);
    ::syscall(SYS_futex, &announced_, operation, value, nullptr, nullptr, 0);
  }

  alignas(kCacheLine) std::atomic<std::uint32_t> announced_{0};
  alignas(kCacheLine) std::atomic<std::uint32_t> sleepers_{0};
};

}  // namespace tickbridge::ring
