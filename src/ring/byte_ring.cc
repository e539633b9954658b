#include "ring/byte_ring.h"

#include "base/check.h"

namespace tickbridge::ring {

ByteRing::ByteRing(Mapping memory, std::size_t cut_spacing)
    : memory_{std::move(memory)}, cut_spacing_{cut_spacing}, cuts_(memory_.size() / cut_spacing + 2) {}

ByteRing::ByteRing(ByteRing&& other) noexcept
    : memory_{std::move(other.memory_)}, cut_spacing_{other.cut_spacing_}, cuts_{std::move(other.cuts_)} {}

Result<ByteRing> ByteRing::create(std::size_t bytes, std::size_t cut_spacing) {
  auto memory = Mapping::create(bytes);
  if (!memory) return memory.error();
  return ByteRing{std::move(*memory), cut_spacing};
}

MutableBytes ByteRing::writable() const noexcept {
  // acquire: partner of the release in release(); the committer is done with the memory that we write next.
  return {memory_.at(written_), free_bytes(released_.load(std::memory_order_acquire))};
}

Bytes ByteRing::unpublished() const noexcept {
  const std::uint64_t published = published_.load(std::memory_order_relaxed);
  return {memory_.at(published), written_ - published};
}

void ByteRing::publish(std::size_t n, std::int64_t received_ns, std::int64_t arrived_ns) noexcept {
  if (n == 0) return;
  const std::uint64_t before = published_.load(std::memory_order_relaxed);
  const std::uint64_t end = before + n;
  check(end <= written_, "published no more than was written");
  if (claimed_.load(std::memory_order_relaxed) == before) {  // nobody reads these two before they are published
    fresh_ns_.store(arrived_ns, std::memory_order_relaxed);
    fresh_from_.store(before, std::memory_order_relaxed);
  }
  if (end - last_cut_ >= cut_spacing_) {
    const std::uint64_t made = cuts_made_.load(std::memory_order_relaxed);
    cuts_[made % cuts_.size()] = {end, received_ns, arrived_ns};
    cuts_made_.store(made + 1, std::memory_order_release);  // partner: the acquire in claim()
    last_cut_ = end;
  }
  published_ns_.store(received_ns, std::memory_order_relaxed);
  arrived_ns_.store(arrived_ns, std::memory_order_relaxed);
  published_.store(end, std::memory_order_release);  // partner: the acquire in claim() and has_unclaimed()
}

Claim ByteRing::claim(std::size_t max_bytes) noexcept {
  // published_ first: a cut at or before it is then visible, so what lies behind the last visible cut and before
  // `published` is less than one spacing and a packet.
  const std::uint64_t published = published_.load(std::memory_order_acquire);
  Claim claim;
  claim.begin = claim.end = claimed_.load(std::memory_order_relaxed);
  std::int64_t arrived_ns = 0;  // of its end
  const std::uint64_t made = cuts_made_.load(std::memory_order_acquire);
  for (; next_cut_ != made; ++next_cut_) {
    const Cut& cut = cuts_[next_cut_ % cuts_.size()];
    if (cut.end <= claim.begin) continue;  // claimed by the published boundary before
    if (claim.size() != 0 && cut.end - claim.begin > max_bytes) break;
    claim.end = cut.end;
    claim.received_ns = cut.received_ns;
    arrived_ns = cut.arrived_ns;
  }
  if (next_cut_ == made && published > claim.end && (claim.size() == 0 || published - claim.begin <= max_bytes)) {
    claim.end = published;
    claim.received_ns = published_ns_.load(std::memory_order_relaxed);
    arrived_ns = arrived_ns_.load(std::memory_order_relaxed);
  }
  if (claim.size() == 0) return claim;
  const bool fresh = fresh_from_.load(std::memory_order_relaxed) == claim.begin;
  claim.arrived_ns = fresh ? fresh_ns_.load(std::memory_order_relaxed) : claimed_ns_;
  claimed_ns_ = arrived_ns;
  claimed_.store(claim.end, std::memory_order_relaxed);
  return claim;
}

bool ByteRing::wait_for_space(std::size_t n) noexcept {
  const std::uint64_t released = written_ + n - memory_.size();  // what must have been released by then
  if (written_ + n <= memory_.size()) return true;
  wake_at_.store(released, std::memory_order_seq_cst);
  // The committer releases, then looks at wake_at_; we set wake_at_, then look at released_. Both sides use
  // seq_cst read-modify-writes or stores on the one and loads on the other, so one of the two sees the other.
  if (released_.load(std::memory_order_seq_cst) < released) return false;
  return wake_at_.exchange(0, std::memory_order_seq_cst) != 0;
}

bool ByteRing::release(std::uint64_t end) noexcept {
  released_.exchange(end, std::memory_order_seq_cst);  // partners: writable(), wait_for_space()
  std::uint64_t wanted = wake_at_.load(std::memory_order_seq_cst);
  return wanted != 0 && wanted <= end && wake_at_.compare_exchange_strong(wanted, 0, std::memory_order_seq_cst);
}

}  // namespace tickbridge::ring
