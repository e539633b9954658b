#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/keeper.h"
#include "app/producers.h"
#include "app/recovery.h"
#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "metrics/registry.h"
#include "net/feed_reader.h"
#include "ops/pages.h"
#include "pipeline/feed.h"
#include "ring/parking.h"
#include "sink/compacted_log.h"

namespace tickbridge::app {

/// What a feed needs of the daemon, and tells it. Main thread.
struct Surroundings {
  boost::asio::io_context& io;
  std::shared_ptr<const config::Config> snapshot;  ///< holds `config`
  const config::Config& config;
  std::optional<std::string> forced_start;  ///< --start
  bool exit_at_end = false;
  bool accept_change = false;
  bool patient = false;  ///< began while the daemon ran: waits for Kafka and the exchange for as long as it takes
  Producers& producers;
  ring::Parking& parking;
  std::size_t workers = 1;
  std::string instance;   ///< this process, in checkpoints
  SteadyTime started_at;  ///< startup_timeout counts from here
  // opened before the first feed starts
  std::unique_ptr<sink::CompactedLog>* checkpoints = nullptr;
  std::unique_ptr<sink::CompactedLog>* states = nullptr;
  std::function<void()> on_changed;               ///< a feed has started, ended, stopped or failed: look at all of them
  std::function<void(pipeline::Feed*)> add_work;  ///< workers work for it from now on
  std::function<void(pipeline::Feed*)> remove_work;  ///< no worker is in it when this returns
};

/// Whether the feed keeps a journal: all but frames, which have no replay.
[[nodiscard]] inline bool journaled_feed(const config::Feed& feed) noexcept {
  return feed.codec.transport != codec::Transport::kFrames;
}

/// One feed with all that belongs to it, through its lives: recover, log in, own, align, run; and again in place after
/// a failure of the producer or when its log was written to by others. Main thread only, unless said.
class FeedUnit {
 public:
  FeedUnit(Surroundings surroundings, config::Feed config, metrics::FeedMetrics& metrics);
  ~FeedUnit();
  FeedUnit(const FeedUnit&) = delete;
  FeedUnit& operator=(const FeedUnit&) = delete;

  /// Whether the files that a feed is told of can be used: password and certificates. Errors: kConfig.
  [[nodiscard]] static Result<void> check_files(const config::Config& config, const config::Feed& feed);
  /// Begins the first life.
  void start();
  /// Stops reading; what was read is handed over, acknowledged, and a clean checkpoint written; then finished().
  void stop();
  /// After finished(): frees ring, lane and producer.
  void release();
  /// After release(): nobody comes back to it.
  [[nodiscard]] bool gone() const;
  /// The producer that this feed may use has died: recovers in place, if it was this feed's.
  void producer_failed(const sink::Producer* producer, const Error& problem);
  /// Somebody has written a checkpoint of this epoch.
  void saw_epoch(std::uint64_t epoch, const std::string& instance);
  /// The topic has this many partitions: more are taken over at a barrier, in a life of their own.
  void saw_partitions(std::int32_t partitions);
  /// The checkpoint topic was deleted, and is empty: the next checkpoint does not wait for its time.
  void lost_checkpoints() noexcept { next_checkpoint_ = {}; }
  /// The feed fails for good.
  void fail(const Error& problem);

  /// Its session has ended and --exit-at-end is given, or it has failed.
  [[nodiscard]] bool over() const noexcept;
  /// After stop(): nothing is left to be done.
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  [[nodiscard]] bool recovering() const noexcept { return phase_ == Phase::kRecovering; }
  /// A thread of its own waits for Kafka.
  [[nodiscard]] bool busy() const noexcept { return jobs_ != 0; }
  [[nodiscard]] ExitCode code() const noexcept { return code_; }
  [[nodiscard]] std::int64_t in_flight() const noexcept { return lane_ ? lane_->in_flight() : 0; }
  [[nodiscard]] const config::Feed& config() const noexcept { return config_; }
  [[nodiscard]] metrics::FeedMetrics& metrics() const noexcept { return metrics_; }
  [[nodiscard]] bool journaled() const noexcept { return journaled_feed(config_); }

  /// Writes the gauges of its pipeline. Any thread.
  void sample();
  /// Where its records go. Any thread.
  [[nodiscard]] ops::Placement placement();

 private:
  enum class Phase : std::uint8_t { kIdle, kRecovering, kRunning, kHalting, kStopped };
  /// What the recovery thread brings.
  struct Opened {
    std::shared_ptr<sink::Producer> producer;
    std::unique_ptr<sink::Lane> lane;
    std::optional<Recovered> recovered;  // none: frames
    config::Feed replayed;               // the configuration to replay under
    std::unique_ptr<pipeline::Feed> feed;
    SteadyClock::duration watched_for{};  // for an owner: comes on top of startup_timeout
  };

  // recover: a thread of its own, until opened()
  void recover();
  void recover_again();
  [[nodiscard]] bool done() const;
  [[nodiscard]] Result<std::shared_ptr<Opened>> open(bool in_place);
  [[nodiscard]] Result<void> make_feed(Opened& opened, std::uint64_t life);
  [[nodiscard]] pipeline::FeedEvents feed_events(std::uint64_t life);
  [[nodiscard]] Result<void> check_topic(const sink::TopicInfo& topic) const;
  void opened(const Result<std::shared_ptr<Opened>>& result);

  // run: main thread
  [[nodiscard]] Result<void> build(Opened& opened);
  [[nodiscard]] pipeline::Resume resume(const pipeline::TradingDay& day) const;
  void on_mark(pipeline::MarkReport report);
  void on_barrier(pipeline::Barrier barrier);
  void when_settled(std::function<void()> then);
  void own(const pipeline::Barrier& barrier);
  void read_back();
  /// Among those who took the feed: not the first; the first; that, but the owner before has gone on since.
  enum class Place : std::uint8_t { kSecond, kFirst, kBehind };
  void owned(const Result<void>& read, Place place);
  void begin_behind();
  void cross(const pipeline::Barrier& barrier);
  void reserve(const pipeline::Barrier& barrier);
  void reserved(std::uint64_t upto, const Result<void>& written);
  void look_later(std::uint64_t upto, const Error& problem);
  void reservation_counts(std::uint64_t upto, const Result<void>& written);
  void reserve_overdue();
  void commit_transaction();
  void commit(std::string decision);
  void committed(const Result<void>& done);
  [[nodiscard]] milliseconds stands() const;
  void drained(const pipeline::Barrier& barrier);
  void change_over();
  void look_again();
  void begin_again();
  [[nodiscard]] journal::Follows follows() const;
  void changed_over();
  void stopped_at_change();
  void tick();
  [[nodiscard]] bool quiet();
  void foretell(const std::vector<journal::Stranger>& strangers) const;
  void tell(std::vector<journal::Stranger> strangers);
  void recall_strangers();
  void disown(const std::vector<journal::PartitionState>& from, bool alone = true);
  void forget_told(const journal::Checkpoint& checkpoint);

  // jumps in the offsets
  void on_jump(const sink::Jump& jump);
  /// Jumps, and what this process knew of the log when it saw them.
  struct Unjudged {
    std::vector<sink::Jump> jumps;
    std::vector<std::int64_t> written;  // as written_
    journal::Strangers strangers;
    std::int32_t partitions = 0;
    milliseconds pause{1000};  // until it is tried again
  };
  void judge_jumps();
  void judge(const Unjudged& what);
  void judge_again(const Unjudged& what, const Error& problem);
  [[nodiscard]] std::vector<journal::Stranger> certain(std::vector<journal::Stranger> strangers);
  [[nodiscard]] std::vector<journal::Stranger> all_but_ours(std::vector<journal::Stranger> strangers,
                                                            const std::vector<sink::Jump>& jumps);
  void judged(const Result<std::size_t>& foreign);
  void leave_to_strangers(std::size_t foreign);

  // stop
  void halt();
  void when_quiet(std::function<void()> then);
  void take_down();
  void note_written();
  void await_end();
  void end_journal();
  void last_written();
  void conclude();

  [[nodiscard]] journal::Checkpoint start_checkpoint(const pipeline::Barrier& barrier) const;
  /// Waits for Kafka and the exchange for as long as it takes: one that has run, or began while others did.
  [[nodiscard]] bool patient() const noexcept { return life_ > 1 || around_.patient; }
  [[nodiscard]] bool exact() const noexcept { return config_.sink.delivery == sink::Delivery::kExactlyOnce; }
  [[nodiscard]] bool transactional() const noexcept { return config_.sink.delivery == sink::Delivery::kTransactional; }
  /// Runs on a thread, after the job before.
  template <class Job>
  void run_job(Job job) {
    ++jobs_;
    job_ = std::jthread{[this, before = std::move(job_), job = std::move(job)]() mutable {
      if (before.joinable()) before.join();
      job();
      --jobs_;
    }};
  }

  Surroundings around_;
  const config::Feed config_;
  metrics::FeedMetrics& metrics_;

  Phase phase_ = Phase::kIdle;
  bool stopping_ = false;
  bool over_ = false;
  bool finished_ = false;
  ExitCode code_ = ExitCode::kOk;
  int recoveries_ = 0;  // in a row, without a record acknowledged
  SteadyTime recovering_since_{};
  SteadyTime owned_at_{};  // when this life became the owner

  // one life
  std::uint64_t life_ = 0;                    // what was posted for an older one is not meant any more
  std::uint64_t epoch_ = 0;                   // that this process owns; 0: none, so that somebody else may live
  std::optional<journal::Checkpoint> known_;  // of that epoch, when its life was taken down; transactional: none
  bool owned_once_ = false;                   // then --start has had its effect
  std::shared_ptr<sink::Producer> producer_;
  std::unique_ptr<sink::Lane> lane_;
  std::optional<Recovered> recovered_;
  config::Feed replayed_;
  std::shared_ptr<Keeper> keeper_;  // shared with the writes that it waits for
  std::unique_ptr<pipeline::Feed> feed_;
  std::unique_ptr<net::FeedReader> reader_;
  std::vector<std::unique_ptr<net::FeedReader>> retired_;  // stopped; their last handlers may still come
  std::vector<sink::Jump> jumps_;
  std::vector<std::int64_t> written_;  // by partition: the offset of this life's last acknowledged record; -1: none
  std::atomic<bool> jumped_{false};    // set by the delivery thread
  std::set<std::pair<std::int32_t, std::int64_t>>
      doubles_;  // partition, offset: records in jumped ranges that are there twice
  std::set<std::pair<std::int32_t, std::int64_t>> told_;  // partition, offset: strangers told by this process
  journal::Strangers strangers_;                          // what is not known as ours, by processes before too
  bool unsure_ = false;                                   // of the jumped ranges some records are our own
  bool judging_ = false;
  int unjudged_ = 0;                       // jumps that are yet to be told, of this life or an older one; not exact()
  std::vector<journal::Stranger> untold_;  // found by a start that could not read its checkpoint back
  int lost_races_ = 0;                     // start checkpoints that were not the first of their epoch
  bool crossing_ = false;                  // into another session: marks are of both, so nothing is written
  std::uint64_t acknowledged_before_ = 0;  // this life
  bool owning_ = false;                    // the start checkpoint is on its way
  bool committing_ = false;                // a transaction
  SteadyTime standing_since_{};            // when commit came to the last barrier
  // at_most_once: the checkpoint that runs ahead
  bool reserving_ = false;          // on its way
  bool dropping_ = false;           // for longer than max.block.ms, and when_full = "drop"
  std::uint64_t wanted_ = 0;        // commit stands still until packets before this are reserved; 0: it does not
  bool ending_ = false;             // the clean checkpoint is on its way
  bool change_due_ = false;         // old parameters until aligned, then a barrier
  std::uint64_t committed_at_ = 0;  // records handed over at the last transaction
  std::uint64_t marks_ = 0;         // reports seen
  std::optional<std::uint64_t> drained_at_;  // marks_ when all that was read had been handed over
  std::optional<std::uint64_t> marked_;      // the ring up to here was drained when a mark was asked for last
  SteadyTime next_checkpoint_{};

  boost::asio::steady_timer timer_;
  boost::asio::steady_timer wait_;     // at a barrier, or until a halted life is quiet
  boost::asio::steady_timer overdue_;  // for the checkpoint that runs ahead
  boost::asio::steady_timer look_;     // for a successor
  boost::asio::steady_timer end_;      // until a stopped feed has nothing left to do
  std::atomic<int> jobs_{0};
  std::jthread job_;     // recovery and other work that blocks; one at a time
  std::mutex sampling_;  // guards feed_ and lane_ against sample() and placement()
};

}  // namespace tickbridge::app
