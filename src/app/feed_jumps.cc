#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <unordered_set>
#include <utility>

#include "app/feed_unit.h"
#include "base/log.h"
#include "journal/jump.h"
#include "journal/record_hash.h"
#include "sink/log_reader.h"

// The offsets jumped: something is in the log that this life did not write.

namespace tickbridge::app {

namespace asio = boost::asio;
using metrics::FeedCounter;

namespace {

constexpr milliseconds kSaveWithin{2000};      // positions, before a feed leaves
constexpr milliseconds kLongestPause{60'000};  // between two tries to read back
constexpr milliseconds kReadWithin{5000};      // one try, where the feed goes on meanwhile

}  // namespace

void FeedUnit::on_jump(const sink::Jump& jump) {
  if (phase_ != Phase::kRunning && phase_ != Phase::kHalting) return;
  log_event(Event::kOffsetJump, of_feed(config_.name), "topic {} partition {}: offset {} was expected, Kafka says {}",
            config_.sink.topic, jump.partition, jump.expected, jump.found);
  if (code_ != ExitCode::kOk) return;  // the next start finds what is there
  if (jump.found < jump.expected) {
    return fail(error(ExitCode::kData,
                      fmt::format("feed {}: topic {} partition {} went back from offset {} to {}: it was "
                                  "re-created or cut short; if that was meant, start once with --start "
                                  "beginning",
                                  config_.name, config_.sink.topic, jump.partition, jump.expected, jump.found)));
  }
  jumps_.push_back(jump);
  unsure_ |= jump.unsure != 0;  // then the range holds records of ours too: alignment tells them from others'
  if (!exact()) {               // a jump that is handled later must not take this one's records for ours
    strangers_.add({jump.partition, jump.expected - jump.markers, jump.found - 1});
    return judge_jumps();
  }
  if (phase_ == Phase::kHalting) return;
  if (keeper_) {  // its positions stay before the jump: alignment sorts out what is there
    keeper_->freeze();
    if (jump.unsure == 0) keeper_->jumped(jump.partition, jump.expected);
  }
  halt();
  when_quiet([this] { judge_jumps(); });
}

// Reads the jumped ranges back: what equals a record of ours nearby is a double, all else foreign. Nothing behind this
// life's last record is its own, nor what was told as foreign before.
void FeedUnit::judge_jumps() {
  if (std::exchange(judging_, true)) return;
  if (lane_) note_written();
  if (!exact()) {  // the feed goes on, and other jumps may be on their way: what lies behind those is not known yet
    for (const sink::Jump& jump : jumps_) written_[static_cast<std::size_t>(jump.partition)] = jump.written;
  }
  judge({.jumps = std::exchange(jumps_, {}),
         .written = written_,
         .strangers = strangers_,
         .partitions = static_cast<std::int32_t>(recovered_->ends.size())});
}

void FeedUnit::judge(const Unjudged& what) {
  if (!exact()) ++unjudged_;
  run_job([this, what, life = life_] {
    const auto& [jumps, written, strangers_before, partitions, pause] = what;
    const milliseconds most = around_.config.startup_timeout;
    const SteadyTime deadline = SteadyClock::now() + (exact() ? most : std::min(most, kReadWithin));
    std::unordered_set<std::uint64_t> ours;
    std::vector<std::pair<journal::Stranger, std::uint64_t>> strange;
    Result<void> read;
    auto reader = sink::LogReader::open(around_.config.producer, config_.sink.topic);
    if (!reader) read = reader.error();
    auto offsets =
        reader ? (*reader)->offsets(partitions, deadline) : Result<std::vector<sink::Offsets>>{reader.error()};
    if (!offsets) read = offsets.error();
    std::vector<sink::Range> ranges;
    for (const sink::Jump& jump : jumps) {
      if (!read) break;
      const sink::Offsets& there = (*offsets)[static_cast<std::size_t>(jump.partition)];
      const sink::Range range{jump.partition, std::max(there.begin, jump.expected - journal::Strangers::kNearby),
                              there.end};
      const bool known =
          std::any_of(ranges.begin(), ranges.end(), [&](const auto& r) { return r.partition == jump.partition; });
      if (!known) ranges.push_back(range);
    }
    const auto take = [&](std::int32_t partition, std::int64_t offset, std::string_view key, Bytes value) {
      const std::uint64_t hash = journal::record_hash(key, value);
      const bool jumped = std::any_of(jumps.begin(), jumps.end(), [&](const sink::Jump& jump) {
        return jump.partition == partition && offset >= jump.expected - jump.markers && offset < jump.found;
      });
      if (jumped) {
        strange.push_back({{journal::Stranger::Kind::kForeign, partition, offset}, hash});
      } else if (offset <= written[static_cast<std::size_t>(partition)] &&
                 !strangers_before.contains(partition, offset)) {
        ours.insert(hash);
      }
    };
    if (read) read = (*reader)->read(ranges, take, deadline);
    std::vector<journal::Stranger> strangers;
    for (auto& [stranger, hash] : strange) {
      if (ours.contains(hash)) stranger.kind = journal::Stranger::Kind::kDouble;
      strangers.push_back(stranger);
    }
    asio::post(around_.io, [this, life, read, strangers, what] {
      if (exact() && life != life_) return;  // alignment finds what is there
      if (!exact()) --unjudged_;
      if (!exact() && !read) return judge_again(what, read.error());
      if (life == life_) judging_ = false;
      if (!read) return judged(read.error());
      const std::vector<journal::Stranger> told = exact() ? certain(strangers) : all_but_ours(strangers, what.jumps);
      tell(told);
      if (life == life_) judged(told.size());
    });
  });
}

// The feed goes on, and the next start looks behind its newest checkpoint only: what lies there is told by this process
// or never.
void FeedUnit::judge_again(const Unjudged& what, const Error& problem) {
  const bool over = stopping_ || phase_ == Phase::kStopped;
  log_event(Event::kJumpUnread, of_feed(config_.name),
            "whose records lie where the offsets jumped cannot be read{}: {}", over ? "" : ", trying again",
            problem.message);
  if (over) return;
  ++unjudged_;
  auto later = std::make_shared<asio::steady_timer>(around_.io, what.pause);
  Unjudged again = what;
  again.pause = std::min(2 * what.pause, kLongestPause);
  later->async_wait([this, again = std::move(again), later](boost::system::error_code code) {
    --unjudged_;
    if (!code && phase_ != Phase::kStopped) judge(again);
  });
}

// What is foreign for certain. In a partition where something is there twice, a late request of a dead process lies, or
// one that the library has sent twice: its other records may be ours, not written yet by this life. Alignment knows
// them; and it names of two equal records the second one in the log. What it may not know is that the first lies before
// the checkpoint.
std::vector<journal::Stranger> FeedUnit::certain(std::vector<journal::Stranger> strangers) {
  std::set<std::int32_t> twice;
  for (const journal::Stranger& stranger : strangers) {
    if (stranger.kind != journal::Stranger::Kind::kDouble) continue;
    twice.insert(stranger.partition);
    doubles_.emplace(stranger.partition, stranger.offset);
  }
  std::erase_if(strangers,
                [&](const journal::Stranger& stranger) { return unsure_ || twice.contains(stranger.partition); });
  return strangers;
}

// Where Kafka did not say which records of a jumped range are ours, and nothing is aligned, it is told how many are
// not.
std::vector<journal::Stranger> FeedUnit::all_but_ours(std::vector<journal::Stranger> strangers,
                                                      const std::vector<sink::Jump>& jumps) {
  for (const sink::Jump& jump : jumps) {
    const std::int64_t begin = jump.expected - jump.markers;
    const std::uint64_t foreign =
        set_apart(strangers, {.partition = jump.partition, .begin = begin, .end = jump.found, .own = jump.unsure});
    if (foreign == 0) continue;
    log_event(Event::kForeignRecords, of_feed(config_.name),
              "topic {} partition {} offsets {} to {}: {} foreign record(s) among {} of ours; passed over",
              config_.sink.topic, jump.partition, begin, jump.found - 1, foreign, jump.unsure);
    metrics_.add(FeedCounter::kForeignWrites, foreign);
  }
  return strangers;
}

void FeedUnit::judged(const Result<std::size_t>& foreign) {
  if (!exact()) {
    if (!jumps_.empty()) judge_jumps();
    return;
  }
  if (!foreign) {
    log_event(Event::kRecoveryInPlace, of_feed(config_.name),
              "the jump could not be read back ({}); recovering in place", foreign.error().message);
  } else if (*foreign != 0 && !unsure_) {
    return leave_to_strangers(*foreign);
  }
  recover_again();
}

// What lies before the jumps, and in partitions without any, is saved: the next start has less to compare.
void FeedUnit::leave_to_strangers(std::size_t foreign) {
  const Error problem =
      error(ExitCode::kProtocol, fmt::format("feed {}: somebody else writes into topic {}: {} foreign record(s), "
                                             "offsets above; end that and start again: nothing is lost",
                                             config_.name, config_.sink.topic, foreign));
  if (!keeper_ || crossing_ || code_ != ExitCode::kOk) return fail(problem);  // two sessions' positions are not mixed
  const auto leave = [this, problem, life = life_] {
    if (life != life_ || code_ != ExitCode::kOk) return;
    keeper_->freeze();
    wait_.cancel();
    fail(problem);
  };
  keeper_->thaw();
  keeper_->write({}, journal::Follows::kMore, [leave](const Result<void>&) { leave(); });
  wait_.expires_after(kSaveWithin);
  wait_.async_wait([leave](boost::system::error_code code) {
    if (!code) leave();
  });
}

}  // namespace tickbridge::app
