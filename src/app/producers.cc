#include "app/producers.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iterator>

namespace tickbridge::app {

void Producers::configure(std::shared_ptr<const config::Config> config, bool renewed) {
  std::vector<Shared> before;  // may end here: without the lock
  const std::scoped_lock lock{mutex_};
  config_ = std::move(config);
  if (renewed) before = std::exchange(shared_, {});
}

std::shared_ptr<const config::Config> Producers::config() {
  const std::scoped_lock lock{mutex_};
  return config_;
}

Result<std::shared_ptr<sink::Producer>> Producers::get(const config::Feed& feed) {
  const std::scoped_lock opening{opening_};
  const bool own = feed.sink.delivery == sink::Delivery::kTransactional;
  const std::string name = own ? feed.name : std::string{};
  std::vector<Shared> dead;  // may end here: without the lock, because the main thread waits for that one
  {
    const std::scoped_lock lock{mutex_};
    const auto failed =
        std::ranges::partition(shared_, [](const Shared& shared) { return !shared.producer->failed(); });
    std::ranges::move(failed, std::back_inserter(dead));
    shared_.erase(failed.begin(), failed.end());
    for (const Shared& shared : shared_) {
      if (shared.delivery == feed.sink.delivery && shared.send == feed.sink.send && shared.feed == name)
        return shared.producer;
    }
  }
  // The library's thread may tell before create() has returned the producer; who it is is known to the feeds only
  // later.
  auto self = std::make_shared<std::atomic<const sink::Producer*>>(nullptr);  // outlives either side
  const auto config = this->config();
  auto made = sink::Producer::create(
      config->producer, feed.sink.delivery, feed.sink.send,
      [this, self](const Error& problem) { on_fatal_(self->load(), problem); },
      own ? fmt::format("{}-{}", config->producer.transactional_id_prefix, feed.name) : std::string{}, &counts_);
  if (!made) return made.error();
  std::shared_ptr<sink::Producer> producer{std::move(*made)};
  self->store(producer.get());
  const std::scoped_lock lock{mutex_};
  shared_.push_back({feed.sink.delivery, feed.sink.send, name, producer});
  return producer;
}

Result<std::unique_ptr<sink::Lane>> Producers::open_lane(sink::Producer& producer, const config::Feed& feed,
                                                         metrics::FeedMetrics& metrics, sink::LaneEvents events,
                                                         milliseconds deadline) {
  const std::scoped_lock opening{opening_};
  const auto config = this->config();
  return producer.open_lane(feed.name, feed.sink, config->topics, config->feeds.size(), metrics, std::move(events),
                            deadline);
}

void Producers::retire(const sink::Producer* producer) {
  const std::scoped_lock lock{mutex_};
  std::erase_if(shared_, [producer](const Shared& shared) { return shared.producer.get() == producer; });
}

std::vector<std::shared_ptr<sink::Producer>> Producers::all() {
  const std::scoped_lock lock{mutex_};
  std::vector<std::shared_ptr<sink::Producer>> producers;
  for (const Shared& shared : shared_) producers.push_back(shared.producer);
  return producers;
}

bool Producers::can_write() {
  const auto producers = all();
  return std::all_of(producers.begin(), producers.end(), [](const auto& producer) { return producer->can_write(); });
}

bool Producers::progressing(milliseconds limit) {
  const auto producers = all();
  return std::ranges::all_of(producers, [limit](const auto& producer) { return producer->progressing(limit); });
}

}  // namespace tickbridge::app
