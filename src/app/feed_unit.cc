#include "app/feed_unit.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "config/secrets.h"
#include "pipeline/start_facts.h"
#include "pipeline/trading_day.h"

namespace tickbridge::app {

namespace asio = boost::asio;
using metrics::FeedCounter;
using metrics::FeedGauge;
using metrics::FeedState;
using sink::Delivery;

using sink::transaction_timeout;

namespace {

constexpr milliseconds kMarkInterval{100};   // the longest between two marks
constexpr milliseconds kQuietInterval{250};  // and between two looks whether there is anything to mark
constexpr milliseconds kRetryAfter{500};
constexpr milliseconds kSound{60'000};  // a life of that age has not failed in a row with the one before

/// What the first login asks for where there is no checkpoint: 0 is the newest, 1 the beginning.
std::uint64_t first_sequence(const config::Feed& feed) {
  if (!journaled_feed(feed)) return 1;
  if (feed.net.start == "now") return 0;
  std::uint64_t sequence = 1;
  std::from_chars(feed.net.start.data(), feed.net.start.data() + feed.net.start.size(), sequence);
  return sequence;
}

/// In each life again: the file may have changed.
Result<std::string> read_password(const config::Config& config, const config::Feed& feed) {
  if (feed.net.password_file.empty()) return std::string{};
  const std::string option = fmt::format("feed.{}.password_file", feed.name);
  return config::read_password(config::secret_file(config, option, feed.net.password_file));
}

Result<net::Credentials> read_credentials(const config::Config& config, const config::Feed& feed) {
  net::Credentials credentials;
  auto password = read_password(config, feed);
  if (!password) return password.error();
  credentials.password = std::move(*password);
  if (!feed.net.tls.on) return credentials;
  auto tls = net::TlsClient::create(feed.name, feed.net.tls);
  if (!tls) return tls.error();
  credentials.tls = std::move(*tls);
  return credentials;
}

}  // namespace

FeedUnit::FeedUnit(Surroundings surroundings, config::Feed config, metrics::FeedMetrics& metrics)
    : around_{std::move(surroundings)},
      config_{std::move(config)},
      metrics_{metrics},
      timer_{around_.io},
      wait_{around_.io},
      overdue_{around_.io},
      look_{around_.io},
      end_{around_.io} {}

FeedUnit::~FeedUnit() = default;

Result<void> FeedUnit::check_files(const config::Config& config, const config::Feed& feed) {
  const auto credentials = read_credentials(config, feed);
  return credentials ? Result<void>{} : credentials.error();
}

void FeedUnit::start() {
  if (config_.net.tls.on && !config_.net.tls.verify) {
    log_event(Event::kTlsUnverified, of_feed(config_.name),
              "feed.{}.tls_verify = false: whoever stands between here and the exchange can read and change the feed; "
              "set tls_ca_file instead",
              config_.name);
  }
  const std::string advice =
      pipeline::check_intervals(config_.name, config_.sink.delivery, around_.config.checkpoint.interval,
                                around_.config.producer.transaction_interval);
  if (!advice.empty()) log_event(Event::kCommitsRarer, "{}", advice);
  recover();
}

// --- run: from the start path to a reading feed ---

void FeedUnit::opened(const Result<std::shared_ptr<Opened>>& result) {
  if (phase_ != Phase::kRecovering) return;
  if (!result) {
    const bool again = patient() && result.error().code == ExitCode::kUnavailable;
    if (!again) return fail(result.error());
    log_event(Event::kRecoveryRetried, of_feed(config_.name), "{}; trying again", result.error().message);
    wait_.expires_after(kRetryAfter);
    wait_.async_wait([this](boost::system::error_code code) {
      if (!code && phase_ == Phase::kRecovering) recover();
    });
    return;
  }
  if ((*result)->producer->failed()) {  // told or not; of what fails from here on producer_failed() hears
    (*result)->lane.reset();
    (*result)->feed.reset();
    producer_ = std::move((*result)->producer);
    return recover_again();
  }
  if (auto built = build(**result); !built) return fail(built.error());
  phase_ = Phase::kRunning;
  around_.add_work(feed_.get());
  const SteadyTime logged_in_by = around_.started_at + around_.config.startup_timeout + (*result)->watched_for;
  reader_->start(patient() ? SteadyTime::max() : logged_in_by);
  if (journaled()) tick();
  around_.on_changed();
}

Result<void> FeedUnit::build(Opened& opened) {
  producer_ = std::move(opened.producer);
  {
    const std::scoped_lock lock{sampling_};
    lane_ = std::move(opened.lane);
  }
  recovered_ = std::move(opened.recovered);
  replayed_ = std::move(opened.replayed);
  change_due_ = recovered_ && recovered_->replays_old;
  recall_strangers();
  acknowledged_before_ = metrics_.value(FeedCounter::kMessagesAcknowledged);
  auto day = pipeline::TradingDay::create(replayed_.policies.trading_date, replayed_.policies.time_zone);
  if (!day) return day.error();
  auto credentials = read_credentials(around_.config, config_);
  if (!credentials) return credentials.error();
  const pipeline::Resume where = resume(*day);
  opened.feed->attach({.feed = config_.name,
                       .policies = replayed_.policies,
                       .when_full = config_.sink.when_full,
                       .max_block = around_.config.producer.max_block,
                       .transaction_messages = transactional() ? around_.config.producer.transaction_messages : 0,
                       .resume = where},
                      std::move(*day), replayed_.routing, *lane_);
  {
    const std::scoped_lock lock{sampling_};
    feed_ = std::move(opened.feed);
    marked_.reset();
  }
  reader_ = std::make_unique<net::FeedReader>(
      around_.io, config_.name, replayed_.codec, config_.net, std::move(*credentials), !around_.exit_at_end, *feed_,
      metrics_,
      net::ReaderEvents{.on_ended =
                            [this] {
                              if (around_.exit_at_end) over_ = true;
                              around_.on_changed();
                            },
                        .on_failed = [this](const Error& problem) { fail(problem); }});
  if (journaled()) reader_->resume_at(where.session, where.asked != 0 ? where.asked : where.next_sequence);
  reader_->catching_up(
      std::ranges::any_of(where.suffixes, [](const auto& suffix) { return !suffix.found.empty() || suffix.lost > 0; }));
  return {};
}

// Where the first login of this life asks to begin.
pipeline::Resume FeedUnit::resume(const pipeline::TradingDay& day) const {
  pipeline::Resume where;
  where.session = config_.net.session;
  where.next_sequence = first_sequence(config_);
  where.journaled = journaled();
  where.single = config_.sink.delivery != Delivery::kAtLeastOnce;
  where.transactional = transactional();
  where.reserved = journaled() && config_.sink.delivery == Delivery::kAtMostOnce;
  if (!recovered_ || !recovered_->checkpoint || recovered_->checkpoint->session.empty()) return where;
  const journal::Checkpoint& checkpoint = *recovered_->checkpoint;
  if (recovered_->given_up) {
    where.known = {.session = checkpoint.session, .from = checkpoint.next_sequence, .entries = recovered_->entries};
    std::ranges::copy(recovered_->later, std::back_inserter(where.known.entries));
    where.left = checkpoint.left;
    if (!checkpoint.session_ended)
      journal::leave(where.left, {checkpoint.session, checkpoint.next_sequence, checkpoint.state.midnight_ms});
    return where;
  }
  where.session = checkpoint.session;
  where.next_sequence = checkpoint.next_sequence;
  where.left = checkpoint.left;
  where.state = checkpoint.state;
  const bool replays_old = recovered_->replays_old;
  if (!replays_old && journal::another_day(checkpoint.parameters, parameters_of(config_, lane_->topic()))) {
    where.state->midnight_ms = day.midnight_ms(wall_nanoseconds());
  }
  where.entries = recovered_->entries;
  where.later = recovered_->later;
  where.session_ended = checkpoint.session_ended;
  where.suffixes = recovered_->suffixes;
  where.clean = checkpoint.clean;
  if (!checkpoint.clean) where.asked = journal::witness_from(checkpoint, where.suffixes);
  where.until_aligned = replays_old;
  if (replays_old) {
    where.partitions = static_cast<std::int32_t>(checkpoint.partitions.size());
    where.max_record_bytes = journal::number(checkpoint.parameters, journal::kMaxRecordBytes);
  }
  return where;
}

pipeline::FeedEvents FeedUnit::feed_events(std::uint64_t life) {
  const auto post = [this, life](auto function) {
    asio::post(around_.io, [this, life, function = std::move(function)]() mutable {
      if (life == life_ && phase_ != Phase::kStopped) function();
    });
  };
  return {.on_space = [this] { reader_->wake(); },
          .on_scan = [this](std::uint64_t connection, const net::Scan& scan) { reader_->report(connection, scan); },
          .on_failed = [this, post](const Error& problem) { post([this, problem] { fail(problem); }); },
          .on_mark =
              [this, post](pipeline::MarkReport report) {
                post([this, report = std::move(report)]() mutable { on_mark(std::move(report)); });
              },
          .on_barrier =
              [this, post](pipeline::Barrier barrier) {
                post([this, barrier = std::move(barrier)]() mutable { on_barrier(std::move(barrier)); });
              }};
}

void FeedUnit::sample() {
  const std::scoped_lock lock{sampling_};
  if (feed_) feed_->sample();
}

ops::Placement FeedUnit::placement() {
  ops::Placement placement{.topic = config_.sink.topic, .partitions = {}};
  const std::scoped_lock lock{sampling_};
  if (!lane_) return placement;
  for (std::int32_t p = 0; p < lane_->topic().partitions; ++p) {
    const sink::Acked acked = lane_->acked(p);
    placement.partitions.push_back({.acknowledged = acked.count,
                                    .in_flight = lane_->in_flight(p),
                                    .last_offset = acked.count == 0 ? -1 : acked.last_offset});
  }
  return placement;
}

// --- marks and checkpoints at intervals ---

void FeedUnit::tick() {
  if (phase_ != Phase::kRunning) return;
  if (over_ && change_due_) around_.on_changed();
  const SteadyTime now = SteadyClock::now();
  const milliseconds interval = around_.config.checkpoint.interval;
  const bool idle = keeper_ && !owning_ && !committing_ && keeper_->aligned() && lane_->in_flight() == 0;
  if (idle && now - owned_at_ >= kSound) recoveries_ = 0;  // a quiet feed acknowledges nothing
  milliseconds often = transactional() ? around_.config.producer.transaction_interval : kMarkInterval;
  if (keeper_ && !owning_ && !ending_) {
    if (transactional()) {
      commit_transaction();
    } else {
      if (quiet()) {
        often = kQuietInterval;
      } else {
        feed_->want_mark();
      }
      if (now >= next_checkpoint_ && !jumped_ && !keeper_->writing()) {
        next_checkpoint_ = now + interval;
        crossing_ ? keeper_->repeat() : keeper_->write({}, journal::Follows::kMore);
      }
    }
  }
  timer_.expires_after(std::min(often, interval));
  timer_.async_wait([this, life = life_](boost::system::error_code code) {
    if (!code && life == life_) tick();
  });
}

// Nothing has come since a mark was asked for that tells of all there was: the next would say the same.
bool FeedUnit::quiet() {
  const std::uint64_t published = feed_->ring().published();  // before the look: what comes in between is not told of
  const std::optional<std::uint64_t> told = feed_->drained() ? std::optional{published} : std::nullopt;
  return std::exchange(marked_, told) == told && told;
}

void FeedUnit::on_mark(pipeline::MarkReport report) {
  ++marks_;
  if (!keeper_) return;
  tell(report.strangers);
  const bool aligned = report.aligned;
  if (aligned && reader_) reader_->catching_up(false);  // none: the life is taken down, and this was on its way
  keeper_->take(std::move(report));
  if (aligned && recoveries_ != 0 && metrics_.value(FeedCounter::kMessagesAcknowledged) != acknowledged_before_)
    recoveries_ = 0;
}

// Before the start checkpoint lies behind them: if this life ends before tell() counts them, the log has their offsets.
void FeedUnit::foretell(const std::vector<journal::Stranger>& strangers) const {
  if (strangers.empty()) return;
  std::map<std::int32_t, std::pair<std::int64_t, std::int64_t>> places;  // by partition: the first and the last
  for (const journal::Stranger& stranger : strangers) {
    const auto [place, fresh] = places.try_emplace(stranger.partition, stranger.offset, stranger.offset);
    auto& [first, last] = place->second;
    std::tie(first, last) = std::pair{std::min(first, stranger.offset), std::max(last, stranger.offset)};
  }
  std::string text;
  for (const auto& [partition, place] : places)
    text += fmt::format("{}{}@{}..{}", text.empty() ? "" : ", ", partition, place.first, place.second);
  log_event(Event::kStrangersFound, of_feed(config_.name),
            "{} record(s) behind the checkpoint are not this feed's (partition@offsets {}); counted when it is owned",
            strangers.size(), text);
}

// What alignment passes over may have been judged as a jump before, or passed over by an alignment before.
void FeedUnit::tell(std::vector<journal::Stranger> strangers) {
  for (journal::Stranger& stranger : strangers) {
    if (doubles_.contains({stranger.partition, stranger.offset})) stranger.kind = journal::Stranger::Kind::kDouble;
  }
  for (const journal::Stranger& stranger : strangers) {
    if (stranger.kind != journal::Stranger::Kind::kForeign) continue;
    strangers_.add(stranger.partition, stranger.offset);
    strangers_.trim(stranger.partition, stranger.offset, recovered_ ? recovered_->ends.size() : 1);
  }
  if (keeper_) keeper_->know(strangers_.ranges());
  std::erase_if(strangers, [&](const auto& s) { return !told_.emplace(s.partition, s.offset).second; });
  std::sort(strangers.begin(), strangers.end(), [](const auto& a, const auto& b) {
    return std::pair{a.partition, a.offset} < std::pair{b.partition, b.offset};
  });
  for (std::size_t i = 0; i < strangers.size();) {
    const journal::Stranger& first = strangers[i];
    if (first.kind == journal::Stranger::Kind::kCounted) {
      log_event(Event::kSkippedByCount, of_feed(config_.name),
                "topic {} partition {}: {} message(s) were skipped by count: retention has deleted the records that "
                "are taken for theirs, the last at offset {}, and nothing is left to compare",
                config_.sink.topic, first.partition, first.count, first.offset);
      ++i;
      continue;
    }
    std::size_t n = 1;
    while (i + n < strangers.size() && strangers[i + n].kind == first.kind &&
           strangers[i + n].partition == first.partition &&
           strangers[i + n].offset == first.offset + static_cast<std::int64_t>(n)) {
      ++n;
    }
    const bool foreign = first.kind == journal::Stranger::Kind::kForeign;
    log_event(
        foreign ? Event::kForeignRecords : Event::kDoubleRecords, of_feed(config_.name),
        "topic {} partition {} offsets {} to {}: {}", config_.sink.topic, first.partition, first.offset,
        first.offset + static_cast<std::int64_t>(n) - 1,
        foreign ? "foreign records, not written by this feed; passed over" : "doubles of records of ours; passed over");
    metrics_.add(foreign ? FeedCounter::kForeignWrites : FeedCounter::kDoubles, n);
    i += n;
  }
}

// What processes before have told. What nobody has compared with the feed is not known as ours: all that a topic holds
// where no checkpoint counts, in modes that compare nothing, and where other feeds write too, what comes there as well;
// partitions that were added; in a transaction all that lies behind the checkpoint, as it was aborted if it is ours.
void FeedUnit::recall_strangers() {
  if (!recovered_) return;
  const bool compared = recovered_->checkpoint && !recovered_->given_up &&
                        recovered_->checkpoint->topic == config_.sink.topic &&
                        journal::holds(*recovered_->checkpoint) == journal::Holds::kRecord;
  const bool alone = !config::shares_topic(around_.config, config_);
  if (!compared || !alone || !(exact() || transactional())) return disown({}, alone);
  const journal::Checkpoint& checkpoint = *recovered_->checkpoint;
  strangers_ = {};
  for (journal::StrangerRange range : checkpoint.strangers) {
    if (static_cast<std::size_t>(range.partition) >= recovered_->ends.size()) continue;
    range.last = std::min(range.last, recovered_->ends[static_cast<std::size_t>(range.partition)] - 1);
    strangers_.add(range);
  }
  std::vector<journal::PartitionState> compared_to = checkpoint.partitions;
  if (!transactional()) {
    const std::size_t known = std::min(compared_to.size(), recovered_->ends.size());
    for (std::size_t p = 0; p < known; ++p) compared_to[p].offset = recovered_->ends[p] - 1;
  }
  disown(compared_to);
  for (std::size_t p = 0; p < checkpoint.partitions.size(); ++p) {
    strangers_.trim(static_cast<std::int32_t>(p), checkpoint.partitions[p].offset, checkpoint.partitions.size());
  }
}

// All that lies in the log behind these positions, which are by partition (without one: from the beginning); not
// `alone`: and all that comes.
void FeedUnit::disown(const std::vector<journal::PartitionState>& from, bool alone) {
  constexpr std::int64_t kAllThatComes = std::numeric_limits<std::int64_t>::max() / 2;
  for (std::size_t p = 0; p < recovered_->ends.size(); ++p) {
    const journal::StrangerRange range{.partition = static_cast<std::int32_t>(p),
                                       .first = p < from.size() ? from[p].offset + 1 : 0,
                                       .last = alone ? recovered_->ends[p] - 1 : kAllThatComes};
    strangers_.add(range);
    strangers_.trim(range.partition, recovered_->ends[p], recovered_->ends.size());
  }
}

// Nothing at or before a checkpoint's offsets is met again.
void FeedUnit::forget_told(const journal::Checkpoint& checkpoint) {
  if (unjudged_ != 0) return;  // what a start has found by itself may be among it
  const auto behind = [&](const auto& place) {
    const auto p = static_cast<std::size_t>(place.first);
    return p >= checkpoint.partitions.size() || checkpoint.partitions[p].offset < place.second;
  };
  std::erase_if(told_, [&](const auto& place) { return !behind(place); });
  std::erase_if(doubles_, [&](const auto& place) { return !behind(place); });
}

// The rest of an ended session is still to be written where the old configuration has done its part.
bool FeedUnit::over() const noexcept {
  const bool changes = change_due_ && phase_ == Phase::kRunning && !feed_->drained();
  return (over_ && !changes) || code_ != ExitCode::kOk;
}

void FeedUnit::saw_epoch(std::uint64_t epoch, const std::string& instance) {
  if (!keeper_ || owning_ || epoch <= keeper_->epoch() || instance == around_.instance) return;
  keeper_->freeze();
  fail(error(ExitCode::kProtocol, fmt::format("feed {}: instance {} has taken it over (epoch {}, ours is {})",
                                              config_.name, instance, epoch, keeper_->epoch())));
}

void FeedUnit::saw_partitions(std::int32_t partitions) {
  if (phase_ != Phase::kRunning || !keeper_ || owning_ || ending_ || stopping_ || change_due_) return;
  if (!keeper_->aligned() || done())
    return;  // what the log holds is compared under the old number first; the next look finds them
  const std::size_t known = recovered_->ends.size();
  if (static_cast<std::size_t>(partitions) <= known) return;
  log_event(Event::kPartitionsAdded, of_feed(config_.name), "topic {} has {} partitions now, {} before",
            config_.sink.topic, partitions, known);
  change_due_ = true;
  feed_->want_barrier();
}

}  // namespace tickbridge::app
