#include "journal/start.h"

#include <fmt/format.h>

#include <algorithm>

namespace tickbridge::journal {
namespace {

PartitionState at_end(std::int64_t end) {
  PartitionState out;
  out.offset = end - 1;
  return out;
}

std::vector<PartitionState> anew(const std::vector<std::int64_t>& ends) {
  std::vector<PartitionState> out;
  for (const std::int64_t end : ends) out.push_back(at_end(end));
  return out;
}

std::vector<PartitionState> carried_on(const StartPlan& plan) {
  std::vector<PartitionState> out = plan.partitions;
  for (std::size_t p = out.size(); p < plan.ends.size(); ++p) out.push_back(at_end(plan.ends[p]));
  return out;
}

std::string joined(const std::string& first, const std::string& second) {
  return first.empty() || second.empty() ? first + second : first + "; " + second;
}

// The newest packet of which any partition holds a record that was acknowledged.
std::uint64_t furthest(const Checkpoint& checkpoint) {
  std::uint64_t sequence = 0;
  for (const PartitionState& partition : checkpoint.partitions)
    sequence = std::max(sequence, partition.position.sequence);
  return sequence;
}

// The session was left before its end. A life that was killed wrote on behind its last checkpoint: how far nobody noted
// down, but no more than what lies there. Partitions that were ahead of the slowest one hold more before their
// positions.
std::string bound(const StartPlan& plan, const LoginFinding& login) {
  const Checkpoint& previous = *plan.previous;
  if (!login.other_session || login.gap_begin == 0 || previous.clean || delivered(previous, "transactional")) return {};
  std::int64_t behind = 0;
  for (std::size_t p = 0; p < std::min(plan.ends.size(), previous.partitions.size()); ++p) {
    behind += std::max<std::int64_t>(plan.ends[p] - 1 - previous.partitions[p].offset, 0);
  }
  const std::uint64_t ahead = furthest(previous);
  if (ahead < login.gap_begin) return fmt::format(" (the log holds at most {} record(s) of them)", behind);
  return fmt::format(" (of them the log holds records up to sequence {}, and at most {} more)", ahead, behind);
}

// Whoever goes on in a session that was left before has been told how.
std::vector<LeftSession> left_behind(const Checkpoint& previous, std::string_view session) {
  std::vector<LeftSession> left = previous.left;
  if (!previous.session_ended && !previous.session.empty())
    leave(left, {previous.session, previous.next_sequence, previous.state.midnight_ms});
  std::erase_if(left, [&](const LeftSession& one) { return one.session == session; });
  return left;
}

}  // namespace

Checkpoint start_checkpoint(const StartPlan& plan) {
  Checkpoint out;
  out.feed = plan.feed;
  out.epoch = plan.highest_epoch + 1;
  out.instance = plan.instance;
  out.session = plan.session;
  out.next_sequence = plan.sequence;
  out.topic = plan.topic;
  out.parameters = plan.parameters;
  out.decision = plan.decision;
  out.state = plan.fresh;
  out.state_epoch_floor = out.epoch;
  const Checkpoint* const previous = plan.previous;
  const bool same_session = previous != nullptr && previous->session == plan.session;
  if (previous != nullptr && previous->topic == plan.topic) out.left = left_behind(*previous, plan.session);
  if (previous != nullptr && !plan.give_up) {
    const LoginFinding login = judge_login(*previous, plan.session, plan.sequence);
    out.decision = joined(login.decision + bound(plan, login), plan.decision);
  }
  // What an epoch learnt behind the place where the feed is taken up again is learnt again, perhaps in another way.
  if (same_session && plan.sequence >= previous->next_sequence) out.state_epoch_floor = previous->state_epoch_floor;
  if (same_session && !plan.give_up) {
    out.next_sequence = std::max(plan.sequence, previous->next_sequence);
    out.state_epoch_floor = previous->state_epoch_floor;
    out.state = previous->state;
    if (another_day(previous->parameters, plan.parameters)) out.state.midnight_ms = plan.fresh.midnight_ms;
    out.partitions = carried_on(plan);
  } else {
    out.partitions = anew(plan.ends);
  }
  return out;
}

}  // namespace tickbridge::journal
