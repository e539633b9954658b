#include "exchange/day_plan.h"

#include <algorithm>
#include <string_view>

namespace tickbridge::exchange {
namespace {

constexpr std::uint64_t at(std::uint64_t hour, std::uint64_t minute = 0, std::uint64_t second = 0) {
  return (hour * 3600 + minute * 60 + second) * kNanosecondsPerSecond;
}

/// Messages of the scenes whose number varies with the session's size.
struct Shares {
  std::uint64_t early = 0, imbalances = 0, crosses = 1, late = 0, burst = 0, day = 0;
};

class Planner {
 public:
  Planner(std::uint64_t messages, std::uint32_t instruments) : instruments_{instruments} {
    compose({});
    const std::uint64_t certain = total();
    scenes_.clear();
    compose(divide(messages > certain ? messages - certain : 0));
    cut(messages);
  }
  std::vector<Scene> take() { return std::move(scenes_); }

 private:
  [[nodiscard]] Shares divide(std::uint64_t rest) const {
    Shares shares;
    shares.early = rest / 50;
    shares.late = rest / 100;
    shares.burst = std::min(kBurstMessages, rest / 8);
    shares.imbalances = std::min<std::uint64_t>(instruments_, rest / 200);
    shares.crosses = 1 + std::min<std::uint64_t>(instruments_ - 1, rest / 200);
    shares.day = rest - shares.early - shares.late - shares.burst - 2 * shares.imbalances - 2 * (shares.crosses - 1);
    return shares;
  }
  void add(SceneKind kind, char letter, std::uint64_t count, std::uint64_t begin, std::uint64_t end) {
    if (count > 0) scenes_.push_back({kind, letter, count, begin, end});
  }
  void once(SceneKind kind, char letter, std::uint64_t time) { add(kind, letter, 1, time, time); }

  void compose(const Shares& shares) {
    morning(shares);
    opening(shares);
    intraday(shares);
    evening(shares);
  }
  void morning(const Shares& shares) {
    once(SceneKind::kEvent, 'O', at(3, 0, 5));
    add(SceneKind::kListing, ' ', 3ULL * instruments_, at(3, 5), at(3, 6));
    add(SceneKind::kPositions, ' ', instruments_, at(3, 6), at(3, 7));
    once(SceneKind::kNotice, 'V', at(3, 30));
    once(SceneKind::kEvent, 'S', at(4));
    add(SceneKind::kTrading, ' ', shares.early, at(4), at(9, 15));
    once(SceneKind::kNotice, 'K', at(9, 15));
    once(SceneKind::kNotice, 'O', at(9, 20));
    add(SceneKind::kImbalance, 'O', 1 + shares.imbalances, at(9, 28), at(9, 29, 58));
  }
  void opening(const Shares& shares) {
    once(SceneKind::kEvent, 'Q', kOpeningBell);
    const std::uint64_t dense = shares.burst * 480 / kBurstMessages;
    const std::uint64_t before = (shares.burst - dense) / 2;
    add(SceneKind::kTrading, ' ', before, kOpeningBell, kOpeningBell + 699'999);
    add(SceneKind::kTrading, ' ', dense, kOpeningBell + 700'000, kOpeningBell + 1'699'999);
    add(SceneKind::kTrading, ' ', shares.burst - dense - before, kOpeningBell + 1'700'000,
        kOpeningBell + kBurstNanoseconds);
    add(SceneKind::kCross, 'O', shares.crosses, kOpeningBell + kBurstNanoseconds, at(9, 30, 1));
  }
  void intraday(const Shares& shares) {
    const std::uint64_t part = shares.day / 4;
    for (const char type : std::string_view{"AAAFAXUECDP"}) once(SceneKind::kCertain, type, at(9, 30, 1));
    add(SceneKind::kTrading, ' ', shares.day - 3 * part, at(9, 30, 1), at(10));
    once(SceneKind::kHalt, 'P', at(10));
    add(SceneKind::kTrading, ' ', part, at(10), at(12));
    once(SceneKind::kNotice, 'J', at(12));
    once(SceneKind::kHalt, 'T', at(12, 0, 1));
    once(SceneKind::kOperationalHalt, 'H', at(12, 5));
    add(SceneKind::kTrading, ' ', part, at(12, 5), at(14));
    once(SceneKind::kOperationalHalt, 'T', at(14));
    once(SceneKind::kNotice, 'B', at(14, 1));
    once(SceneKind::kNotice, 'N', at(14, 2));
    once(SceneKind::kNotice, 'W', at(14, 3));
    add(SceneKind::kTrading, ' ', part, at(14, 3), at(15, 55));
  }
  void evening(const Shares& shares) {
    add(SceneKind::kImbalance, 'C', 1 + shares.imbalances, at(15, 55), at(15, 59, 59));
    once(SceneKind::kEvent, 'M', at(16));
    add(SceneKind::kCross, 'C', shares.crosses, at(16), at(16, 0, 2));
    add(SceneKind::kTrading, ' ', shares.late, at(16, 0, 2), at(19, 59, 59));
    once(SceneKind::kEvent, 'E', at(20));
    once(SceneKind::kEvent, 'C', at(20, 5));
  }
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const Scene& scene : scenes_) sum += scene.count;
    return sum;
  }
  void cut(std::uint64_t messages) {
    for (Scene& scene : scenes_) {
      scene.count = std::min(scene.count, messages);
      messages -= scene.count;
    }
  }

  std::uint32_t instruments_;
  std::vector<Scene> scenes_;
};

}  // namespace

std::uint32_t listed_instruments(std::uint64_t messages, std::uint32_t wanted) noexcept {
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(messages / 16, 1, std::max(1U, wanted)));
}

std::vector<Scene> plan_day(std::uint64_t messages, std::uint32_t instruments) {
  return Planner{messages, instruments}.take();
}

}  // namespace tickbridge::exchange
