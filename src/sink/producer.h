#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "metrics/feed_metrics.h"
#include "metrics/registry.h"
#include "sink/options.h"

namespace tickbridge::sink {

/// One record to hand over. The memory is copied by the call.
struct Outgoing {
  const std::byte* value = nullptr;
  std::uint32_t value_size = 0;
  std::uint32_t key_size = 0;  ///< 0: no key
  const char* key = nullptr;
  std::int64_t timestamp_ms = 0;  ///< 0: the library's own (send and broker time)
  std::uint64_t sequence = 0;     ///< for the header "sequence"
  std::int64_t receive_ns = 0;    ///< for the header "receive_time", wall time
};

/// A message that could not be used: goes to the dead-letter topic, no key, partition 0.
struct DeadLetter {
  Bytes value;
  std::string_view reason;
  std::string_view session;
  std::uint64_t sequence = 0;
  std::uint32_t index = 0;
  std::size_t full_size = 0;  ///< of the bytes as they came, where `value` is less of them; else 0
};

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// What a topic looks like, read at start.
struct TopicInfo {
  std::int32_t partitions = 0;
  std::size_t max_record_bytes = 0;  ///< what one record's key and value may have together
  bool log_append_time = false;
  bool settings_known = false;          ///< false: the embedded broker, or no right to ask; the rest are defaults
  std::int32_t replication_factor = 0;  ///< 0: not known
  std::int32_t min_insync_replicas = 1;
  bool compacted = false;
  // How far a record's timestamp may lie from the broker's clock, milliseconds; not checked under LogAppendTime.
  std::int64_t timestamp_before_max_ms = kNoLimit;
  std::int64_t timestamp_after_max_ms = kNoLimit;
};

/// Says whether a topic would refuse records with timestamps between `first_ms` and `last_ms` (its broker's clock
/// showing `now_ms`), and what cures it: a command for `servers`; empty: it takes them.
[[nodiscard]] std::string timestamps_refused(const TopicInfo& info, std::string_view servers, std::string_view topic,
                                             std::int64_t first_ms, std::int64_t last_ms, std::int64_t now_ms);

/// What Kafka has acknowledged of a lane's partition since the lane was opened.
struct Acked {
  std::uint64_t count = 0;  ///< records
  std::int64_t last_offset =
      -1;  ///< of record number `count`, inferred where an event did not say; valid once count > 0
  std::uint64_t before_jump = 0;  ///< records up to this number lie before the newest jump in the offsets
  /// Records up to this number have offsets that Kafka told; behind it (retries that the broker had already) they are
  /// inferred, and could be wrong if somebody else wrote in between. A checkpoint's offsets should come from here.
  std::uint64_t told = 0;
};

/// A delivery event whose offset was not the predicted one: [expected, found) holds what this lane did not write, and
/// `unsure` records of its own whose acknowledgements carried no offset (nearly always none). `found` before
/// `expected`: the partition was cut short or re-created. Where `markers` of its own were expected, others' records may
/// lie before them: in [expected - markers, found), as many as [expected, found) has.
struct Jump {
  std::int32_t partition = 0;
  std::int64_t expected = 0;
  std::int64_t found = 0;
  std::uint64_t unsure = 0;
  std::int64_t markers = 0;
  std::int64_t written = -1;  ///< the offset of this lane's last record that is acknowledged by then
};

class Producer;

constexpr std::int64_t kUntimed = 0;

/// One feed's way into the shared producer: its share of what may be in flight, its order, its counts.
///
/// hand_over / hand_over_dead_letter / ask_for_room: only the thread that holds the feed's commit flag.
/// The rest: any thread.
class Lane {
 public:
  virtual ~Lane() = default;

  /// Hands records of one partition over, in order. Returns how many were taken; fewer than given means
  /// full (or failed()): what was refused must go first when there is room again. `arrived_ns`: wall time, when the
  /// earliest of them did; kUntimed: their latency is not measured.
  [[nodiscard]] virtual std::size_t hand_over(std::int32_t partition, std::span<const Outgoing> records,
                                              std::int64_t arrived_ns) = 0;
  /// false: full, try again when there is room.
  [[nodiscard]] virtual bool hand_over_dead_letter(const DeadLetter& letter) = 0;
  /// After a refusal: true if there is room again already; false: on_room will be called, once, when there is.
  [[nodiscard]] virtual bool ask_for_room() = 0;

  [[nodiscard]] virtual const TopicInfo& topic() const noexcept = 0;
  [[nodiscard]] virtual std::size_t dead_letter_max_bytes() const noexcept = 0;
  /// Records handed over and not yet acknowledged, dead letters included.
  [[nodiscard]] virtual std::int64_t in_flight() const noexcept = 0;
  /// Every record handed over is acknowledged; at most once: or dropped. Not where the producer's end took some with
  /// it.
  [[nodiscard]] virtual bool settled() const noexcept = 0;
  /// True once a record was refused for good: nothing is taken any more.
  [[nodiscard]] virtual bool failed() const noexcept = 0;

  /// Predicts offsets from here on: `next` by partition is the offset that its next record takes. REQUIRES: nothing in
  /// flight. Before it nothing is predicted, nor ever on a topic that several lanes write to. Main or start-up thread.
  virtual void watch(const std::vector<std::int64_t>& next) = 0;
  /// Any thread. Counts of records acknowledged since the lane was opened; dead letters have none of the rest.
  [[nodiscard]] virtual Acked acked(std::int32_t partition) const noexcept = 0;
  /// Any thread. Records of one partition that are handed over and not yet acknowledged.
  [[nodiscard]] virtual std::uint64_t in_flight(std::int32_t partition) const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t dead_letters_acked() const noexcept = 0;
  /// Transactional only: a commit has put a marker behind the records of each partition that had any since the last
  /// one.
  virtual void expect_markers() = 0;
};

/// What a lane tells its feed. Called by the delivery thread; must not block.
struct LaneEvents {
  std::function<void()> on_room;                  ///< there is room again after a refusal
  std::function<void(const Error&)> on_failed;    ///< the broker refused a record for good: 65
  std::function<void(const Jump&)> on_jump = {};  ///< prediction goes on behind it
  std::function<void()> on_spoilt = {};           ///< the transaction can only be aborted: no record is taken any more
};

/// How long a transaction may stay open before Kafka gives it up.
[[nodiscard]] std::chrono::milliseconds transaction_timeout(const ProducerOptions& options);

/// The one librdkafka producer that all feeds and workers share, with its delivery thread.
class Producer {
 public:
  /// Creates the client. `on_fatal` is called once, by the delivery thread, when the producer can do
  /// nothing any more (75). `counts`, where given, outlives it. Errors: kConfig for a property that the library
  /// refuses, named.
  [[nodiscard]] static Result<std::unique_ptr<Producer>> create(const ProducerOptions& options, Delivery delivery,
                                                                Send send, std::function<void(const Error&)> on_fatal,
                                                                const std::string& transactional_id = {},
                                                                metrics::DaemonMetrics* counts = nullptr);
  virtual ~Producer() = default;

  /// Opens a feed's lane: looks its topics up (creating them where `topics` says so), checks their
  /// settings, gives it its share of what may be in flight (total / lane_count). Blocks up to the
  /// deadline; start-up thread only. Errors: kUnavailable with the command that creates the topic.
  [[nodiscard]] virtual Result<std::unique_ptr<Lane>> open_lane(std::string_view feed, const FeedOptions& options,
                                                                const TopicOptions& topics, std::size_t lane_count,
                                                                metrics::FeedMetrics& metrics, LaneEvents events,
                                                                std::chrono::milliseconds deadline) = 0;
  /// Waits until all is acknowledged. false: the time ran out, or the producer failed.
  [[nodiscard]] virtual bool flush(std::chrono::milliseconds deadline) = 0;
  /// Transactional producers only (create() was given an id); every call blocks up to its deadline and is for one
  /// thread at a time. Errors: kUnavailable: try again with a new producer; kProtocol: fenced by a newer owner (76).
  [[nodiscard]] virtual Result<void> init_transactions(std::chrono::milliseconds deadline) = 0;
  [[nodiscard]] virtual Result<void> begin_transaction() = 0;
  /// A record beside the lanes' in the running transaction (the checkpoint). Topic: partition 0.
  [[nodiscard]] virtual Result<void> send_in_transaction(const std::string& topic, std::string_view key,
                                                         std::string_view value) = 0;
  /// Waits for what is in flight, then commits. An error: the transaction is aborted; recover. It comes back when the
  /// commit is decided: readers of committed records see it milliseconds later, when the markers are written (the next
  /// transaction and the next init wait for them).
  [[nodiscard]] virtual Result<void> commit_transaction(std::chrono::milliseconds deadline) = 0;

  /// True once it can do nothing any more; `on_fatal` follows, within seconds where a refusal is to be told first (any
  /// thread).
  [[nodiscard]] virtual bool failed() const noexcept = 0;
  /// True while at least one broker connection is up and no fatal error is known (any thread).
  [[nodiscard]] virtual bool can_write() const noexcept = 0;
  /// False if the delivery thread has been at one piece of work for longer than `limit` (any thread).
  [[nodiscard]] virtual bool progressing(std::chrono::milliseconds limit) const noexcept = 0;
};

}  // namespace tickbridge::sink
