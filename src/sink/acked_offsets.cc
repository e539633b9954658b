#include "sink/acked_offsets.h"

#include <utility>

namespace tickbridge::sink {

// A reader that finds the version odd or moved looks again. All accesses are sequentially consistent; the count alone
// may move outside: it belongs to the same origin.
template <class Change>
void AckedOffsets::change(const Change& change) noexcept {
  version_.store(version_.load() + 1);
  change();
  version_.store(version_.load() + 1);
}

std::optional<Jump> AckedOffsets::unforeseen(std::uint64_t count, std::int64_t first) noexcept {
  const std::uint64_t before = count_.load();
  const std::uint64_t inferred = inferred_.load();
  const std::uint64_t told = before - inferred;
  const std::int64_t last_origin = last_origin_.load();
  if (first < 0) {  // as if all went on as predicted; the next told offset shows whether it did
    change([&] {
      if (markers_ != 0 && last_origin != kNone) {
        last_origin_.store(last_origin + std::exchange(markers_, 0));
        before_jump_.store(before);
      }
      origin_.store(kNone);
      inferred_.store(inferred + count);
      count_.store(before + count);
    });
    return std::nullopt;
  }
  const std::int64_t origin = first - static_cast<std::int64_t>(before);
  const std::int64_t predicted = last_origin + markers_;  // an origin
  change([&] {
    if (origin != last_origin && last_origin != kNone) before_jump_.store(origin == predicted ? before : told);
    origin_.store(origin);
    last_origin_.store(origin);
    inferred_.store(0);
    count_.store(before + count);
  });
  const std::int64_t markers = std::exchange(markers_, 0);
  if (!watched_ || origin == predicted) return std::nullopt;
  return Jump{.partition = 0,
              .expected = predicted + static_cast<std::int64_t>(told),
              .found = first,
              .unsure = inferred,
              .markers = markers};
}

void AckedOffsets::watch(std::int64_t next) noexcept {
  const std::uint64_t count = count_.load();
  const std::int64_t origin = next - static_cast<std::int64_t>(count);
  watched_ = true;
  markers_ = 0;
  marked_count_ = count;
  change([&] {
    origin_.store(origin);
    last_origin_.store(origin);
    before_jump_.store(count);
    inferred_.store(0);
  });
}

void AckedOffsets::expect_marker() noexcept {
  const std::uint64_t count = count_.load();
  if (std::exchange(marked_count_, count) == count) return;
  ++markers_;
  origin_.store(kNone);
}

Acked AckedOffsets::acked() const noexcept {
  for (;;) {
    const std::uint32_t version = version_.load();
    const std::int64_t origin = last_origin_.load();
    const std::uint64_t before_jump = before_jump_.load();
    const std::uint64_t inferred = inferred_.load();
    const std::uint64_t count = count_.load();
    if (version % 2 != 0 || version_.load() != version) continue;
    const std::int64_t last = origin == kNone || count == 0 ? -1 : origin + static_cast<std::int64_t>(count) - 1;
    return {.count = count, .last_offset = last, .before_jump = before_jump, .told = count - inferred};
  }
}

}  // namespace tickbridge::sink
