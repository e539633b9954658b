#pragma once

#include <atomic>

namespace tickbridge::ring {

/// A request that anyone may leave and one thread takes.
class Flag {
 public:
  void raise() noexcept { raised_.store(true, std::memory_order_release); }  // partner: take()
  /// true: it was raised, and the caller is the one to act. Sees what was written before raise().
  [[nodiscard]] bool take() noexcept { return raised() && raised_.exchange(false, std::memory_order_acq_rel); }
  /// A hint.
  [[nodiscard]] bool raised() const noexcept { return raised_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> raised_{false};
};

/// Held by one thread at a time; nobody waits for it.
///
/// Both operations are read-modify-writes: whoever finds it held has left its mark before the holder gives it back,
/// and so the holder, looking once more after release(), sees what that thread saw.
class TryFlag {
 public:
  [[nodiscard]] bool try_hold() noexcept {
    return !held_.exchange(true, std::memory_order_acq_rel);
  }  // partner: release()
  void release() noexcept { held_.exchange(false, std::memory_order_acq_rel); }

 private:
  std::atomic<bool> held_{false};
};

}  // namespace tickbridge::ring
