#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "metrics/latency.h"
#include "metrics/slotted.h"
#include "metrics/table.h"

namespace tickbridge::metrics {

/// What a feed is doing (contract, /api/status).
enum class FeedState : std::uint8_t { kConnecting, kLoggingIn, kRecovering, kStreaming, kEnded, kFailed, kClosed };
constexpr std::size_t kFeedStates = 7;
[[nodiscard]] std::string_view name(FeedState state) noexcept;

/// From a message's arrival in the socket to … (contract of /metrics: the label `to`).
enum class Stage : std::uint8_t { kHandOver, kAcknowledgement };
constexpr std::size_t kStages = 2;
[[nodiscard]] std::string_view name(Stage stage) noexcept;

/// One feed's counters, gauges and times. Any thread may call anything; counting never waits for a reader.
class FeedMetrics {
 public:
  explicit FeedMetrics(std::string feed);

  void add(FeedCounter counter, std::uint64_t n) noexcept { counters_.add(static_cast<std::size_t>(counter), n); }
  void set(FeedGauge gauge, std::int64_t value) noexcept { gauges_.set(static_cast<std::size_t>(gauge), value); }
  [[nodiscard]] std::uint64_t value(FeedCounter counter) const noexcept;
  [[nodiscard]] std::int64_t value(FeedGauge gauge) const noexcept;

  [[nodiscard]] Latency& latency(Stage stage) noexcept { return latencies_[static_cast<std::size_t>(stage)]; }
  [[nodiscard]] const Latency& latency(Stage stage) const noexcept {
    return latencies_[static_cast<std::size_t>(stage)];
  }

  void set_state(FeedState state) noexcept;
  [[nodiscard]] FeedState state() const noexcept;
  [[nodiscard]] const std::string& feed() const noexcept { return feed_; }

  // Slow, under a mutex: on a change of session, on an error.
  void set_session(std::string_view session);
  [[nodiscard]] std::string session() const;
  void set_last_error(std::string_view what);  ///< for people: what went wrong last; empty: nothing yet
  [[nodiscard]] std::string last_error() const;
  [[nodiscard]] std::int64_t last_error_ns() const;  ///< when, wall time; 0: nothing yet

 private:
  // Constant after construction.
  std::string feed_;
  SlottedCounters<static_cast<std::size_t>(FeedCounter::kCount)> counters_;
  // Shared atomics, each on its own line.
  SpacedGauges<static_cast<std::size_t>(FeedGauge::kCount)> gauges_;
  std::array<Latency, kStages> latencies_;
  std::atomic<FeedState> state_{FeedState::kConnecting};

  mutable std::mutex text_mutex_;  // guards session_, last_error_*
  std::string session_;
  std::string last_error_;
  std::int64_t last_error_ns_ = 0;
};
static_assert(alignof(FeedMetrics) == kCacheLine, "two feeds share no line");

/// Messages dropped, for all reasons together.
[[nodiscard]] std::uint64_t messages_dropped(const FeedMetrics& metrics) noexcept;

/// Where a feed's messages are: in = out + dropped + held. Exact once the feed's threads rest; meant for tests.
struct Balance {
  std::int64_t unaccounted = 0;     ///< taken in, and neither out, dropped nor held; negative: counted twice
  std::int64_t unacknowledged = 0;  ///< handed over, and neither acknowledged, lost nor in flight
  [[nodiscard]] bool even() const noexcept { return unaccounted == 0 && unacknowledged == 0; }
};

/// messages_received + gap_letters = committed + dropped before the hand-over + dead-lettered + skipped + held,
/// and committed = acknowledged + dropped{delivery} + in flight.
[[nodiscard]] Balance balance(const FeedMetrics& metrics) noexcept;

}  // namespace tickbridge::metrics
