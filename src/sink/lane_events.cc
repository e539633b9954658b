#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "sink/errors.h"
#include "sink/lane.h"

// What the delivery thread does to a lane.
namespace tickbridge::sink {

using metrics::FeedCounter;
using metrics::FeedGauge;

void LaneCore::settle(Slot& slot, std::uint64_t count, rd_kafka_resp_err_t code, std::int64_t first_offset) {
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) [[likely]] {
    slot.acks.count.store(slot.acks.count.load() + count);
    slot.acks.last_offset.store(first_offset < 0 ? -1 : first_offset + static_cast<std::int64_t>(count) - 1);
    if (!slot.dead_letters) metrics_.add(FeedCounter::kMessagesAcknowledged, count);
  } else {
    report_failure(slot, count, code);
  }
  const bool wake = admission_.release(slot.in_flight.release(count));
  metrics_.set(FeedGauge::kInFlight, in_flight());
  if (wake) call(events_.on_room);
}

void LaneCore::report_failure(const Slot& slot, std::uint64_t count, rd_kafka_resp_err_t code) {
  const Verdict verdict = judge(code);
  if (client_.delivery == Delivery::kAtMostOnce) {
    if (!slot.dead_letters) metrics_.add(FeedCounter::kDroppedDelivery, count);
    return;
  }
  if (verdict == Verdict::kDiscarded) return;
  const std::string& topic = topic_of(slot).name;
  fail(error(verdict == Verdict::kRefused ? ExitCode::kData : ExitCode::kUnacknowledged,
             fmt::format("feed {}: {} record(s) for topic {} partition {} {}: {}; {}", setup_.feed, count, topic,
                         slot.partition, verdict == Verdict::kRefused ? "are refused by Kafka" : "were given up",
                         describe(code), advice(code, topic))));
  attend();
}

bool LaneCore::fail(Error failure) {
  if (failed_.exchange(true)) return false;
  failure_ = std::move(failure);
  failure_ready_.store(true);  // pairs with attend(): failure_ready_.load
  return true;
}

void LaneCore::attend() {
  if (failure_ready_.load() && !failure_told_) {
    failure_told_ = true;
    spdlog::error("{}", failure_.message);
    call(events_.on_failed, failure_);
  }
  if (starved_.load() && starved_.exchange(false)) call(events_.on_room);
}

// Either close() sees that a callback runs and waits, or the caller sees that the lane is closed: calling_ is
// written before closed_ is read here, and the other way round there, all sequentially consistent.
template <class Callback, class... Args>
void LaneCore::call(const Callback& callback, const Args&... args) {
  calling_.store(true);  // pairs with close(): calling_.wait
  if (!closed_.load() && callback) callback(args...);
  calling_.store(false);
  calling_.notify_all();
}

void LaneCore::close() {
  closed_.store(true);  // pairs with call(): closed_.load
  calling_.wait(true);
}

}  // namespace tickbridge::sink
