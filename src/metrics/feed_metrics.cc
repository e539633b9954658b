#include "metrics/feed_metrics.h"

#include <bitset>
#include <utility>

namespace tickbridge::metrics {

namespace {

constexpr std::size_t kShared = kSlots - 1;

/// Slots in use. The mutex guards the bits; taken when a thread first counts and when it ends.
class SlotPool {
 public:
  std::size_t take() {
    const std::scoped_lock lock{mutex_};
    for (std::size_t i = 0; i < kShared; ++i) {
      if (!used_[i]) {
        used_[i] = true;
        return i;
      }
    }
    return kShared;
  }
  void give_back(std::size_t slot) {
    const std::scoped_lock lock{mutex_};
    if (slot != kShared) used_[slot] = false;
  }

 private:
  std::mutex mutex_;
  std::bitset<kSlots> used_;
};

SlotPool& pool() {
  static auto* const instance = new SlotPool;  // outlives every thread
  return *instance;
}

struct Holder {
  std::size_t slot = pool().take();
  ~Holder() { pool().give_back(slot); }
};

}  // namespace

std::size_t thread_slot() noexcept {
  thread_local const Holder holder;
  return holder.slot;
}

std::string_view name(FeedState state) noexcept {
  constexpr std::array<std::string_view, 6> kNames{"connecting", "logging_in", "recovering", "streaming", "ended", "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

FeedMetrics::FeedMetrics(std::string feed) : feed_{std::move(feed)}, slots_(kSlots) {}

void FeedMetrics::add(FeedCounter counter, std::uint64_t n) noexcept {
  const std::size_t slot = thread_slot();
  auto& count = slots_[slot].counts[static_cast<std::size_t>(counter)];
  if (slot == kShared) {
    count.fetch_add(n, std::memory_order_relaxed);
  } else {
    count.store(count.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
}

void FeedMetrics::set(FeedGauge gauge, std::int64_t value) noexcept {
  gauges_[static_cast<std::size_t>(gauge)].store(value, std::memory_order_relaxed);
}

std::uint64_t FeedMetrics::value(FeedCounter counter) const noexcept {
  std::uint64_t sum = 0;
  for (const Slot& slot : slots_) sum += slot.counts[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
  return sum;
}

std::int64_t FeedMetrics::value(FeedGauge gauge) const noexcept {
  return gauges_[static_cast<std::size_t>(gauge)].load(std::memory_order_relaxed);
}

void FeedMetrics::set_state(FeedState state) noexcept { state_.store(state, std::memory_order_relaxed); }
FeedState FeedMetrics::state() const noexcept { return state_.load(std::memory_order_relaxed); }

void FeedMetrics::set_session(std::string_view session) {
  const std::scoped_lock lock{session_mutex_};
  session_ = session;
}

std::string FeedMetrics::session() const {
  const std::scoped_lock lock{session_mutex_};
  return session_;
}

}  // namespace tickbridge::metrics
