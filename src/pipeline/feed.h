#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "metrics/feed_metrics.h"
#include "net/intake.h"
#include "pipeline/commit.h"
#include "pipeline/decode.h"
#include "pipeline/inflate_stage.h"
#include "pipeline/options.h"
#include "pipeline/task.h"
#include "ring/byte_ring.h"
#include "ring/flag.h"
#include "ring/parking.h"
#include "ring/task_ring.h"
#include "ring/turn.h"

namespace tickbridge::pipeline {

/// What a feed tells others. Called by workers; must not block.
struct FeedEvents {
  std::function<void()> on_space;  ///< the ring has room again: wake the reader
  std::function<void(std::uint64_t connection, const net::Scan&)> on_scan;  ///< zlib-stream
  std::function<void(const Error&)> on_failed;   ///< the feed has stopped for good; called once
  std::function<void(MarkReport)> on_mark = {};  ///< want_mark() is answered
  std::function<void(Barrier)> on_barrier = {};  ///< commit stands still until pass_barrier()
};

/// One feed between its socket and the producer: issue in order, execute out of order, retire in order.
///
///     reader ─▶ [raw ring ─▶ inflate ─▶] ring ─▶ claim ─▶ decode ─▶ commit ─▶ lane
///     main      (zlib-stream, one worker)        any worker, in parallel     one worker, in order
class Feed final : public net::Intake {
 public:
  struct Settings {
    std::string name;
    codec::Options codec;
    Options pipeline;
    std::size_t workers = 1;
    std::function<void()> before_decode;  ///< tests: a failure of the environment
  };

  /// Allocates all the memory that the feed will ever have. Errors: kInternal, kConfig (unknown protocol).
  [[nodiscard]] static Result<std::unique_ptr<Feed>> create(Settings settings, ring::Parking& parking,
                                                            metrics::FeedMetrics& metrics, FeedEvents events);
  /// Gives the feed its way out; before that nothing is claimed. Main thread, before the workers start.
  /// `reserved`: see reserve(); counts only if the settings say so.
  void attach(Committer::Settings settings, TradingDay day, const routing::Options& routing, sink::Lane& lane);

  // --- net::Intake: main thread ---
  [[nodiscard]] ring::ByteRing& ring() noexcept override { return stage_ ? stage_->raw() : ring_; }
  void announce() noexcept override;
  [[nodiscard]] bool scans() const noexcept override { return stage_.has_value(); }
  void begin_connection(std::uint64_t connection) override {
    if (stage_) stage_->begin_connection(connection);
  }
  [[nodiscard]] bool idle() const noexcept override { return !stage_ || stage_->idle(); }

  // --- workers ---
  /// Does the next piece of work, if there is any. true: it did something.
  bool work();
  [[nodiscard]] bool has_work() const noexcept;

  // --- any thread ---
  /// There may be room in the lane again, or a policy's time is up: look at the commit.
  void kick() noexcept;
  /// Asks commit for a report at the next place between two packets: on_mark.
  void want_mark() noexcept;
  /// Asks commit to stand still at the next place between two packets: on_barrier.
  void want_barrier() noexcept;
  /// Lets commit go on. REQUIRES: on_barrier was called, and this not since.
  void pass_barrier() noexcept;
  /// at_most_once: packets before `sequence` may be handed over.
  void reserve(std::uint64_t sequence) noexcept { reserved_.store(sequence); }
  /// at_most_once: packets before `sequence` that are not reserved are dropped and counted.
  void drop_before(std::uint64_t sequence) noexcept { dropped_.store(sequence); }
  /// Stops the feed: nothing more is claimed or handed over. The first reason counts.
  void fail(const Error& error);
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// What alignment has passed over since the last report. REQUIRES: no worker is in it any more.
  [[nodiscard]] std::vector<journal::Stranger> take_strangers() { return committer_->take_strangers(); }
  /// True when all that was published is handed over (or the feed has failed).
  [[nodiscard]] bool drained() const noexcept;
  /// True while commit waits for room in the lane.
  [[nodiscard]] bool stalled() const noexcept { return stalled_; }
  [[nodiscard]] const std::string& name() const noexcept { return settings_.name; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept;
  /// Writes gauges that nobody else writes.
  void sample() const noexcept;

 private:
  Feed(Settings settings, const codec::Protocol& protocol, ring::ByteRing ring, ring::Parking& parking,
       metrics::FeedMetrics& metrics, FeedEvents events);

  [[nodiscard]] std::optional<ring::TaskRing<Task>::Ticket> claim();
  bool inflate();
  [[nodiscard]] bool decode(Task& task);
  void run_commit();
  void commit_ready();
  [[nodiscard]] bool commit_task(Task& task);
  [[nodiscard]] bool at_barrier();
  void stand_at(Barrier barrier);

  // constant after construction
  Settings settings_;
  ring::Parking& parking_;
  metrics::FeedMetrics& metrics_;
  FeedEvents events_;
  const codec::Protocol& protocol_;
  Decoder decoder_;
  std::size_t max_records_;

  ring::ByteRing ring_;
  std::optional<InflateStage> stage_;
  ring::TaskRing<Task> tasks_;

  alignas(kCacheLine) ring::TryFlag claiming_;  // the claim flag
  ring::Turn commit_turn_;
  ring::Flag commit_wanted_;
  std::atomic<bool> stalled_{false};
  std::atomic<bool> failed_{false};
  ring::Flag mark_wanted_;
  ring::Flag barrier_wanted_;
  ring::Flag barrier_passed_;
  std::atomic<std::uint64_t> reserved_{0};
  std::atomic<std::uint64_t> dropped_{0};

  // the holder of the commit turn (attach: before there are workers)
  std::optional<Committer> committer_;
  sink::Lane* lane_ = nullptr;
  bool standing_ = false;  // at a barrier
};

}  // namespace tickbridge::pipeline
