#include "journal/start.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <tuple>

namespace tickbridge::journal {
namespace {

constexpr std::string_view kNames[] = {
    "reading checkpoints", "watching for an owner",  "fencing",  "reading the ends", "reading the suffix", "logging in",
    "taking ownership",    "reading ownership back", "aligning", "running"};
static_assert(std::size(kNames) == static_cast<std::size_t>(Step::kRun) + 1);

bool needed(Step step, const StartFacts& facts) noexcept {
  const bool maybe_behind = facts.exact && facts.has_checkpoint;
  switch (step) {
    case Step::kWatchOwner:
      return facts.has_checkpoint && !facts.clean && !facts.rebuild_in_place;
    case Step::kFence:
      return maybe_behind && !facts.clean;
    case Step::kReadSuffix:
    case Step::kAlign:
      return maybe_behind;
    default:
      return true;
  }
}

const Checkpoint* first_of(const std::vector<Checkpoint>& in_order, std::uint64_t epoch) noexcept {
  const auto found = std::ranges::find(in_order, epoch, &Checkpoint::epoch);
  return found == in_order.end() ? nullptr : &*found;
}

std::string shown(const std::string* value) {
  if (value == nullptr) return "(not set)";
  return value->empty() ? "(empty)" : *value;
}

const std::string* find(const Parameters& parameters, const std::string& name) noexcept {
  const auto found = parameters.find(name);
  return found == parameters.end() ? nullptr : &found->second;
}

// Nobody's decision but the topic's: the log holds what the old number made, so the replay goes by that one first.
bool of_the_topic(const Parameters& before, const Parameters& now, const std::string& name) {
  if (name == kMaxRecordBytes) return true;
  return name == kTopicPartitions && number(now, name) > number(before, name);
}

// A partition ahead of next_sequence holds records that a replay under another configuration would write again
// elsewhere.
bool nothing_ahead(const Checkpoint& checkpoint) {
  return std::ranges::all_of(checkpoint.partitions, [&](const PartitionState& state) {
    return state.position.sequence < checkpoint.next_sequence;
  });
}

// What becomes of invalid messages is no matter of the data topic, which never holds one: the log aligns all the same.
bool leaves_log(std::string_view name) { return name == "on_invalid"; }

std::string refusal(const std::vector<std::string>& changes) {
  return fmt::format(
      "the configuration that shapes the output has changed after a stop that was not clean ({}): start once with the "
      "old one "
      "and stop it with SIGTERM, or start with --accept-change, which aligns under the old one first and changes then",
      fmt::join(changes, ", "));
}

std::string delivery_refusal(const std::vector<std::string>& changes) {
  return fmt::format(
      "delivery has changed after a stop that was not clean ({}): what lies behind the last checkpoint only the old "
      "one "
      "can tell, so start once with the old configuration and stop it with SIGTERM; --accept-change does not help here",
      fmt::join(changes, ", "));
}

}  // namespace

std::string_view name(Step step) noexcept { return kNames[static_cast<std::size_t>(step)]; }

Step next_step(Step step, const StartFacts& facts) noexcept {
  while (step != Step::kRun) {
    step = static_cast<Step>(static_cast<int>(step) + 1);
    if (needed(step, facts)) break;
  }
  return step;
}

std::uint64_t highest_epoch(const std::vector<Checkpoint>& in_order) noexcept {
  std::uint64_t highest = 0;
  for (const Checkpoint& checkpoint : in_order) highest = std::max(highest, checkpoint.epoch);
  return highest;
}

// Who lost the race for an epoch wrote nothing but its start checkpoint: it has the lowest number, and came later than
// the winner's. (So the reader may have only the last few of an epoch.)
const Checkpoint* newest(const std::vector<Checkpoint>& in_order) noexcept {
  const Checkpoint* best = nullptr;
  for (const Checkpoint& checkpoint : in_order) {
    const bool newer =
        best == nullptr || std::tie(checkpoint.epoch, checkpoint.number) > std::tie(best->epoch, best->number);
    if (newer) best = &checkpoint;
  }
  return best;
}

// Where the loser was stopped before it read back, compaction may have deleted the winner's first one; not its newest.
bool owns(const std::vector<Checkpoint>& in_order, std::uint64_t epoch, std::string_view instance) noexcept {
  const Checkpoint* const first = first_of(in_order, epoch);
  if (first == nullptr || first->instance != instance || highest_epoch(in_order) != epoch) return false;
  return std::ranges::none_of(in_order, [&](const Checkpoint& checkpoint) {
    return checkpoint.epoch == epoch && checkpoint.instance != instance && checkpoint.number > first->number;
  });
}

bool goes_on(const std::vector<Checkpoint>& in_order, const Checkpoint& base) noexcept {
  return std::ranges::any_of(in_order, [&](const Checkpoint& checkpoint) {
    return checkpoint.epoch == base.epoch && checkpoint.number > base.number;
  });
}

std::chrono::milliseconds watched_interval(const Checkpoint& newest, std::chrono::milliseconds ours) noexcept {
  constexpr std::uint64_t kLongest = 3'600'000;  // what a damaged record may say at most
  return std::max(ours, std::chrono::milliseconds{std::min(newest.interval_ms, kLongest)});
}

// Another epoch's start counts anew: two dead owners' last words are not one living owner's two.
void Liveness::saw(const Checkpoint& checkpoint) noexcept {
  if (std::tie(checkpoint.epoch, checkpoint.number) <= std::tie(epoch_, number_)) return;
  const bool same_owner = checkpoint.epoch == epoch_;
  epoch_ = checkpoint.epoch;
  number_ = checkpoint.number;
  advances_ = checkpoint.clean ? 0 : same_owner ? advances_ + 1 : 1;
}

bool delivered(const Checkpoint& checkpoint, std::string_view delivery) noexcept {
  const std::string* const was = find(checkpoint.parameters, "delivery");
  if (was == nullptr || was->size() != delivery.size() + 2) return false;
  return was->front() == '"' && was->back() == '"' && std::string_view{*was}.substr(1, delivery.size()) == delivery;
}

Holds holds(const Checkpoint& checkpoint) noexcept {
  if (delivered(checkpoint, "exactly_once") || delivered(checkpoint, "transactional")) return Holds::kRecord;
  return delivered(checkpoint, "at_least_once") ? Holds::kEnd : Holds::kNothing;
}

Result<void> check_end(std::string_view topic, std::int32_t partition, const PartitionState& state, const End& end) {
  if (end.end <= state.offset) {
    return error(
        ExitCode::kData,
        fmt::format("topic {}, partition {}: offset {} was acknowledged, but the partition ends at {}: the topic was "
                    "re-created or cut short; if that was meant, start once with --start beginning",
                    topic, partition, state.offset, end.end));
  }
  if (state.hash != 0 && end.hash_at_offset && *end.hash_at_offset != state.hash) {
    return error(
        ExitCode::kData,
        fmt::format("topic {}, partition {}: the record at offset {} is not the one that was acknowledged there: the "
                    "topic was re-created; if that was meant, start once with --start beginning",
                    topic, partition, state.offset));
  }
  return boost::system::in_place_value;
}

LoginFinding judge_login(const Checkpoint& checkpoint, std::string_view session, std::uint64_t sequence) {
  LoginFinding found;
  if (!checkpoint.session.empty() && checkpoint.session != session) {
    found.other_session = true;
    found.decision = fmt::format("session {} follows session {}", session, checkpoint.session);
    if (!checkpoint.session_ended) {
      found.gap_begin = checkpoint.next_sequence;
      found.decision += fmt::format(", of which sequences from {} on were not received", checkpoint.next_sequence);
    }
    return found;
  }
  if (checkpoint.session.empty()) found.decision = fmt::format("session {} is the first", session);
  if (sequence > checkpoint.next_sequence) {
    found.gap_begin = checkpoint.next_sequence;
    found.gap_end = sequence;
    if (!found.decision.empty()) found.decision += "; ";
    found.decision += fmt::format("gap: the exchange has sequences {} to {} no longer", found.gap_begin, sequence - 1);
  }
  return found;
}

bool another_day(const Parameters& before, const Parameters& now) {
  const auto differs = [&](const char* name) {
    const std::string* const then = find(before, name);
    const std::string* const after = find(now, name);
    return (then == nullptr) != (after == nullptr) || (then != nullptr && *then != *after);
  };
  return differs("trading_date") || differs("time_zone");
}

ParameterFinding judge_parameters(const Checkpoint& checkpoint, const Parameters& now, bool accepted) {
  ParameterFinding out;
  Parameters names = checkpoint.parameters;
  names.insert(now.begin(), now.end());
  bool only_the_topic = true;
  bool leaves_log_alone = true;
  bool delivery = false;
  for (const auto& [name, unused] : names) {
    const std::string* const before = find(checkpoint.parameters, name);
    const std::string* const after = find(now, name);
    if (before != nullptr && after != nullptr && *before == *after) continue;
    out.changes.push_back(fmt::format("{}: {} -> {}", name, shown(before), shown(after)));
    leaves_log_alone = leaves_log_alone && leaves_log(name);
    delivery = delivery || name == "delivery";
    only_the_topic = only_the_topic && of_the_topic(checkpoint.parameters, now, name);
  }
  using Way = ParameterFinding::Way;
  if (out.changes.empty()) return out;
  if ((checkpoint.clean || checkpoint.settled) && nothing_ahead(checkpoint)) {
    out.way = Way::kBarrier;
  } else if (delivery) {
    out.way = Way::kRefused;
    out.problem = delivery_refusal(out.changes);
  } else if (accepted && leaves_log_alone) {
    out.way = Way::kSame;
  } else if (accepted || only_the_topic) {
    out.way = Way::kOldFirst;
  } else {
    out.way = Way::kRefused;
    out.problem = refusal(out.changes);
  }
  return out;
}

}  // namespace tickbridge::journal
