#include "app/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <thread>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "journal/record_hash.h"
#include "pipeline/start_facts.h"
#include "sink/fence.h"
#include "sink/log_reader.h"

namespace tickbridge::app {

using journal::Step;
using sink::Delivery;

namespace {

constexpr std::size_t kEnoughCheckpoints = 8;
constexpr milliseconds kLook{20};
constexpr milliseconds kLongWatch{5000};  // a checkpoint.interval whose watch is told in seconds
constexpr std::string_view kCommitted = "read_committed";
constexpr std::string_view kUncommitted = "read_uncommitted";

std::uint64_t epoch_of(std::string_view key) {
  std::uint64_t epoch = 0;
  const std::string_view digits = key.substr(key.rfind('/') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), epoch);
  return epoch;
}

}  // namespace

journal::Parameters parameters_of(const config::Feed& feed, const sink::TopicInfo& topic) {
  return pipeline::parameters_in_force(config::shaping(feed), topic, feed.codec.protocol);
}

Result<Recovered> Recovery::run() {
  const bool exact = settings_.feed.sink.delivery == Delivery::kExactlyOnce;
  Step step = Step::kReadCheckpoints;
  while (step != Step::kLogIn) {
    settings_.on_step(step);
    Result<void> done;
    switch (step) {
      case Step::kReadCheckpoints:
        done = read_checkpoints(settings_.transactional ? kCommitted : kUncommitted);
        if (done) done = end_transaction();
        if (done) done = judge();
        break;
      case Step::kWatchOwner:
        done = watch_owner();
        watched_ = true;
        if (done && saw_newer_) done = read_checkpoints(settings_.transactional ? kCommitted : kUncommitted);
        if (done && saw_newer_) done = judge();
        break;
      case Step::kFence:
        done = fence();
        break;
      case Step::kReadEnds:
        done = read_ends();
        break;
      case Step::kReadSuffix:
        done = read_suffix();
        break;
      default:
        break;
    }
    if (!done) return done.error();
    if (found_.checkpoint && (settings_.in_place || watched_)) journal::settle(*found_.checkpoint);
    step = journal::next_step(step, {.has_checkpoint = found_.checkpoint.has_value(),
                                     .clean = found_.checkpoint && found_.checkpoint->clean,
                                     .rebuild_in_place = settings_.in_place || watched_,
                                     .exact = exact});
  }
  if (found_.ends.empty()) {
    if (auto read = read_ends(); !read) return read.error();
  }
  if (!found_.checkpoint) warn_of_what_is_there();
  if (auto there = check_ends(); !there) return there.error();
  if (auto read = read_strangers(); !read) return read.error();
  if (auto read = read_state(); !read) return read.error();
  return std::move(found_);
}

Result<std::vector<sink::Entry>> Recovery::read_entries(std::string_view isolation) {
  auto log = sink::CompactedLog::open(settings_.config.producer, settings_.config.topics,
                                      settings_.config.checkpoint.topic, isolation, settings_.deadline);
  if (!log) return log.error();
  found_.checkpoints = std::move(*log);
  const auto enough = [](const std::vector<sink::Entry>& entries) {
    return std::count_if(entries.begin(), entries.end(), [](const auto& entry) { return entry.value.has_value(); }) >=
           static_cast<std::ptrdiff_t>(kEnoughCheckpoints);
  };
  return found_.checkpoints->read_back(prefix(), enough, settings_.deadline);
}

Result<void> Recovery::check_owner() {
  auto entries = read_entries("read_uncommitted");
  if (!entries) return entries.error();
  for (const sink::Entry& entry : *entries) {
    last_note_ = std::max(last_note_, entry.offset);
    if (!settings_.in_place || epoch_of(entry.key) <= settings_.own_epoch) continue;
    const auto checkpoint =
        entry.value ? journal::parse_checkpoint(*entry.value) : Result<journal::Checkpoint>{error(ExitCode::kData, "")};
    if (checkpoint && checkpoint->instance == settings_.instance) continue;  // a start that got no further
    return error(ExitCode::kProtocol, fmt::format("feed {}: another daemon has taken it over (epoch {}, ours was {})",
                                                  settings_.feed.name, epoch_of(entry.key), settings_.own_epoch));
  }
  return {};
}

Result<void> Recovery::watch_first() {
  auto entries = read_entries("read_uncommitted");
  if (!entries) return entries.error();
  auto parsed = parse(*entries);
  if (!parsed) return parsed.error();
  watched_ = true;
  const journal::Checkpoint* const newest = journal::newest(*parsed);
  if (newest == nullptr || newest->clean) return {};
  found_.checkpoint = *newest;
  auto alone = watch_owner();
  found_.checkpoint.reset();
  return alone;
}

// What comes from here on is read whoever has a transaction open: start checkpoints are in none.
Result<void> Recovery::read_checkpoints(std::string_view isolation) {
  if (auto ours = check_owner(); !ours) return ours;
  std::unique_ptr<sink::CompactedLog> all_of_it = std::move(found_.checkpoints);
  if (isolation == kCommitted) {
    if (auto all = await_committed(); !all) return all;
  }
  auto entries = read_entries(isolation);
  if (!entries) return entries.error();
  if (isolation == kCommitted) found_.checkpoints = std::move(all_of_it);
  auto parsed = parse(*entries);
  if (!parsed) return parsed.error();
  for (const sink::Entry& entry : *entries) {
    const std::uint64_t epoch = epoch_of(entry.key);
    found_.highest_epoch = std::max(found_.highest_epoch, epoch);
    auto& older = found_.older_epochs;
    std::erase(older, epoch);
    if (entry.value) older.push_back(epoch);
  }
  const journal::Checkpoint* const newest = journal::newest(*parsed);
  found_.checkpoint = newest == nullptr ? std::nullopt : std::optional{*newest};
  return recall();
}

// Somebody has deleted the topic, and nothing was written since. What the process knows itself still counts.
Result<void> Recovery::recall() {
  if (!settings_.in_place || (found_.checkpoint && found_.checkpoint->epoch >= settings_.own_epoch)) return {};
  const std::string lost = fmt::format("feed {}: the checkpoint of epoch {} is not in topic {} any more",
                                       settings_.feed.name, settings_.own_epoch, settings_.config.checkpoint.topic);
  if (!settings_.known) {
    return error(ExitCode::kData,
                 lost +
                     ", and whether the last transaction was committed cannot be known; start once with "
                     "--start and the sequence at which to go on");
  }
  log_event(Event::kCheckpointLost, of_feed(settings_.feed.name),
            "{}; what this process knows itself counts: session {} sequence {}", lost, settings_.known->session,
            settings_.known->next_sequence);
  found_.highest_epoch = std::max(found_.highest_epoch, settings_.known->epoch);
  found_.checkpoint = settings_.known;
  return {};
}

// The newest checkpoint of a transactional owner may be in a transaction that was never committed, and so may be the
// records that it speaks of. Once that is ended, what is committed counts. (A transactional feed's own client has done
// so.)
Result<void> Recovery::end_transaction() {
  if (settings_.transactional || !found_.checkpoint || !journal::delivered(*found_.checkpoint, "transactional"))
    return {};
  if (!settings_.in_place && !found_.checkpoint->clean) {
    settings_.on_step(Step::kWatchOwner);
    watched_ = true;
    if (auto alone = watch_owner(); !alone) return alone;
  }
  auto ended = sink::end_transaction(settings_.config.producer, transactional_id(), settings_.feed.sink.topic,
                                     settings_.deadline);
  if (!ended) return error(ended.error().code, fmt::format("feed {}: {}", settings_.feed.name, ended.error().message));
  return read_checkpoints(kCommitted);
}

// Readers of committed records see the topic up to the first open transaction only, and feeds share it: one that
// another feed has left open would hide our newest checkpoint. That feed's start ends it, or Kafka after
// transaction.timeout.ms.
Result<void> Recovery::await_committed() {
  auto reader = sink::LogReader::open(settings_.config.producer, settings_.config.checkpoint.topic, kCommitted);
  if (!reader) return reader.error();
  for (bool told = false;; std::this_thread::sleep_for(kLook)) {
    auto offsets = (*reader)->offsets(1, settings_.deadline);
    if (!offsets) return offsets.error();
    if (offsets->front().end > last_note_) return {};
    const std::string where = fmt::format(
        "feed {}: a transaction is open in topic {} from offset {} on, before this feed's newest "
        "checkpoint",
        settings_.feed.name, settings_.config.checkpoint.topic, offsets->front().end);
    if (SteadyClock::now() >= settings_.deadline) return error(ExitCode::kUnavailable, where);
    if (!std::exchange(told, true))
      log_event(Event::kOwnerWatched, of_feed(settings_.feed.name), "{}; waiting until it is ended", where);
  }
}

std::string Recovery::transactional_id() const {
  return fmt::format("{}-{}", settings_.config.producer.transactional_id_prefix, settings_.feed.name);
}

Result<std::vector<journal::Checkpoint>> Recovery::parse(const std::vector<sink::Entry>& entries) const {
  return pipeline::parse_checkpoints(settings_.feed.name, settings_.config.checkpoint.topic, entries);
}

Result<void> Recovery::judge() {
  if (!found_.checkpoint) return {};
  if (found_.checkpoint->topic != settings_.feed.sink.topic) {  // another log, which begins as the feed's start says
    found_.given_up = true;
    found_.why_given_up =
        fmt::format("topic: {} -> {}, a new log", found_.checkpoint->topic, settings_.feed.sink.topic);
    log_event(Event::kNewLog, of_feed(settings_.feed.name),
              "the last checkpoint is about topic {}; {} is another log and begins where start = \"{}\" says",
              found_.checkpoint->topic, settings_.feed.sink.topic, settings_.feed.net.start);
    return {};
  }
  if (settings_.forced_start) {
    found_.given_up = true;
    found_.why_given_up = fmt::format("--start {} gave up what was not aligned", *settings_.forced_start);
    log_event(Event::kStartForced, of_feed(settings_.feed.name),
              "--start {} over the checkpoint at session {} sequence {}: what was not aligned is given up, and "
              "messages that the log holds already are written again",
              *settings_.forced_start, found_.checkpoint->session, found_.checkpoint->next_sequence);
    return {};
  }
  found_.parameters =
      journal::judge_parameters(*found_.checkpoint, parameters_of(settings_.feed, topic_), settings_.accept_change);
  using Way = journal::ParameterFinding::Way;
  for (const std::string& change : found_.parameters.changes) {
    log_event(Event::kRecovery, of_feed(settings_.feed.name), "since the last checkpoint: {}", change);
  }
  if (found_.parameters.way == Way::kRefused) {
    return error(ExitCode::kConfig, fmt::format("feed {}: {}", settings_.feed.name, found_.parameters.problem));
  }
  found_.replays_old = found_.parameters.way == Way::kOldFirst;
  return {};
}

// The watch takes its own time: startup_timeout is for what may never come.
Result<void> Recovery::watch_owner() {
  const SteadyTime since = SteadyClock::now();
  auto alone = watch_checkpoints();
  const auto took = SteadyClock::now() - since;
  settings_.deadline += took;
  watched_for_ += took;
  return alone;
}

Result<void> Recovery::watch_checkpoints() {
  journal::Liveness owner{*found_.checkpoint};
  const milliseconds interval = journal::watched_interval(*found_.checkpoint, settings_.config.checkpoint.interval);
  if (interval >= kLongWatch) {
    log_event(Event::kOwnerWatched, of_feed(settings_.feed.name),
              "its owner may live: watching for its next checkpoint, {} s (twice checkpoint.interval)",
              2 * interval.count() / 1000);
  }
  SteadyTime until = SteadyClock::now() + 2 * interval + milliseconds{100};
  while (SteadyClock::now() < until) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - SteadyClock::now());
    auto entries = found_.checkpoints->read_on(prefix(), std::max(left, milliseconds{1}));
    if (!entries) return entries.error();
    auto fresh = parse(*entries);
    if (!fresh) return fresh.error();
    for (const journal::Checkpoint& checkpoint : *fresh) {
      owner.saw(checkpoint);
      // One advance may be a dead process's last word; is there another? (A busy machine is slow to show it.)
      until = std::max(until, SteadyClock::now() + 2 * interval + milliseconds{300});
      const journal::Checkpoint& newest = *found_.checkpoint;  // a process of an older epoch may wake up and write
      if (std::tie(checkpoint.epoch, checkpoint.number) > std::tie(newest.epoch, newest.number)) {
        found_.checkpoint = checkpoint;
        saw_newer_ = true;
      }
      found_.highest_epoch = std::max(found_.highest_epoch, checkpoint.epoch);
    }
    if (owner.alive()) {
      return error(
          ExitCode::kProtocol,
          fmt::format("feed {}: its owner lives (instance {}, epoch {}): two daemons must not write one feed; stop "
                      "the other one, or give this feed another name and topic",
                      settings_.feed.name, found_.checkpoint->instance, found_.checkpoint->epoch));
    }
    if (found_.checkpoint->clean) return {};  // it was just leaving
  }
  return {};
}

}  // namespace tickbridge::app
