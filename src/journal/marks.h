#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "journal/checkpoint.h"

namespace tickbridge::journal {

/// What a partition has been handed in this life, up to some point of the feed.
struct Handed {
  std::uint64_t count = 0;  ///< records
  Position position;        ///< of the last one, or matched by alignment
  std::uint64_t hash = 0;   ///< of the last one
};

/// A point of the feed between two packets: what had been handed over when commit passed it.
struct Mark {
  std::uint64_t next_sequence = 1;
  FunctionState state;
  std::vector<Handed> handed;       ///< by partition
  std::uint64_t dead_letters = 0;   ///< handed over in this life
  std::uint64_t state_batches = 0;  ///< that have to be acknowledged before this mark counts
};

/// What Kafka has acknowledged of a partition in this life, as the sink knows it.
struct Acked {
  std::uint64_t count = 0;        ///< records
  std::int64_t last_offset = -1;  ///< of record number `count`; known once count > 0
  /// Records up to this count lie before the newest jump in the offsets: their offsets are not last_offset less a
  /// count.
  std::uint64_t before_jump = 0;
  /// Exactly once: there was a jump that nobody has judged yet. The partition stays where it is, because a checkpoint
  /// behind the jump would leave what lies there untold for good. Must become true no later than `count` passes the
  /// jump.
  bool jumped = false;
};

/// Marks that are not fully acknowledged yet; turns acknowledgements into what a checkpoint says (recovery.md, "What a
/// checkpoint holds", 1). Bounded: when there are too many, every second one is forgotten. One thread at a time.
class Marks {
 public:
  /// `start`: what is in force at the start of this life (what the start checkpoint says, after alignment of nothing).
  /// `handed`: by partition, what had been handed over in this life before, all of it acknowledged (a barrier's; empty:
  /// 0).
  Marks(std::uint64_t next_sequence, FunctionState state, std::vector<PartitionState> start,
        std::vector<std::uint64_t> handed = {});

  void add(Mark mark);
  /// While aligning: the last record of `partition` that was found in the log. Moves its position and offset, as long
  /// as nothing of it was handed over and proved. Call it before acknowledge() for whatever was found before the newest
  /// mark: next_sequence may pass it then.
  void matched(std::int32_t partition, const PartitionState& found);

  /// Takes the acknowledgements in. REQUIRES: `acked` by partition, never smaller than before.
  void acknowledge(const std::vector<Acked>& acked, std::uint64_t dead_letters, std::uint64_t state_batches);

  /// What is proved now: each partition's own newest position; next_sequence and the state wait for the slowest.
  [[nodiscard]] const std::vector<PartitionState>& partitions() const noexcept { return partitions_; }
  [[nodiscard]] std::uint64_t next_sequence() const noexcept { return next_sequence_; }
  [[nodiscard]] const FunctionState& state() const noexcept { return state_; }
  /// True when the newest mark is fully acknowledged: nothing that was handed over before it is pending.
  [[nodiscard]] bool settled() const noexcept { return marks_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return marks_.size(); }

 private:
  void move_partition(std::size_t p, const Acked& acked);
  [[nodiscard]] bool covered(const Mark& mark, std::uint64_t dead_letters, std::uint64_t state_batches) const;

  std::uint64_t next_sequence_;
  FunctionState state_;
  std::vector<PartitionState> partitions_;
  std::vector<std::uint64_t> proved_;  // by partition: the count of records in this life that partitions_ stands for
  std::deque<Mark> marks_;
};

}  // namespace tickbridge::journal
