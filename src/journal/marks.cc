#include "journal/marks.h"

#include <utility>

#include "base/check.h"

namespace tickbridge::journal {
namespace {

constexpr std::size_t kMost = 64;

// Forgets every second one, oldest first, never the newest.
void thin(std::deque<Mark>& marks) {
  std::deque<Mark> kept;
  const std::size_t newest = marks.size() - 1;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (i % 2 == 1 || i == newest) kept.push_back(std::move(marks[i]));
  }
  marks = std::move(kept);
}

}  // namespace

Marks::Marks(std::uint64_t next_sequence, FunctionState state, std::vector<PartitionState> start,
             std::vector<std::uint64_t> handed)
    : next_sequence_{next_sequence},
      state_{std::move(state)},
      partitions_{std::move(start)},
      proved_{std::move(handed)} {
  proved_.resize(partitions_.size(), 0);
}

void Marks::add(Mark mark) {
  check(mark.handed.size() == partitions_.size(), "a mark has as many partitions as the checkpoint");
  marks_.push_back(std::move(mark));
  if (marks_.size() > kMost) thin(marks_);
}

void Marks::matched(std::int32_t partition, const PartitionState& found) {
  const auto p = static_cast<std::size_t>(partition);
  if (proved_[p] == 0) partitions_[p] = found;
}

void Marks::acknowledge(const std::vector<Acked>& acked, std::uint64_t dead_letters, std::uint64_t state_batches) {
  for (std::size_t p = 0; p < partitions_.size(); ++p) move_partition(p, acked[p]);
  for (std::size_t i = marks_.size(); i-- > 0;) {
    if (!covered(marks_[i], dead_letters, state_batches)) continue;
    next_sequence_ = marks_[i].next_sequence;
    state_ = std::move(marks_[i].state);
    marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return;
  }
}

void Marks::move_partition(std::size_t p, const Acked& acked) {
  if (acked.jumped) return;
  for (auto mark = marks_.rbegin(); mark != marks_.rend(); ++mark) {
    const Handed& handed = mark->handed[p];
    if (handed.count > acked.count) continue;
    const bool offset_known = handed.count > acked.before_jump || handed.count == acked.count;
    if (handed.count > proved_[p] && offset_known) {
      const auto behind = static_cast<std::int64_t>(acked.count - handed.count);
      partitions_[p] = {.position = handed.position, .offset = acked.last_offset - behind, .hash = handed.hash};
      proved_[p] = handed.count;
    }
    return;  // older marks have no more to say
  }
}

// Not by what is acknowledged but by what is proved: a record before next_sequence that lies behind its partition's
// offset would meet no record of the replay.
bool Marks::covered(const Mark& mark, std::uint64_t dead_letters, std::uint64_t state_batches) const {
  for (std::size_t p = 0; p < partitions_.size(); ++p) {
    if (mark.handed[p].count > proved_[p]) return false;
  }
  return mark.dead_letters <= dead_letters && mark.state_batches <= state_batches;
}

}  // namespace tickbridge::journal
