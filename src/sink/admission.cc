#include "sink/admission.h"

#include <algorithm>

namespace tickbridge::sink {

Charge InFlight::release(std::uint64_t count) noexcept {
  // The average is taken from the word that is replaced: a committer that gives back what was refused and the
  // delivery thread that releases what was delivered must not both take their part of the same bytes.
  std::uint64_t word = word_.load();
  Charge part;
  do {
    const Charge all = unpack(word);
    part = {count, count == all.count ? all.bytes : all.bytes / all.count * count};
  } while (!word_.compare_exchange_weak(word, word - pack(part)));
  return part;
}

Admitted Admission::admit(std::span<const Outgoing> records, std::uint64_t fixed_cost) const noexcept {
  const Charge used = in_flight_.load();
  const bool idle = used.count == 0;
  if (limits_.one_at_a_time && !idle) return {.charge = {}, .refused_cost = 1};
  const std::uint64_t most = limits_.share.count - std::min(limits_.share.count, used.count);
  const std::uint64_t room = limits_.share.bytes - std::min(limits_.share.bytes, used.bytes);
  const std::size_t end = std::min<std::size_t>(records.size(), most);

  Admitted result;
  std::int64_t timestamps = 0;
  std::uint64_t bytes = 0;
  std::size_t n = 0;
  for (; n < end; ++n) {
    const Outgoing& record = records[n];
    const std::uint64_t cost = fixed_cost + record.key_size + record.value_size;
    if (bytes + cost > room && !(idle && n == 0)) break;
    bytes += cost;
    timestamps |= record.timestamp_ms;
  }
  result.charge = {n, bytes};
  result.timestamps = timestamps != 0;
  if (n < records.size()) result.refused_cost = fixed_cost + records[n].key_size + records[n].value_size;
  return result;
}

bool Admission::has_room(Charge used, std::uint64_t cost) const noexcept {
  if (used.count == 0) return true;
  if (limits_.one_at_a_time) return false;
  const std::uint64_t free_bytes = limits_.share.bytes - std::min(limits_.share.bytes, used.bytes);
  return used.count <= limits_.share.count / 4 * 3 && free_bytes >= std::max(limits_.share.bytes / 4, cost);
}

// No wake-up is lost: the committer writes waiting_ and then reads in_flight_, the delivery thread writes
// in_flight_ and then reads waiting_, all sequentially consistent. In their single order either the committer's
// read comes after the delivery thread's write (it sees the room), or the delivery thread's read comes after the
// committer's write (it sees that somebody waits). If both see it, the exchange of waiting_ gives the wake-up to
// one of them.
bool Admission::ask_for_room(std::uint64_t cost) noexcept {
  wanted_.store(cost);
  waiting_.exchange(true);                               // pairs with release(): waiting_.load
  if (!has_room(in_flight_.load(), cost)) return false;  // pairs with release(): in_flight_.subtract
  return waiting_.exchange(false);                       // false: release() took it and wakes the committer
}

bool Admission::release(Charge charge) noexcept {
  const Charge used = in_flight_.subtract(charge);  // pairs with ask_for_room(): in_flight_.load
  if (!waiting_.load()) return false;               // pairs with ask_for_room(): waiting_.exchange
  return has_room(used, wanted_.load()) && waiting_.exchange(false);
}

}  // namespace tickbridge::sink
