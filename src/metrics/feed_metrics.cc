#include "metrics/feed_metrics.h"

#include <array>
#include <utility>

#include "base/clock.h"

namespace tickbridge::metrics {

std::string_view name(FeedState state) noexcept {
  constexpr std::array<std::string_view, kFeedStates> kNames{"connecting", "logging_in", "recovering", "streaming",
                                                             "ended",      "failed",     "closed"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string_view name(Stage stage) noexcept { return stage == Stage::kHandOver ? "hand_over" : "acknowledgement"; }

FeedMetrics::FeedMetrics(std::string feed) : feed_{std::move(feed)} {}

std::uint64_t FeedMetrics::value(FeedCounter counter) const noexcept {
  return counters_.value(static_cast<std::size_t>(counter));
}

std::int64_t FeedMetrics::value(FeedGauge gauge) const noexcept {
  return gauges_.value(static_cast<std::size_t>(gauge));
}

void FeedMetrics::set_state(FeedState state) noexcept { state_.store(state, std::memory_order_relaxed); }
FeedState FeedMetrics::state() const noexcept { return state_.load(std::memory_order_relaxed); }

void FeedMetrics::set_session(std::string_view session) {
  const std::scoped_lock lock{text_mutex_};
  session_ = session;
}

std::string FeedMetrics::session() const {
  const std::scoped_lock lock{text_mutex_};
  return session_;
}

void FeedMetrics::set_last_error(std::string_view what) {
  const std::scoped_lock lock{text_mutex_};
  last_error_ = what;
  last_error_ns_ = what.empty() ? 0 : wall_nanoseconds();
}

std::int64_t FeedMetrics::last_error_ns() const {
  const std::scoped_lock lock{text_mutex_};
  return last_error_ns_;
}

std::string FeedMetrics::last_error() const {
  const std::scoped_lock lock{text_mutex_};
  return last_error_;
}

namespace {

std::uint64_t dropped_before_hand_over(const FeedMetrics& metrics) noexcept {
  return metrics.value(FeedCounter::kDroppedRepeat) + metrics.value(FeedCounter::kDroppedInvalid) +
         metrics.value(FeedCounter::kDroppedUnknown) + metrics.value(FeedCounter::kDroppedFull);
}

}  // namespace

std::uint64_t messages_dropped(const FeedMetrics& metrics) noexcept {
  return dropped_before_hand_over(metrics) + metrics.value(FeedCounter::kDroppedDelivery);
}

Balance balance(const FeedMetrics& metrics) noexcept {
  const auto count = [&](FeedCounter c) { return static_cast<std::int64_t>(metrics.value(c)); };
  const std::int64_t in = count(FeedCounter::kMessagesReceived) + count(FeedCounter::kGapLetters);
  const std::int64_t committed = count(FeedCounter::kMessagesCommitted);
  const std::int64_t aside = static_cast<std::int64_t>(dropped_before_hand_over(metrics)) +
                             count(FeedCounter::kMessagesDeadLettered) + count(FeedCounter::kMessagesSkipped);
  const std::int64_t settled = count(FeedCounter::kMessagesAcknowledged) + count(FeedCounter::kDroppedDelivery);
  return {in - committed - aside - metrics.value(FeedGauge::kMessagesHeld),
          committed - settled - metrics.value(FeedGauge::kInFlight)};
}

}  // namespace tickbridge::metrics
