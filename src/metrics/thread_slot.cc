#include "metrics/thread_slot.h"

#include <bitset>
#include <mutex>

namespace tickbridge::metrics {

namespace {

/// Slots in use. The mutex guards the bits; taken when a thread first counts and when it ends. It also makes
/// what the old owner of a slot stored visible to the new one.
class SlotPool {
 public:
  std::size_t take() {
    const std::scoped_lock lock{mutex_};
    for (std::size_t i = 0; i < kSharedSlot; ++i) {
      if (!used_[i]) {
        used_[i] = true;
        return i;
      }
    }
    return kSharedSlot;
  }
  void give_back(std::size_t slot) {
    const std::scoped_lock lock{mutex_};
    if (slot != kSharedSlot) used_[slot] = false;
  }

 private:
  std::mutex mutex_;
  std::bitset<kSlots> used_;
};

SlotPool& pool() {
  static auto* const instance = new SlotPool;  // outlives every thread
  return *instance;
}

constexpr std::size_t kNone = kSlots;
thread_local std::size_t own_slot = kNone;  // trivial, so it may be read while the thread's objects die

struct Returner {
  Returner() = default;
  Returner(const Returner&) = delete;
  Returner& operator=(const Returner&) = delete;
  ~Returner() {
    pool().give_back(own_slot);
    own_slot = kSharedSlot;
  }
};

std::size_t take_slot() noexcept {
  own_slot = pool().take();
  thread_local const Returner returner;
  return own_slot;
}

}  // namespace

std::size_t thread_slot() noexcept { return own_slot != kNone ? own_slot : take_slot(); }

}  // namespace tickbridge::metrics
