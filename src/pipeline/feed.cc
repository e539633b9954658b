#include "pipeline/feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/log.h"

namespace tickbridge::pipeline {

using metrics::FeedCounter;
using metrics::FeedGauge;

namespace {

constexpr std::size_t kCutsPerTask = 4;
constexpr std::size_t kBytesPerRecord = 12;  // the smallest message with its length; more per task come in pieces
constexpr std::size_t kMinRing = std::size_t{64} << 10U;
constexpr int kDecodeTries = 4;
constexpr std::size_t kSmallTask = std::size_t{16} << 10U;  // bytes, 0.1 ms of work at most

/// The ring's size: what is configured, and enough for two of the largest packets.
std::size_t ring_bytes(const Feed::Settings& settings, std::size_t divisor) {
  const std::size_t packet = codec::PacketCutter{settings.codec}.max_packet_bytes();
  return std::max({settings.pipeline.ring_bytes / divisor, 2 * packet, kMinRing});
}

}  // namespace

Result<std::unique_ptr<Feed>> Feed::create(Settings settings, ring::Parking& parking, metrics::FeedMetrics& metrics,
                                           FeedEvents events) {
  const codec::Protocol* const protocol = codec::Protocol::find(settings.codec.protocol);
  if (protocol == nullptr) {
    return error(ExitCode::kConfig, fmt::format("feed.{}.protocol = \"{}\" is not a message table", settings.name,
                                                settings.codec.protocol));
  }
  const bool stream = settings.codec.compression == codec::Compression::kZlibStream;
  const std::size_t spacing = std::max<std::size_t>(settings.pipeline.task_bytes / kCutsPerTask, 1024);
  auto plain = ring::ByteRing::create(ring_bytes(settings, stream ? 2 : 1), spacing);
  if (!plain) return plain.error();
  std::optional<ring::ByteRing> raw;
  if (stream) {
    auto made = ring::ByteRing::create(ring_bytes(settings, 4), spacing);
    if (!made) return made.error();
    raw.emplace(std::move(*made));
  }
  std::unique_ptr<Feed> feed{
      new Feed{std::move(settings), *protocol, std::move(*plain), parking, metrics, std::move(events)}};
  if (raw) {
    Feed* const self = feed.get();
    self->stage_.emplace(self->settings_.codec, std::move(*raw), self->ring_,
                         InflateStage::Events{.on_scan = self->events_.on_scan,
                                              .on_raw_space = self->events_.on_space,
                                              .on_published = [self] { self->parking_.wake_one(); }});
  }
  return feed;
}

Feed::Feed(Settings settings, const codec::Protocol& protocol, ring::ByteRing ring, ring::Parking& parking,
           metrics::FeedMetrics& metrics, FeedEvents events)
    : settings_{std::move(settings)},
      parking_{parking},
      metrics_{metrics},
      events_{std::move(events)},
      protocol_{protocol},
      decoder_{settings_.codec, protocol},
      max_records_{std::max(settings_.pipeline.task_bytes / kBytesPerRecord, Decoder::kMinRecords)},
      ring_{std::move(ring)},
      tasks_{settings_.workers + 1, [this] {
               return Task{max_records_, decoder_.arena_bytes(settings_.pipeline.task_bytes),
                           decoder_.inflate_limits()};
             }} {
  metrics_.set(FeedGauge::kRingBytes, static_cast<std::int64_t>(ring_.size()));
}

void Feed::attach(Committer::Settings settings, TradingDay day, const routing::Options& routing, sink::Lane& lane) {
  lane_ = &lane;
  const std::int32_t partitions =
      settings.resume.partitions != 0 ? settings.resume.partitions : lane.topic().partitions;
  committer_.emplace(std::move(settings), protocol_, std::move(day), routing::Directory{routing, partitions}, lane,
                     metrics_, max_records_);
}

std::size_t Feed::memory_bytes() const noexcept {
  const std::size_t task = max_records_ * sizeof(Record) + decoder_.arena_bytes(settings_.pipeline.task_bytes);
  return ring_.size() + tasks_.size() * task;
}

void Feed::sample() const noexcept { metrics_.set(FeedGauge::kRingUsedBytes, static_cast<std::int64_t>(ring_.used())); }

// Waking a worker costs more than a small task. Where all of them sleep there is no backlog, and the caller does it
// (docs/decisions/0015-the-reader-does-small-tasks.md). What inflates is never small for sure.
void Feed::announce() noexcept {
  if (stage_) stage_->request();
  const bool plain = settings_.codec.compression == codec::Compression::kNone;
  if (plain && ring_.used() <= kSmallTask && parking_.sleepers() == settings_.workers) {
    work();
  } else {
    parking_.wake_one();
  }
}

void Feed::kick() noexcept {
  commit_wanted_.raise();
  parking_.wake_one();
}

void Feed::want_mark() noexcept {
  mark_wanted_.raise();
  kick();
}

void Feed::want_barrier() noexcept {
  barrier_wanted_.raise();
  kick();
}

void Feed::pass_barrier() noexcept {
  barrier_passed_.raise();
  kick();
}

bool Feed::has_work() const noexcept {
  if (failed()) return false;
  return (ring_.has_unclaimed() && tasks_.has_free()) || commit_wanted_.raised() || (stage_ && stage_->wanted());
}

bool Feed::drained() const noexcept {
  return failed() || ((!stage_ || stage_->idle()) && ring_.drained() && commit_turn_.idle());
}

bool Feed::work() {
  if (failed()) return false;
  bool did = inflate();
  if (commit_wanted_.take()) {
    run_commit();
    did = true;
  }
  const auto ticket = claim();
  if (!ticket) return did;
  if (!decode(tasks_.task(*ticket))) return true;
  tasks_.done(*ticket);
  run_commit();
  return true;
}

// What throws is a failure of the environment; the stream's state is lost with it, so it is not tried again.
bool Feed::inflate() {
  if (!stage_ || !stage_->wanted()) return false;
  try {
    return stage_->run();
  } catch (const std::exception& problem) {
    fail(error(ExitCode::kInternal, fmt::format("feed {}: inflating failed: {}", settings_.name, problem.what())));
    return true;
  }
}

// Whoever finds the flag taken goes away; so the holder looks again after giving it back.
std::optional<ring::TaskRing<Task>::Ticket> Feed::claim() {
  if (!ring_.has_unclaimed() || !tasks_.has_free()) return std::nullopt;
  if (!claiming_.try_hold()) return std::nullopt;
  std::optional<ring::TaskRing<Task>::Ticket> ticket;
  if (tasks_.has_free()) {
    if (const ring::Claim claim = ring_.claim(settings_.pipeline.task_bytes); claim.size() != 0) {
      ticket = tasks_.next_ticket();
      tasks_.task(*ticket).begin(claim);
      tasks_.issue();
    }
  }
  claiming_.release();
  if (ring_.has_unclaimed() && tasks_.has_free()) parking_.wake_one();  // more than one worker's share
  return ticket;
}

// Bad data never throws; what throws is a failure of the environment (no memory). Decode is pure, so it is tried again.
bool Feed::decode(Task& task) {
  for (int attempt = 1;; ++attempt) {
    const Task::Mark mark = task.mark();
    try {
      if (settings_.before_decode) settings_.before_decode();
      decoder_.decode(task, ring_);
      return true;
    } catch (const std::exception& problem) {
      metrics_.add(FeedCounter::kDecodeRetries, 1);
      if (attempt == kDecodeTries) {
        fail(error(ExitCode::kInternal,
                   fmt::format("feed {}: decoding failed {} times: {}; is the machine out of memory?", settings_.name,
                               kDecodeTries, problem.what())));
        return false;
      }
      log_event(Event::kDecodingFailed, of_feed(settings_.name), "decoding failed: {}; trying again", problem.what());
    }
    task.go_back(mark);
    std::this_thread::sleep_for(milliseconds{10} * (1 << attempt));
  }
}

void Feed::run_commit() {
  if (!commit_turn_.enter()) return;
  std::uint32_t seen = 1;
  do {
    try {
      commit_ready();
    } catch (const std::exception& problem) {
      fail(error(ExitCode::kInternal, fmt::format("feed {}: committing failed: {}", settings_.name, problem.what())));
    }
  } while (!commit_turn_.leave(seen));
}

void Feed::commit_ready() {
  while (!failed()) {
    if (at_barrier()) return;
    Task* const task = tasks_.front();
    if (task == nullptr || !commit_task(*task)) return;
    const std::uint64_t end = task->claim.end;
    metrics_.add(FeedCounter::kTasks, 1);
    metrics_.add(FeedCounter::kPacketsReceived, task->packets);
    tasks_.retire();
    if (ring_.has_unclaimed()) parking_.wake_one();  // a task is free for somebody else, while we go on
    if (ring_.release(end)) {
      if (stage_) {
        stage_->request();
        parking_.wake_one();
      } else {
        events_.on_space();
      }
    }
  }
}

// Marks and barriers that were asked for lie between two packets. true: commit stands still.
bool Feed::at_barrier() {
  if (standing_ && !barrier_passed_.take()) return true;
  standing_ = false;
  if (!committer_->between_tasks()) return false;
  if (mark_wanted_.take()) events_.on_mark(committer_->report());
  const bool wanted = barrier_wanted_.take();
  if (!wanted && !committer_->transaction_full() && !committer_->aligned_for_good()) return false;
  stand_at({.kind = Barrier::Kind::kDrain, .left = {}, .report = committer_->report()});
  return true;
}

void Feed::stand_at(Barrier barrier) {
  standing_ = true;
  committer_->end_transaction();
  events_.on_barrier(std::move(barrier));
}

// false: no room, a barrier, or failed; the task stays at the front.
bool Feed::commit_task(Task& task) {
  while (!failed()) {
    if (stalled_) stalled_ = false;
    switch (
        committer_->commit(task, SteadyClock::now(), {.before = reserved_.load(), .dropped_before = dropped_.load()})) {
      case Committer::Progress::kFailed:
        fail(committer_->problem());
        return false;
      case Committer::Progress::kFull:
        stalled_ = true;
        if (lane_->ask_for_room()) continue;
        return false;
      case Committer::Progress::kBarrier:
        stand_at(committer_->take_barrier());
        return false;
      case Committer::Progress::kDone:
        break;
    }
    if (task.finished()) {
      committer_->finish(task);
      return true;
    }
    if (!decode(task)) return false;
  }
  return false;
}

void Feed::fail(const Error& problem) {
  if (failed_.exchange(true)) return;
  events_.on_failed(problem);
}

}  // namespace tickbridge::pipeline
