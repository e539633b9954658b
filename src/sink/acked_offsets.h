#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>

#include "sink/producer.h"

namespace tickbridge::sink {

/// What one partition has had acknowledged: how many records, and which offsets they have. Offsets follow each other
/// while nobody else writes, so the first message's offset of each delivery event is predicted: origin + count. One
/// compare and one store an event while that holds.
///
/// acknowledge: the delivery thread. watch, markers: another one, while nothing is in flight. acked: any thread.
class AckedOffsets {
 public:
  /// `count` more records. `first`: the first one's offset as its delivery event says it, negative: it does not (a
  /// retry that the broker had already, an implicit acknowledgement). Returns what the offsets say that was not
  /// predicted, if watched.
  [[nodiscard]] std::optional<Jump> acknowledge(std::uint64_t count, std::int64_t first) noexcept {
    const std::uint64_t before = count_.load();
    if (origin_.load() + static_cast<std::int64_t>(before) == first) [[likely]] {
      count_.store(before + count);
      return std::nullopt;
    }
    return unforeseen(count, first);
  }

  /// Predicts from here on: the next record takes the offset `next`.
  void watch(std::int64_t next) noexcept;
  /// A marker of our own has been written, if there were records since the last one.
  void expect_marker() noexcept;

  [[nodiscard]] Acked acked() const noexcept;
  [[nodiscard]] std::uint64_t count() const noexcept { return count_.load(); }

 private:
  /// No offset known, or one to be looked at closely: no first offset equals origin + count then.
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min() / 2;

  std::optional<Jump> unforeseen(std::uint64_t count, std::int64_t first) noexcept;
  template <class Change>
  void change(const Change& change) noexcept;

  std::atomic<std::int64_t> origin_{
      kNone};  ///< the offset of record n (from 0) is origin + n, while all goes as predicted
  std::atomic<std::uint64_t> count_{0};

  // What acked() says besides the count; written between two steps of version_.
  std::atomic<std::uint32_t> version_{0};         ///< odd: being written
  std::atomic<std::int64_t> last_origin_{kNone};  ///< of the newest records: kept while origin_ is kNone
  std::atomic<std::uint64_t> before_jump_{0};
  std::atomic<std::uint64_t> inferred_{0};  ///< of the newest records: acknowledged, with no offset told since

  // The delivery thread, or who else while nothing is in flight.
  bool watched_ = false;
  std::int64_t markers_ = 0;        ///< of ours behind the last record
  std::uint64_t marked_count_ = 0;  ///< records when the last marker was written
};

}  // namespace tickbridge::sink
