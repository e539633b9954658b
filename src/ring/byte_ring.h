#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/cache_line.h"
#include "base/result.h"
#include "ring/mapping.h"

namespace tickbridge::ring {

/// A run of whole packets, claimed by one reader.
struct Claim {
  std::uint64_t begin = 0;  ///< positions: bytes since the ring was made
  std::uint64_t end = 0;
  std::int64_t received_ns = 0;  ///< wall time of the read that brought its last byte
  std::int64_t arrived_ns = 0;   ///< when its first byte arrived, or a little earlier: what was published before it
  [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
};

/// One feed's bytes between the thread that reads the socket and those that decode.
///
///     released ≤ claimed ≤ published ≤ written ≤ released + size
///
/// The writer fills writable(), finds out how far whole packets reach and publishes that. Readers claim
/// what is published, in order, and release it in order when it has been committed. Nothing is copied
/// and nothing is allocated after construction.
///
/// A published boundary may be any packet's end. So that a reader can take a part of a long backlog, the
/// writer leaves a cut each `cut_spacing` bytes: claims end at a cut, or at the published boundary itself.
class ByteRing {
 public:
  /// `bytes` is rounded up to a power of two. A claim of max_bytes ends at a cut, so cut_spacing should be a
  /// small part of it. Errors: kInternal.
  [[nodiscard]] static Result<ByteRing> create(std::size_t bytes, std::size_t cut_spacing);
  ByteRing(ByteRing&& other) noexcept;

  // --- the writer: one thread at a time ---

  /// Free memory behind what was written; empty when the ring is full.
  [[nodiscard]] MutableBytes writable() const noexcept;
  /// `n` bytes of writable() are filled now.
  void wrote(std::size_t n) noexcept { written_ += n; }
  /// Written, not yet published.
  [[nodiscard]] Bytes unpublished() const noexcept;
  /// Publishes the first `n` unpublished bytes. REQUIRES: they end with a whole packet.
  void publish(std::size_t n, std::int64_t received_ns) noexcept { publish(n, received_ns, received_ns); }
  /// None of them arrived before arrived_ns.
  void publish(std::size_t n, std::int64_t received_ns, std::int64_t arrived_ns) noexcept;
  /// Forgets what was not published (a packet that a broken connection left incomplete).
  void discard_unpublished() noexcept { written_ = published_.load(std::memory_order_relaxed); }
  /// Says that the writer waits for `n` free bytes. true: they are free already, and nobody will wake it.
  [[nodiscard]] bool wait_for_space(std::size_t n) noexcept;

  // --- readers: one at a time (they hold the feed's claim flag) ---

  /// Takes up to max_bytes of what is published, at least one cut. size() == 0: nothing there.
  [[nodiscard]] Claim claim(std::size_t max_bytes) noexcept;

  // --- the committer: one at a time ---

  /// Gives memory back, in order. true: the writer waits for space and must be woken by the caller.
  [[nodiscard]] bool release(std::uint64_t end) noexcept;

  // --- any thread ---

  [[nodiscard]] bool has_unclaimed() const noexcept {
    return published_.load(std::memory_order_acquire) != claimed_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t published() const noexcept { return published_.load(std::memory_order_acquire); }
  /// True when all that was published has been released.
  [[nodiscard]] bool drained() const noexcept {
    return released_.load(std::memory_order_acquire) == published_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::size_t used() const noexcept {
    return published_.load(std::memory_order_relaxed) - released_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t size() const noexcept { return memory_.size(); }
  /// The bytes of a claim. They stay until it is released.
  [[nodiscard]] Bytes bytes(std::uint64_t begin, std::uint64_t end) const noexcept {
    return {memory_.at(begin), end - begin};
  }

 private:
  struct Cut {
    std::uint64_t end;
    std::int64_t received_ns;
    std::int64_t arrived_ns;
  };
  ByteRing(Mapping memory, std::size_t cut_spacing);
  [[nodiscard]] std::size_t free_bytes(std::uint64_t released) const noexcept {
    return memory_.size() - (written_ - released);
  }

  // constant after construction
  Mapping memory_;
  std::size_t cut_spacing_;

  // cuts_[i % size] is written before cuts_made_ reaches i + 1. There are at most size / cut_spacing between
  // released and published, and the vector is longer, so that none is overwritten before its bytes are released.
  std::vector<Cut> cuts_;

  // writer only
  alignas(kCacheLine) std::uint64_t written_ = 0;
  std::uint64_t last_cut_ = 0;

  // written by the writer, read by readers
  alignas(kCacheLine) std::atomic<std::uint64_t> published_{0};
  std::atomic<std::int64_t> published_ns_{0};
  std::atomic<std::int64_t> arrived_ns_{0};
  // what was published last while all before it had been claimed: where it begins, and its time
  std::atomic<std::uint64_t> fresh_from_{0};
  std::atomic<std::int64_t> fresh_ns_{0};
  std::atomic<std::uint64_t> cuts_made_{0};

  // written by the holder of the claim flag
  alignas(kCacheLine) std::atomic<std::uint64_t> claimed_{0};
  std::uint64_t next_cut_ = 0;
  std::int64_t claimed_ns_ = 0;  // arrived_ns of what the last claim ends with

  // written by the committer, read by the writer
  alignas(kCacheLine) std::atomic<std::uint64_t> released_{0};
  // released position at which the waiting writer wants to be woken; 0: it does not wait
  alignas(kCacheLine) std::atomic<std::uint64_t> wake_at_{0};
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace tickbridge::ring
