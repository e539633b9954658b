#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/cache_line.h"

namespace tickbridge::ring {

/// Issue in order, execute out of order, retire in order: a feed's tasks, a fixed number of them.
///
/// Ticket t uses the task t mod size, and becomes free again when t is retired; so order needs no queue.
template <class Task>
class TaskRing {
 public:
  using Ticket = std::uint64_t;

  /// `make` is called `size` times, now; nothing is allocated later.
  template <class Make>
  TaskRing(std::size_t size, Make make) : done_(size) {
    tasks_.reserve(size);
    for (std::size_t i = 0; i < size; ++i) tasks_.push_back(make());
  }

  // --- the thread that holds the feed's claim flag ---

  [[nodiscard]] Ticket next_ticket() const noexcept { return issued_.load(std::memory_order_relaxed); }
  void issue() noexcept { issued_.store(next_ticket() + 1, std::memory_order_relaxed); }

  // --- any thread ---

  /// True if a task is free. Exact for the holder of the claim flag, a hint for others.
  [[nodiscard]] bool has_free() const noexcept {
    // acquire: partner of retire(); the committer has finished with the task that comes free.
    return next_ticket() - retired_.load(std::memory_order_acquire) < tasks_.size();
  }
  [[nodiscard]] Task& task(Ticket ticket) noexcept { return tasks_[ticket % tasks_.size()]; }
  [[nodiscard]] std::size_t size() const noexcept { return tasks_.size(); }

  // --- the thread that executed the ticket's task ---

  void done(Ticket ticket) noexcept {
    done_[ticket % tasks_.size()].value.store(ticket + 1, std::memory_order_release);  // partner: front()
  }

  // --- the thread that holds the feed's commit turn ---

  /// The next task to retire, if it is done.
  [[nodiscard]] Task* front() noexcept {
    const Ticket ticket = retired_.load(std::memory_order_relaxed);
    const bool done = done_[ticket % tasks_.size()].value.load(std::memory_order_acquire) == ticket + 1;
    return done ? &task(ticket) : nullptr;
  }
  void retire() noexcept { retired_.store(retired_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

 private:
  struct alignas(kCacheLine) Done {
    std::atomic<Ticket> value{0};  // the ticket that was done last, plus one
  };
  std::vector<Task> tasks_;
  std::vector<Done> done_;
  alignas(kCacheLine) std::atomic<Ticket> issued_{0};
  alignas(kCacheLine) std::atomic<Ticket> retired_{0};
};

}  // namespace tickbridge::ring
