#include "doctor/kafka_world.h"

#include <utility>

namespace tickbridge::doctor {

bool journaled(const config::Feed& feed) noexcept { return feed.codec.transport != codec::Transport::kFrames; }

const Result<sink::Cluster>& KafkaWorld::cluster() {
  if (!cluster_) cluster_ = sink::look_at_cluster(config_.producer, SteadyClock::now() + kPatience);
  return *cluster_;
}

bool KafkaWorld::real() {
  constexpr int kDescribeConfigs = 32;
  const Result<sink::Cluster>& found = cluster();
  if (!found || found->brokers.empty()) return false;
  return found->brokers.front().versions.contains(kDescribeConfigs);
}

Result<KafkaWorld::Side*> KafkaWorld::side(const config::Feed& feed) {
  std::unique_ptr<Side>& side = sides_[{feed.sink.delivery, feed.sink.send}];
  if (side) return side.get();
  auto client = sink::SideClient::like_producer(config_.producer, feed.sink.delivery, feed.sink.send);
  if (!client) return client.error();
  side = std::make_unique<Side>();
  side->client = std::move(*client);
  side->topics = std::make_unique<sink::Topics>(
      side->client->client(), [at = side.get()](const std::string& text) { at->warnings.push_back(text); });
  return side.get();
}

Result<sink::Client*> KafkaWorld::client(const config::Feed& feed) {
  const Result<Side*> found = side(feed);
  if (!found) return found.error();
  return &(*found)->client->client();
}

const FoundTopic& KafkaWorld::find(const config::Feed& feed, const std::string& name, Open open, char kind) {
  const std::tuple key{feed.sink.delivery, kind, name};
  if (const auto known = found_.find(key); known != found_.end()) return known->second;
  const Result<Side*> with = side(feed);
  if (!with) return found_.emplace(key, FoundTopic{with.error(), {}}).first->second;
  (*with)->warnings.clear();
  Result<sink::Topic*> topic = ((*with)->topics.get()->*open)(name, config_.topics, SteadyClock::now() + kPatience);
  return found_.emplace(key, FoundTopic{std::move(topic), std::exchange((*with)->warnings, {})}).first->second;
}

const FoundTopic& KafkaWorld::data(const config::Feed& feed) {
  return find(feed, feed.sink.topic, &sink::Topics::open_data, 'd');
}

const FoundTopic& KafkaWorld::dead_letters(const config::Feed& feed) {
  return find(feed, feed.sink.dead_letter_topic, &sink::Topics::open_dead_letters, 'l');
}

const FoundTopic& KafkaWorld::notes(const std::string& name) {
  return find(config_.feeds.front(), name, &sink::Topics::open_notes, 'n');
}

}  // namespace tickbridge::doctor
