#include "exchange/pacer.h"

#include <algorithm>
#include <limits>

namespace tickbridge::exchange {
namespace {

constexpr std::size_t kTimeOffset = 5;
constexpr std::size_t kTimedMessage = 11;

}  // namespace

Pacer::Pacer(Bytes records, std::uint32_t loops, std::uint64_t rate, double pace)
    : records_{records}, loops_{loops}, rate_{rate}, pace_{pace} {
  first_time_ = last_time_ = time_at(0);
}

void Pacer::start(SteadyTime now) noexcept {
  if (!started_) started_ = now;
}

std::uint64_t Pacer::messages(SteadyTime now) noexcept {
  if (unlimited()) return std::numeric_limits<std::uint64_t>::max();
  if (!started_ || now < *started_) return 0;
  const auto elapsed = static_cast<std::uint64_t>(std::chrono::nanoseconds(now - *started_).count());
  if (rate_ == 0) return paced(static_cast<std::uint64_t>(static_cast<double>(elapsed) * pace_));
  constexpr std::uint64_t kSecond = 1'000'000'000;
  return elapsed / kSecond * rate_ + elapsed % kSecond * rate_ / kSecond;
}

std::uint64_t Pacer::paced(std::uint64_t elapsed_ns) noexcept {
  while (loop_ < loops_ && !records_.empty()) {
    const std::uint64_t time = time_at(offset_);
    if (loops_time_ + time - first_time_ > elapsed_ns) break;
    last_time_ = time;
    offset_ += 2 + std::size_t{load_be<std::uint16_t>(records_, offset_)};
    ++messages_;
    if (offset_ < records_.size()) continue;
    offset_ = 0;
    ++loop_;
    loops_time_ += last_time_ - first_time_;
    last_time_ = first_time_;
  }
  return messages_;
}

/// The message's time; one without a time of its own, or that goes back, counts as due with the one before it.
std::uint64_t Pacer::time_at(std::size_t offset) const noexcept {
  if (records_.size() < offset + 2 + kTimedMessage) return last_time_;
  if (load_be<std::uint16_t>(records_, offset) < kTimedMessage) return last_time_;
  return std::max(last_time_, load_be48(records_, offset + 2 + kTimeOffset));
}

}  // namespace tickbridge::exchange
