#include "metrics/registry.h"

#include <algorithm>

namespace tickbridge::metrics {

Registry::Registry() : Registry{TICKBRIDGE_VERSION} {}

Registry::Registry(std::string version, SteadyTime started, std::vector<std::pair<std::string, std::string>> build)
    : version_{std::move(version)}, started_{started}, build_{std::move(build)} {}

FeedMetrics& Registry::add_feed(std::string_view name) {
  const std::scoped_lock lock{mutex_};
  const auto found = std::ranges::find_if(feeds_, [&](const Listed& entry) { return entry.feed->feed() == name; });
  if (found == feeds_.end())
    return *feeds_.emplace_back(Listed{std::make_unique<FeedMetrics>(std::string{name})}).feed;
  found->listed = true;
  return *found->feed;
}

void Registry::remove_feed(std::string_view name) {
  const std::scoped_lock lock{mutex_};
  for (Listed& entry : feeds_) {
    if (entry.feed->feed() == name) entry.listed = false;
  }
}

std::vector<const FeedMetrics*> Registry::feeds() const {
  const std::scoped_lock lock{mutex_};
  std::vector<const FeedMetrics*> all;
  all.reserve(feeds_.size());
  for (const Listed& entry : feeds_) {
    if (entry.listed) all.push_back(entry.feed.get());
  }
  return all;
}

double Registry::uptime_seconds(SteadyTime now) const noexcept {
  return std::chrono::duration<double>(now - started_).count();
}

}  // namespace tickbridge::metrics
