#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sink/acked_offsets.h"
#include "sink/admission.h"
#include "sink/arrivals.h"
#include "sink/client.h"
#include "sink/producer.h"

namespace tickbridge::sink {

class LaneCore;

/// Whether a partition gets answers. The delivery thread only.
struct Stall {
  std::uint64_t settled = 0;  ///< messages done with, ever
  std::uint64_t seen = 0;     ///< settled at the last look
  bool waits = false;         ///< something was in flight at the last look
  SteadyTime since{};         ///< the last look that saw an answer, or the first that saw something in flight
  bool paused = false;        ///< in the library
};

/// Which partitions are stalled, at a look.
struct StallLook {
  SteadyTime now;
  SteadyTime not_before;           ///< nobody's waiting counts from before
  SteadyClock::duration patience;  ///< who has waited for so long is held back
  SteadyClock::duration again;     ///< who has waited for less may try again until the next look; 0: nobody
};

/// One partition of a lane, or its dead letters. Its address travels with each message as the opaque.
struct alignas(kCacheLine) Slot {
  LaneCore* lane = nullptr;
  std::int32_t partition = 0;
  bool dead_letters = false;
  InFlight in_flight;
  std::uint64_t given_back = 0;  ///< records taken and not handed over all the same; the committer
  Arrivals arrivals;
  AckedOffsets acks;
  Stall stall;
};

/// A topic as its lanes use it.
struct Topic {
  std::string name;
  TopicHandle handle;
  TopicInfo info;
  std::map<std::string, std::string> settings{};  ///< as the broker tells them; empty: not known
  bool missing = false;                           ///< only looked at: it is not there, and could be created
  std::atomic<int> writers{0};                    ///< lanes that are open, or were closed with records in flight
  /// One delivery event can hold messages of several lanes, and each lane sees the others' records as jumps.
  [[nodiscard]] bool shared() const noexcept { return writers.load() > 1; }
};

/// What opening a lane has found out.
struct LaneSetup {
  std::string feed;
  std::vector<Header> headers;
  Topic* data = nullptr;
  Topic* dead = nullptr;
  TopicInfo info;  ///< the data topic's, for records with this lane's headers
  std::size_t dead_letter_max_bytes = 0;
  Admission::Limits limits;
};

/// Fills in what of a topic's record size is left for key and value beside the lane's headers.
void leave_room_for_headers(LaneSetup& setup);

/// One feed's state in the producer. Owned by the producer, because messages in flight point to its slots when
/// the feed has dropped its Lane already; gone with the last of them.
class LaneCore {
 public:
  LaneCore(Client& client, LaneSetup setup, metrics::FeedMetrics& metrics, LaneEvents events);

  // The committer (see Lane).
  std::size_t hand_over(std::int32_t partition, std::span<const Outgoing> records, std::int64_t arrived_ns);
  bool hand_over_dead_letter(const DeadLetter& letter);
  bool ask_for_room();

  // While nothing is in flight (see Lane).
  void watch(const std::vector<std::int64_t>& next);
  void expect_markers();

  // The delivery thread.
  /// `count` messages of `slot` are done with; `verdict` says how.
  void settle(Slot& slot, std::uint64_t count, rd_kafka_resp_err_t code, std::int64_t first_offset);
  /// Does what the committer left for the delivery thread: tells a failure that the committer met, wakes the
  /// lane if the library itself had refused it.
  void attend();
  /// Pauses, in the library, partitions that wait long for an answer, and resumes them when there is one, so that
  /// the library does not wait busily. Every 50 ms or so.
  void look_for_stalls(const StallLook& look);
  /// Returns when no callback runs and none will. Not from a callback.
  void close();

  [[nodiscard]] const TopicInfo& topic() const noexcept { return setup_.info; }
  [[nodiscard]] const Topic& data_topic() const noexcept { return *setup_.data; }
  [[nodiscard]] const Topic& topic_of(const Slot& slot) const noexcept {
    return slot.dead_letters ? *setup_.dead : *setup_.data;
  }
  [[nodiscard]] std::size_t dead_letter_max_bytes() const noexcept { return setup_.dead_letter_max_bytes; }
  [[nodiscard]] std::int64_t in_flight() const noexcept;
  [[nodiscard]] bool settled() const noexcept { return in_flight() == 0 && !lost_.load(); }
  [[nodiscard]] bool failed() const noexcept { return failed_.load(); }
  [[nodiscard]] bool closed() const noexcept { return closed_.load(); }
  /// Nobody comes back to it: close() has returned, and every message was reported.
  [[nodiscard]] bool gone() const noexcept { return left_.load() && in_flight() == 0; }
  [[nodiscard]] const std::string& feed() const noexcept { return setup_.feed; }
  [[nodiscard]] Acked acked(std::int32_t partition) const noexcept {
    return slots_[static_cast<std::size_t>(partition)].acks.acked();
  }
  [[nodiscard]] std::uint64_t in_flight(std::int32_t partition) const noexcept {
    return slots_[static_cast<std::size_t>(partition)].in_flight.load().count;
  }
  [[nodiscard]] std::uint64_t dead_letters_acked() const noexcept { return slots_.back().acks.count(); }

 private:
  [[nodiscard]] bool stopped() const noexcept { return failed_.load() || client_.failed.load(); }
  std::size_t produce_batch(Slot& slot, std::span<const Outgoing> records);
  std::size_t produce_single(Slot& slot, std::span<const Outgoing> records);
  void note_handed(Slot& slot, std::uint64_t count, std::int64_t arrived_ns) noexcept;
  void fill(Slot& slot, std::span<const Outgoing> records) noexcept;
  [[nodiscard]] HeadersHandle headers_for(const Outgoing& record) const;
  std::size_t settle_refused(Slot& slot, std::span<const Outgoing> records, std::size_t first);
  bool skip_refused(rd_kafka_resp_err_t code);
  void give_back(Slot& slot, std::uint64_t count);
  void refused_by_library(rd_kafka_resp_err_t code, const Topic& topic, std::int32_t partition);
  void wake_delivery();
  void set_paused(Slot& slot, bool paused);
  void show_in_flight() noexcept;
  void show_stalls(SteadyTime now);
  void time(Slot& slot, std::uint64_t count, bool acknowledged) noexcept;
  void report_failure(const Slot& slot, std::uint64_t count, rd_kafka_resp_err_t code);
  void report_jump(const Slot& slot, Jump jump);
  bool fail(Error failure);
  template <class Callback, class... Args>
  void call(const Callback& callback, const Args&... args);

  // Constant after construction.
  Client& client_;
  const LaneSetup setup_;
  metrics::FeedMetrics& metrics_;
  const LaneEvents events_;
  const std::uint64_t fixed_cost_;  ///< of a record besides key and value, bytes

  // The committer only.
  std::vector<rd_kafka_message_t> batch_;  ///< reused by each call; its size is the largest batch
  std::uint64_t refused_cost_ = 0;         ///< of the record that was refused last
  bool library_full_ = false;              ///< the last refusal was the library's, not the admission's

  // Shared by the committer and the delivery thread.
  Admission admission_;
  std::vector<Slot> slots_;          ///< one a partition, then the dead letters'; never resized
  std::atomic<bool> failed_{false};  ///< nothing is taken any more; who sets it writes failure_
  Error failure_;                    ///< constant once failure_ready_
  std::atomic<bool> failure_ready_{false};
  std::atomic<bool> lost_{false};     ///< a record that was taken, and is not in flight any more
  std::atomic<bool> spoilt_{false};   ///< the transaction
  std::atomic<bool> starved_{false};  ///< the library refused this lane, and it asked for room

  // The delivery thread only.
  bool failure_told_ = false;
  bool spoilt_told_ = false;

  // The delivery thread and whoever closes the lane.
  std::atomic<bool> calling_{false};  ///< a callback runs
  std::atomic<bool> closed_{false};
  std::atomic<bool> left_{false};  ///< close() is over
};

}  // namespace tickbridge::sink
