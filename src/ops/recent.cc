#include "ops/recent.h"

#include <algorithm>
#include <cmath>

namespace tickbridge::ops {

namespace {

using metrics::FeedCounter;
using metrics::Stage;
using namespace std::chrono_literals;

constexpr auto kStep = 5s;            // between two counts that are kept
constexpr auto kLongest = 2 * kStep;  // older ones are used only where there is nothing newer
constexpr auto kShortest = 500ms;     // a shorter time says nothing

double seconds(SteadyClock::duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

Recent::Counts Recent::count(const metrics::FeedMetrics& feed, SteadyTime now) {
  Counts counts{.at = now,
                .messages = feed.value(FeedCounter::kMessagesReceived),
                .acknowledged = feed.value(FeedCounter::kMessagesAcknowledged),
                .bytes = feed.value(FeedCounter::kBytesReceived),
                .latency = {}};
  for (std::size_t stage = 0; stage < metrics::kStages; ++stage) {
    feed.latency(static_cast<Stage>(stage)).for_each([&](std::uint64_t end_ns, std::uint64_t n) {
      counts.latency[stage].emplace_back(end_ns, n);
    });
  }
  return counts;
}

void Recent::look(const metrics::Registry& registry, SteadyTime now) {
  const auto up = std::chrono::duration<double>{registry.uptime_seconds(now)};
  const Counts nothing{.at = now - std::chrono::duration_cast<SteadyClock::duration>(up), .latency = {}};
  std::map<std::string, Kept> seen;  // a feed that is not there any more is forgotten
  for (const metrics::FeedMetrics* feed : registry.feeds()) {
    auto known = feeds_.extract(feed->feed());
    Kept kept = known ? std::move(known.mapped()) : Kept{nothing, nothing, nothing};
    kept.now = count(*feed, now);
    if (now - kept.newer.at >= kStep) {
      kept.older = std::move(kept.newer);
      kept.newer = kept.now;
    }
    seen.emplace(feed->feed(), std::move(kept));
  }
  feeds_ = std::move(seen);
}

const Recent::Counts& Recent::base_of(const Kept& kept) {
  const bool old = kept.now.at - kept.older.at > kLongest;
  return old && kept.now.at - kept.newer.at >= kShortest ? kept.newer : kept.older;
}

Lately::Times Recent::times(const Buckets& before, const Buckets& now) {
  Buckets difference;
  Lately::Times times;
  auto old = before.begin();
  for (auto [end_ns, n] : now) {  // counts only grow: what was in a bucket before is in it now
    while (old != before.end() && old->first < end_ns) ++old;
    if (old != before.end() && old->first == end_ns) n -= std::min(n, old->second);
    if (n == 0) continue;
    times.count += n;
    difference.emplace_back(end_ns, n);
  }
  const auto quantile = [&](double share) -> std::uint64_t {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(times.count)));
    std::uint64_t sum = 0;
    for (const auto& [end_ns, n] : difference) {
      sum += n;
      if (sum >= wanted) return end_ns - 1;
    }
    return 0;
  };
  times.median_ns = quantile(0.5);
  times.p99_ns = quantile(0.99);
  times.p999_ns = quantile(0.999);
  times.max_ns = quantile(1);
  return times;
}

Lately Recent::lately(const std::string& feed) const {
  const auto found = feeds_.find(feed);
  if (found == feeds_.end()) return {};
  const Counts& base = base_of(found->second);
  const Counts& now = found->second.now;
  Lately lately{.seconds = seconds(now.at - base.at)};
  if (lately.seconds <= 0) return {};
  const auto rate = [&](std::uint64_t before, std::uint64_t after) {
    return static_cast<double>(after - std::min(before, after)) / lately.seconds;
  };
  lately.messages_per_second = rate(base.messages, now.messages);
  lately.acknowledged_per_second = rate(base.acknowledged, now.acknowledged);
  lately.bytes_per_second = rate(base.bytes, now.bytes);
  for (std::size_t stage = 0; stage < metrics::kStages; ++stage) {
    lately.latency[stage] = times(base.latency[stage], now.latency[stage]);
  }
  return lately;
}

}  // namespace tickbridge::ops
