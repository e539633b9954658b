#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "sink/errors.h"
#include "sink/lane.h"

// What the delivery thread does to a lane.
namespace tickbridge::sink {

using metrics::FeedCounter;
using metrics::FeedGauge;
using metrics::Stage;

void LaneCore::settle(Slot& slot, std::uint64_t count, rd_kafka_resp_err_t code, std::int64_t first_offset) {
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) [[likely]] {
    const std::optional<Jump> jump = slot.acks.acknowledge(count, first_offset);
    if (jump) [[unlikely]]
      report_jump(slot, *jump);
    if (!slot.dead_letters) metrics_.add(FeedCounter::kMessagesAcknowledged, count);
  } else {
    report_failure(slot, count, code);
  }
  if (!slot.dead_letters) time(slot, count, code == RD_KAFKA_RESP_ERR_NO_ERROR);
  slot.stall.settled += count;
  if (slot.stall.paused) [[unlikely]]
    set_paused(slot, false);
  const bool wake = admission_.release(slot.in_flight.release(count));
  show_in_flight();
  if (wake) call(events_.on_room);
}

void LaneCore::time(Slot& slot, std::uint64_t count, bool acknowledged) noexcept {
  const std::int64_t now = wall_nanoseconds();
  slot.arrivals.settled(count, [&](std::int64_t arrived_ns, std::uint64_t n) {
    if (acknowledged && arrived_ns != kUntimed) metrics_.latency(Stage::kAcknowledgement).record(now - arrived_ns, n);
  });
}

// The library's broker thread polls without sleeping while a partition's request is unanswered and the messages behind
// it are older than linger.ms (2.0.2 to 2.12: rd_kafka_toppar_producer_serve has rd_kafka_msgq_allow_wakeup_at set the
// next wake-up to now before it finds that the idempotent producer may not send another request). For a round trip that
// is the library's way; while a broker stands still it takes a core from it. A paused partition is passed over before
// that. It sends nothing again either, after a lost connection say: hence the probes.
void LaneCore::look_for_stalls(const StallLook& look) {
  for (Slot& slot : slots_) {
    Stall& stall = slot.stall;
    const bool waits = slot.in_flight.load().count != 0;
    if (!std::exchange(stall.waits, waits) || !waits || stall.settled != stall.seen) {
      stall.seen = stall.settled;
      stall.since = look.now;
    }
    const SteadyClock::duration waited = look.now - std::max(stall.since, look.not_before);
    if (stall.paused && waited < look.again) {
      set_paused(slot, false);
    } else if (!stall.paused && waited >= look.patience && look.again == look.again.zero()) {
      set_paused(slot, true);
    }
  }
  show_stalls(look.now);
}

// Not of a lane that is closed: its feed has another one, or none, by now.
void LaneCore::show_stalls(SteadyTime now) {
  SteadyClock::duration longest{0};
  std::int64_t paused = 0;
  for (const Slot& slot : slots_) {
    if (slot.stall.waits) longest = std::max(longest, now - slot.stall.since);
    if (slot.stall.paused) ++paused;
  }
  call(std::function<void()>{[this, longest, paused] {
    metrics_.set(FeedGauge::kAcknowledgementWait, std::chrono::duration_cast<milliseconds>(longest).count());
    metrics_.set(FeedGauge::kHeldBackPartitions, paused);
  }});
}

void LaneCore::set_paused(Slot& slot, bool paused) {
  const PartitionsHandle partition{rd_kafka_topic_partition_list_new(1)};
  rd_kafka_topic_partition_list_add(partition.get(), topic_of(slot).name.c_str(), slot.partition);
  (paused ? rd_kafka_pause_partitions : rd_kafka_resume_partitions)(client_.handle, partition.get());
  slot.stall.paused = paused;
  if (paused) metrics_.add(FeedCounter::kPartitionsHeldBack, 1);
  if (!paused) rd_kafka_flush(client_.handle, 0);  // wakes the broker threads, which a resume does not
}

// Several lanes on one topic see each other's records as jumps.
void LaneCore::report_jump(const Slot& slot, Jump jump) {
  if (topic_of(slot).shared()) return;
  jump.partition = slot.partition;
  jump.written = slot.acks.acked().last_offset;
  call(events_.on_jump, jump);
}

void LaneCore::watch(const std::vector<std::int64_t>& next) {
  if (setup_.data->shared()) return;
  for (std::size_t p = 0; p < std::min(next.size(), slots_.size() - 1); ++p) slots_[p].acks.watch(next[p]);
}

void LaneCore::expect_markers() {
  for (Slot& slot : slots_) slot.acks.expect_marker();
}

void LaneCore::report_failure(const Slot& slot, std::uint64_t count, rd_kafka_resp_err_t code) {
  const Verdict verdict = judge(code);
  if (client_.delivery == Delivery::kAtMostOnce) {
    if (!slot.dead_letters) metrics_.add(FeedCounter::kDroppedDelivery, count);
    return;
  }
  lost_.store(true);  // before the records' release: see settled()
  if (verdict == Verdict::kDiscarded) return;
  // What was given up has broken the transaction; its commit says why (a newer owner, time).
  if (verdict == Verdict::kLost && client_.transactional) return;
  // The broker knows the producer's sequence no more: a fatal error, which tells. A new producer can go on with these
  // records.
  if (verdict == Verdict::kLost && code > 0 && client_.failed.load()) return;
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
    log_event(Event::kDeliveryFailed, "{}", failure_.message);
    call(events_.on_failed, failure_);
  }
  if (spoilt_.load() && !std::exchange(spoilt_told_, true)) call(events_.on_spoilt);
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
  const bool again = closed_.exchange(true);  // pairs with call(): closed_.load
  calling_.wait(true);
  if (!again) {
    metrics_.set(FeedGauge::kAcknowledgementWait, 0);
    metrics_.set(FeedGauge::kHeldBackPartitions, 0);
  }
  if (!again && in_flight() == 0) {
    for (Topic* topic : {setup_.data, setup_.dead}) topic->writers.fetch_sub(1);
  }
  left_.store(true);  // last: from here on the delivery thread may free it
}

}  // namespace tickbridge::sink
