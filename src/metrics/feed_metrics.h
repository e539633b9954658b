#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/cache_line.h"
#include "metrics/table.h"

namespace tickbridge::metrics {

/// The slot that this thread adds to: given at first use, returned when the thread ends. At most kSlots threads.
[[nodiscard]] std::size_t thread_slot() noexcept;
constexpr std::size_t kSlots = 64;

/// What a feed is doing (contract, /api/status).
enum class FeedState : std::uint8_t { kConnecting, kLoggingIn, kRecovering, kStreaming, kEnded, kFailed };
[[nodiscard]] std::string_view name(FeedState state) noexcept;

/// One feed's counters and gauges.
///
/// Counters are kept per thread and summed on read: add() is one relaxed load and store of a line that no
/// other thread writes. Add once a batch, not once a message. The last slot is shared by threads past kSlots
/// and uses fetch_add.
class FeedMetrics {
 public:
  explicit FeedMetrics(std::string feed);

  void add(FeedCounter counter, std::uint64_t n) noexcept;             // any thread
  void set(FeedGauge gauge, std::int64_t value) noexcept;              // any thread, last one wins
  [[nodiscard]] std::uint64_t value(FeedCounter counter) const noexcept;
  [[nodiscard]] std::int64_t value(FeedGauge gauge) const noexcept;

  void set_state(FeedState state) noexcept;
  [[nodiscard]] FeedState state() const noexcept;
  void set_session(std::string_view session);                          // slow, main thread
  [[nodiscard]] std::string session() const;
  [[nodiscard]] const std::string& feed() const noexcept { return feed_; }

 private:
  static constexpr std::size_t kCounters = static_cast<std::size_t>(FeedCounter::kCount);
  static constexpr std::size_t kGauges = static_cast<std::size_t>(FeedGauge::kCount);
  struct alignas(kCacheLine) Slot {
    std::array<std::atomic<std::uint64_t>, kCounters> counts{};
  };
  std::string feed_;
  std::vector<Slot> slots_;                                            // kSlots of them
  std::array<std::atomic<std::int64_t>, kGauges> gauges_{};
  std::atomic<FeedState> state_{FeedState::kConnecting};
  mutable std::mutex session_mutex_;                                   // guards session_
  std::string session_;
};

}  // namespace tickbridge::metrics
