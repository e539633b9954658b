#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "pipeline/fake_lane.h"
#include "pipeline/feed.h"
#include "pipeline/wire.h"
#include "pipeline/workers.h"

namespace tickbridge::tests {

using metrics::FeedCounter;
using pipeline::Committer;
using pipeline::Feed;
using pipeline::TradingDay;
using pipeline::Workers;

/// A feed with its workers and a lane, fed by hand as a reader would.
class Rig {
 public:
  Rig(Feed::Settings settings, FakeLane& lane, std::size_t workers, Committer::Settings commit = {})
      : metrics_{"test"}, lane_{lane} {
    settings.name = commit.feed = "test";
    settings.workers = workers;
    codec_ = settings.codec;
    auto made = Feed::create(std::move(settings), parking_, metrics_,
                             {.on_space = [this] { space_.fetch_add(1), space_.notify_all(); },
                              .on_scan = [](std::uint64_t, const net::Scan&) {},
                              .on_failed = [this](const Error& e) { problem_ = e, failed_ = true; }});
    feed_ = std::move(made.value());
    feed_->attach(std::move(commit), TradingDay::create("2020-01-30", "America/New_York").value(), {}, lane);
    scanner_.emplace(codec_);
    feed_->begin_connection(1);
    std::vector<Feed*> feeds{feed_.get()};
    workers_.emplace(workers, feeds, parking_);
    kicker_ = std::jthread{[this](const std::stop_token& stop) {  // stands for the delivery thread
      while (!stop.stop_requested()) {
        if (lane_.asked.exchange(0) != 0) feed_->kick();
        std::this_thread::yield();
      }
    }};
  }

  void write(std::string_view bytes) {
    while (!bytes.empty() && !failed_) {
      const std::uint32_t seen = space_.load();
      const MutableBytes room = feed_->ring().writable();
      if (room.empty()) {
        if (!feed_->ring().wait_for_space(1)) space_.wait(seen);
        continue;
      }
      const std::size_t n = std::min(room.size(), bytes.size());
      std::copy_n(as_bytes(bytes).begin(), n, room.begin());
      feed_->ring().wrote(n);
      bytes.remove_prefix(n);
      publish(n);
    }
  }
  void publish(std::size_t n) {
    if (feed_->scans()) {
      feed_->ring().publish(n, 7);
    } else {
      net::Scan scan;
      do {
        scan = scanner_->scan(feed_->ring().unpublished());
        feed_->ring().publish(scan.whole, 7);
      } while (scan.stop != net::Scan::Stop::kMore && scan.stop != net::Scan::Stop::kBroken);
    }
    feed_->announce();
  }
  void await() {
    while (!feed_->drained()) std::this_thread::yield();
  }
  std::uint64_t count(FeedCounter counter) const { return metrics_.value(counter); }
  Feed& feed() { return *feed_; }
  bool failed() const { return failed_; }
  const Error& problem() const { return problem_; }

 private:
  codec::Options codec_;
  ring::Parking parking_;
  metrics::FeedMetrics metrics_;
  FakeLane& lane_;
  std::atomic<std::uint32_t> space_{0};
  std::atomic<bool> failed_{false};
  Error problem_;
  std::unique_ptr<Feed> feed_;
  std::optional<net::PacketScanner> scanner_;
  std::optional<Workers> workers_;
  std::jthread kicker_;
};

inline Feed::Settings small(codec::Options codec) {
  Feed::Settings settings;
  settings.codec = codec;
  settings.pipeline.ring_bytes = 1 << 17U;
  settings.pipeline.task_bytes = 4096;  // many tasks, and several pieces in some
  return settings;
}

// Publishes bytes as they are, in one go: the rig's scanner knows one connection.
inline void publish_as_is(Rig& rig, const std::string& bytes) {
  std::copy_n(as_bytes(bytes).begin(), bytes.size(), rig.feed().ring().writable().begin());
  rig.feed().ring().wrote(bytes.size());
  rig.feed().ring().publish(bytes.size(), 8);
  rig.feed().announce();
}

}  // namespace tickbridge::tests
