#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "app/feed_unit.h"
#include "base/log.h"

// at_most_once: what is handed over is given up before, by a checkpoint that runs ahead.

namespace tickbridge::app {

namespace asio = boost::asio;

namespace {

constexpr milliseconds kLookAgain{500};  // for a successor

}  // namespace

// The checkpoint runs ahead of what is handed over. While it is not acknowledged there is no room, so to say.
void FeedUnit::reserve(const pipeline::Barrier& barrier) {
  constexpr std::uint64_t kFarthest = 20'000;  // packets: what a crash may lose of what is received and not handed over
  const std::uint64_t in_flight = around_.config.producer.max_in_flight_messages;
  const std::uint64_t farthest = in_flight == 0 ? kFarthest : std::min(kFarthest, in_flight);
  wanted_ = barrier.wanted;
  if (reserving_) return dropping_ ? reserve_overdue() : void();
  reserving_ = true;
  const std::uint64_t upto = std::max(wanted_, std::min(reader_->next_sequence(), wanted_ + farthest));
  keeper_->reserve(upto, [this, upto, life = life_](const Result<void>& written) {
    if (life == life_) reserved(upto, written);
  });
  if (config_.sink.when_full == sink::WhenFull::kWait) return;
  overdue_.expires_after(around_.config.producer.max_block);
  overdue_.async_wait([this, life = life_](boost::system::error_code code) {
    if (!code && life == life_) reserve_overdue();
  });
}

// Who was silent for as long as others watch may have a successor, whose place a checkpoint of an older epoch does not
// take.
void FeedUnit::reserved(std::uint64_t upto, const Result<void>& written) {
  if (!written || keeper_->silence() < 2 * around_.config.checkpoint.interval) return reservation_counts(upto, written);
  run_job([this, upto, life = life_, epoch = epoch_, topic = lane_->topic()] {
    Recovery look{{.config = around_.config,
                   .feed = config_,
                   .forced_start = {},
                   .in_place = true,
                   .own_epoch = epoch,
                   .instance = around_.instance,
                   .deadline = SteadyClock::now() + around_.config.startup_timeout,
                   .on_step = {}},
                  topic};
    const Result<void> alone = look.check_owner();
    asio::post(around_.io, [this, upto, alone, life] {
      if (life != life_ || phase_ != Phase::kRunning) return;
      const bool known = alone || alone.error().code == ExitCode::kProtocol;
      known ? reservation_counts(upto, alone) : look_later(upto, alone.error());
    });
  });
}

// Kafka does not answer; commit stands.
void FeedUnit::look_later(std::uint64_t upto, const Error& problem) {
  log_event(Event::kOwnerUnseen, of_feed(config_.name),
            "whether it has another owner by now cannot be seen, looking again: {}", problem.message);
  look_.expires_after(kLookAgain);
  look_.async_wait([this, upto, life = life_](boost::system::error_code code) {
    if (!code && life == life_ && phase_ == Phase::kRunning) reserved(upto, {});
  });
}

void FeedUnit::reservation_counts(std::uint64_t upto, const Result<void>& written) {
  reserving_ = dropping_ = false;
  overdue_.cancel();
  if (!written) return fail(written.error());
  feed_->reserve(upto);
  if (std::exchange(wanted_, 0) != 0) feed_->pass_barrier();
}

void FeedUnit::reserve_overdue() {
  if (wanted_ == 0 || code_ != ExitCode::kOk) return;
  const auto limit = around_.config.producer.max_block.count();
  if (config_.sink.when_full == sink::WhenFull::kStop) {
    return fail(
        error(ExitCode::kUnacknowledged,
              fmt::format("feed {}: no checkpoint acknowledged for {} ms (max.block.ms) and when_full = \"stop\"; is a "
                          "live broker leading {}?",
                          config_.name, limit, around_.config.checkpoint.topic)));
  }
  if (!std::exchange(dropping_, true)) {
    log_event(Event::kMessagesDropped, of_feed(config_.name),
              "no checkpoint acknowledged for {} ms: messages are dropped (when_full = \"drop\")", limit);
  }
  feed_->drop_before(std::exchange(wanted_, 0));
  feed_->pass_barrier();
}

}  // namespace tickbridge::app
