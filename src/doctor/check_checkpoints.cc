#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "config/values.h"
#include "doctor/checks.h"
#include "doctor/kafka_world.h"
#include "journal/start.h"
#include "pipeline/start_facts.h"
#include "sink/compacted_log.h"
#include "sink/lane.h"
#include "sink/log_reader.h"

namespace tickbridge::doctor {

namespace {

using journal::Checkpoint;
using Way = journal::ParameterFinding::Way;

constexpr milliseconds kLongestWatch{10'000};
constexpr std::ptrdiff_t kEnough = 8;  ///< of a feed

/// A feed's newest checkpoint, and whether its owner writes on.
struct Standing {
  const config::Feed* feed = nullptr;
  std::optional<Checkpoint> newest;
  std::optional<journal::Liveness> owner;
  bool watched = false;
};

std::string prefix(const config::Feed& feed) { return feed.name + "/"; }

std::vector<sink::Entry> of_feed(const std::vector<sink::Entry>& entries, const config::Feed& feed) {
  std::vector<sink::Entry> own;
  std::ranges::copy_if(entries, std::back_inserter(own),
                       [&](const sink::Entry& entry) { return entry.key.starts_with(prefix(feed)); });
  return own;
}

bool enough(const std::vector<sink::Entry>& entries, const std::vector<Standing>& feeds) {
  return std::ranges::all_of(feeds, [&](const Standing& one) {
    return std::ranges::count_if(entries, [&](const sink::Entry& entry) {
             return entry.value && entry.key.starts_with(prefix(*one.feed));
           }) >= kEnough;
  });
}

/// Waits as a starting daemon would, for all feeds at once.
void watch(sink::CompactedLog& log, std::vector<Standing>& feeds, const config::Config& config) {
  milliseconds longest{0};
  for (Standing& one : feeds) {
    if (!one.newest || one.newest->clean) continue;
    const milliseconds interval = journal::watched_interval(*one.newest, config.checkpoint.interval);
    if (3 * interval > kLongestWatch) continue;
    one.owner.emplace(*one.newest);
    one.watched = true;
    longest = std::max(longest, 3 * interval + milliseconds{300});
  }
  const auto settled = [](const Standing& one) { return !one.owner || one.owner->alive() || one.newest->clean; };
  for (const SteadyTime until = SteadyClock::now() + longest;
       SteadyClock::now() < until && !std::ranges::all_of(feeds, settled);) {
    const auto entries = log.read_on("", milliseconds{100});
    if (!entries) return;
    for (Standing& one : feeds) {
      const auto fresh =
          pipeline::parse_checkpoints(one.feed->name, config.checkpoint.topic, of_feed(*entries, *one.feed));
      if (!fresh || !one.owner) continue;
      for (const Checkpoint& checkpoint : *fresh) {
        one.owner->saw(checkpoint);
        one.newest = checkpoint;
      }
    }
  }
}

std::string place(const Checkpoint& at) {
  return at.session.empty() ? "no session joined yet"
                            : fmt::format("session {}, next packet {}", at.session, at.next_sequence);
}

/// Whether the log still holds what the checkpoint says. Reads offsets only.
Result<void> check_ends(const config::Config& config, const Standing& one) {
  if (journal::holds(*one.newest) == journal::Holds::kNothing || one.newest->session.empty()) return {};
  const auto& states = one.newest->partitions;
  auto reader = sink::LogReader::open(config.producer, one.newest->topic);
  if (!reader) return reader.error();
  const auto offsets = (*reader)->offsets(static_cast<std::int32_t>(states.size()), SteadyClock::now() + kPatience);
  if (!offsets) return offsets.error();
  for (std::size_t p = 0; p < states.size(); ++p) {
    const sink::Offsets& there = (*offsets)[p];
    const journal::End end{.begin = there.begin, .end = there.end, .hash_at_offset = {}};
    if (auto whole = journal::check_end(one.newest->topic, static_cast<std::int32_t>(p), states[p], end); !whole)
      return whole;
  }
  return {};
}

/// The topic as the feed's records meet it, with room for its headers.
sink::TopicInfo with_headers(const config::Feed& feed, sink::Topic& topic) {
  sink::LaneSetup setup{.feed = feed.name,
                        .headers = feed.sink.headers,
                        .data = &topic,
                        .dead = &topic,
                        .info = topic.info,
                        .dead_letter_max_bytes = 0,
                        .limits = {}};
  sink::leave_room_for_headers(setup);
  return setup.info;
}

std::string listed(const std::vector<std::string>& changes) { return fmt::format("{}", fmt::join(changes, "; ")); }

/// What the next start would make of a configuration that has changed since.
void judge_changes(const Context& context, const std::string& subject, const Standing& one, sink::Topic& topic,
                   Findings& out) {
  const config::Feed& feed = *one.feed;
  const journal::Parameters now =
      pipeline::parameters_in_force(config::shaping(feed), with_headers(feed, topic), feed.codec.protocol);
  const auto found = journal::judge_parameters(*one.newest, now, context.invocation.accept_change);
  if (found.way == Way::kRefused) {
    out.push_back(failure(subject, ExitCode::kConfig, found.problem));
  } else if (found.way == Way::kOldFirst) {
    out.push_back(warning(subject, fmt::format("the next start aligns under the old configuration, then changes: {}",
                                               listed(found.changes))));
  } else if (!found.changes.empty()) {
    out.push_back(ok(subject, fmt::format("the next start takes over what has changed: {}", listed(found.changes))));
  }
}

std::string next_start(const Standing& one) {
  if (one.newest->clean) return "stopped cleanly: the next start goes on there";
  switch (one.feed->sink.delivery) {
    case sink::Delivery::kExactlyOnce:
      return "not stopped cleanly: the next start aligns what lies behind it, then goes on";
    case sink::Delivery::kTransactional:
      return "not stopped cleanly: the next start ends the open transaction, then goes on";
    case sink::Delivery::kAtLeastOnce:
      return "not stopped cleanly: the next start writes what lies behind it again";
    default:
      return "not stopped cleanly: the next start goes on there, what was under way is lost";
  }
}

void judge(const Context& context, KafkaWorld& kafka, const Standing& one, Findings& out) {
  const config::Feed& feed = *one.feed;
  const std::string subject = fmt::format("checkpoint of feed {}", feed.name);
  if (!one.newest) {
    out.push_back(ok(subject, fmt::format("none yet: the next start begins as start = \"{}\" says", feed.net.start)));
    return;
  }
  const Checkpoint& at = *one.newest;
  const std::string facts = fmt::format("{}, epoch {} of instance {}", place(at), at.epoch, at.instance);
  if (one.owner && one.owner->alive()) {
    out.push_back(ok(subject, fmt::format("{}, which runs: a second daemon for this feed would be refused", facts)));
  } else if (!at.clean && !one.watched) {
    out.push_back(
        skipped(subject, fmt::format("{}; whether its owner lives would take longer to see than this waits", facts)));
  } else {
    out.push_back(ok(subject, fmt::format("{}, {}", facts, next_start(one))));
  }
  if (context.invocation.start) {
    out.push_back(
        warning(subject, fmt::format("--start {} would give up what is not aligned, and could write again what "
                                     "the log holds",
                                     *context.invocation.start)));
    return;
  }
  if (at.topic != feed.sink.topic) {
    out.push_back(
        warning(subject, fmt::format("it is about topic {}; {} is another log and begins where start = \"{}\" "
                                     "says",
                                     at.topic, feed.sink.topic, feed.net.start)));
    return;
  }
  const FoundTopic& topic = kafka.data(feed);
  if (!topic.exists()) {
    out.push_back(skipped(subject, "what the next start makes of it: the topic is not there, or not known"));
    return;
  }
  judge_changes(context, subject, one, **topic.topic, out);
  if (const auto whole = check_ends(context.config, one); !whole) out.push_back(failure(subject, whole.error()));
}

void check_group(const Context& context, KafkaWorld& kafka, std::vector<Standing> feeds, const char* isolation,
                 Findings& out) {
  if (feeds.empty()) return;
  const std::string& topic = context.config.checkpoint.topic;
  const auto log = sink::CompactedLog::open_to_read(context.config.producer, topic, isolation);
  const auto entries = log->read_back(
      "", [&feeds](const std::vector<sink::Entry>& read) { return enough(read, feeds); },
      SteadyClock::now() + kPatience);
  if (!entries) {
    out.push_back(failure("checkpoints", entries.error()));
    return;
  }
  for (Standing& one : feeds) {
    const auto parsed = pipeline::parse_checkpoints(one.feed->name, topic, of_feed(*entries, *one.feed));
    if (!parsed) out.push_back(failure(fmt::format("checkpoint of feed {}", one.feed->name), parsed.error()));
    const Checkpoint* const newest = parsed ? journal::newest(*parsed) : nullptr;
    if (newest != nullptr) one.newest = *newest;
  }
  watch(*log, feeds, context.config);
  for (const Standing& one : feeds) judge(context, kafka, one, out);
}

}  // namespace

void check_checkpoints(const Context& context, KafkaWorld& kafka, Findings& out) {
  if (std::ranges::none_of(context.config.feeds, journaled)) return;
  if (!kafka.cluster()) {
    out.push_back(skipped("checkpoints", kNoKafka));
    return;
  }
  const FoundTopic& notes = kafka.notes(context.config.checkpoint.topic);
  if (!notes.exists()) {
    const std::string why =
        notes.topic ? "none yet: every feed begins as its start says" : "the topic could not be read";
    out.push_back(notes.topic ? ok("checkpoints", why) : skipped("checkpoints", why));
    return;
  }
  std::vector<Standing> committed;
  std::vector<Standing> others;
  for (const config::Feed& feed : context.config.feeds) {
    if (!journaled(feed)) continue;
    auto& group = feed.sink.delivery == sink::Delivery::kTransactional ? committed : others;
    group.push_back({.feed = &feed, .newest = {}, .owner = {}});
  }
  check_group(context, kafka, std::move(others), "read_uncommitted", out);
  check_group(context, kafka, std::move(committed), "read_committed", out);
}

}  // namespace tickbridge::doctor
