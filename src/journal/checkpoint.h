#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "journal/strangers.h"

namespace tickbridge::journal {

/// Where a message stands in its session: packet sequence, and its index in the packet. (0, 0) is before the first.
struct Position {
  std::uint64_t sequence = 0;
  std::uint32_t index = 0;
  auto operator<=>(const Position&) const = default;
};

/// One output partition's newest acknowledged record: its position, offset and hash; what comes behind the offset is
/// the suffix. Before the first record of a session: position (0, 0), `offset` is the end - 1, `hash` 0 (not compared).
struct PartitionState {
  Position position;
  std::int64_t offset = -1;
  std::uint64_t hash = 0;
  std::int64_t markers = 0;  ///< offsets behind `offset` that fences took, as far as start checkpoints know
  bool gap = false;          ///< behind `offset` may be records of ours from inside a gap: the replay has them not
  std::int64_t strangers_to =
      -1;  ///< behind `offset` and up to this one nothing is ours: told; after an unclean stop told again
  bool operator==(const PartitionState&) const = default;
};

/// The state of the feed's function at next_sequence, besides the directory (which lies in the state topic).
struct FunctionState {
  std::int64_t midnight_ms = 0;  ///< of the trading date, fixed at login
  std::int64_t last_timestamp_ms = 0;
  std::int32_t turn = 0;     ///< round_robin's next partition
  std::string mold_session;  ///< empty: no MoldUDP64 header seen
  std::uint64_t mold_expected = 0;
  bool operator==(const FunctionState&) const = default;
};

/// What shapes the output: option name → value as text.
using Parameters = std::map<std::string, std::string>;
constexpr std::string_view kTopicPartitions = "topic_partitions";
constexpr std::string_view kMaxRecordBytes = "max_record_bytes";  ///< key and value; a larger record is a dead letter
/// The value of that name as a number; 0 where there is none.
[[nodiscard]] std::uint64_t number(const Parameters& parameters, std::string_view name) noexcept;

/// A session that was left before its end, at this packet. Names come again on other days.
struct LeftSession {
  std::string session;
  std::uint64_t next_sequence = 0;
  std::int64_t midnight_ms = 0;  ///< of its trading date, as FunctionState's
  bool operator==(const LeftSession&) const = default;
};

/// docs/wire/checkpoint.md. Everything before packet `next_sequence` of `session` is acknowledged everywhere.
struct Checkpoint {
  std::string feed;
  std::uint64_t epoch = 0;   ///< one an owner
  std::uint64_t number = 0;  ///< counts up within the epoch
  std::string instance;      ///< who wrote it
  std::string session;       ///< empty: none joined yet
  std::uint64_t next_sequence = 1;
  std::string topic;
  std::vector<PartitionState> partitions;  ///< by partition number
  FunctionState state;
  std::uint64_t state_epoch_floor = 0;  ///< state entries of older epochs belong to sessions gone by
  Parameters parameters;
  std::uint64_t interval_ms = 0;         ///< between two checkpoints of this owner; 0: not said
  std::string decision;                  ///< why this barrier is; empty: a plain checkpoint
  bool session_ended = false;            ///< the session's end came right before next_sequence
  std::vector<LeftSession> left;         ///< in this order: what the log holds of them ends there; the newest ones
  std::vector<StrangerRange> strangers;  ///< told, the newest ones; a record that equals one of theirs is no double
  /// Aligned, all acknowledged, nothing pending, and nothing is handed over after it: the last word of an owner that
  /// stops, never a barrier's. (Whoever finds it reads what lies behind as not ours.)
  bool clean = false;
  bool settled = false;  ///< the same, of an owner that goes on in another epoch, with other parameters
  bool operator==(const Checkpoint&) const = default;
};

/// What follows a checkpoint: more of this epoch, another epoch of the same owner, nothing.
enum class Follows { kMore, kAnotherEpoch, kNothing };
inline void closes(Checkpoint& checkpoint, Follows follows) noexcept {
  checkpoint.clean = follows == Follows::kNothing;
  checkpoint.settled = follows == Follows::kAnotherEpoch;
}

/// Notes down that a session was left before its end, if anything of it had come.
void leave(std::vector<LeftSession>& sessions, LeftSession left);
/// nullptr: that session of that day was not left before its end, as far as anybody remembers.
[[nodiscard]] const LeftSession* find_left(const std::vector<LeftSession>& left, std::string_view session,
                                           std::int64_t midnight_ms) noexcept;

/// "<feed>/<epoch>"
[[nodiscard]] std::string checkpoint_key(std::string_view feed, std::uint64_t epoch);
[[nodiscard]] std::string to_json(const Checkpoint& checkpoint);
/// Errors: kData, naming what is missing or wrong. Unknown members are passed over (newer versions add some).
[[nodiscard]] Result<Checkpoint> parse_checkpoint(std::string_view json);

/// One thing that the directory learnt. Applies to records behind its position only.
struct StateEntry {
  Position position;
  std::uint16_t instrument = 0;
  std::string key;
  bool sticky = false;  ///< "#<number>", for the rest of the session
  bool operator==(const StateEntry&) const = default;
};

/// Numbers mean other instruments behind this position: MoldUDP64's own session has changed. (Instrument 0 teaches
/// nothing.)
[[nodiscard]] inline StateEntry forget_all(Position position) {
  return {.position = position, .instrument = 0, .key = {}, .sticky = false};
}
[[nodiscard]] inline bool forgets_all(const StateEntry& entry) noexcept { return entry.instrument == 0; }

/// What one record of the state topic holds: the entries learnt since the record before.
struct StateBatch {
  std::string feed;
  std::string session;
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;  ///< counts up within the epoch
  std::vector<StateEntry> entries;
  bool operator==(const StateBatch&) const = default;
};

/// "<feed>/<epoch>/<number>"
[[nodiscard]] std::string state_key(std::string_view feed, std::uint64_t epoch, std::uint64_t number);
[[nodiscard]] std::string to_json(const StateBatch& batch);
[[nodiscard]] Result<StateBatch> parse_state(std::string_view json);
/// The entries to restore for a start at (session, next_sequence): those of that session before it, of `epoch_floor` or
/// later, in order of position, later ones of one instrument last. What several epochs learnt alike comes once.
[[nodiscard]] std::vector<StateEntry> entries_before(const std::vector<StateBatch>& batches, std::string_view session,
                                                     std::uint64_t next_sequence, std::uint64_t epoch_floor = 0);
/// Whether no start from a checkpoint of that session and floor takes anything from the batch. Then none from a later
/// checkpoint does that follows from it: another session's floor is the epoch that joins it, and floors never fall.
[[nodiscard]] bool gone(const StateBatch& batch, std::string_view session, std::uint64_t epoch_floor) noexcept;

}  // namespace tickbridge::journal
