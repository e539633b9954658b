#include "app/watcher.h"

#include <fmt/format.h>

#include <charconv>
#include <semaphore>
#include <set>
#include <stop_token>
#include <utility>

#include "base/log.h"
#include "journal/checkpoint.h"
#include "sink/log_reader.h"

namespace tickbridge::app {

namespace {

constexpr milliseconds kEpochLook{1000};  // from one look into the checkpoint topic to the next
constexpr milliseconds kPatience{2000};   // for a topic's metadata

/// producer.metadata.max.age.ms, by the library's name; zero: never.
milliseconds metadata_age(const config::Config& config) {
  const auto& properties = config.producer.properties;
  const auto found = properties.find("topic.metadata.refresh.interval.ms");
  std::int64_t age = 300'000;
  if (found != properties.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), age);
  return milliseconds{std::max<std::int64_t>(age, 0)};
}

}  // namespace

Watcher::Watcher(std::shared_ptr<const config::Config> config, std::string instance, sink::CompactedLog& checkpoints,
                 sink::CompactedLog& states, Events events)
    : instance_{std::move(instance)},
      checkpoints_{checkpoints},
      states_{states},
      events_{std::move(events)},
      config_{std::move(config)},
      looked_at_{SteadyClock::now()} {
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

void Watcher::adopt(std::shared_ptr<const config::Config> config) {
  const std::scoped_lock lock{mutex_};
  config_ = std::move(config);
}

std::shared_ptr<const config::Config> Watcher::config() {
  const std::scoped_lock lock{mutex_};
  return config_;
}

void Watcher::run(const std::stop_token& stop) {
  std::binary_semaphore ended{0};
  const std::stop_callback wake{stop, [&ended] { ended.release(); }};
  // A pause between two looks: a consumer that always waits is half of an idle daemon's CPU time.
  while (!ended.try_acquire_for(kEpochLook)) {
    look_at_epochs();
    const bool lost = checkpoints_.take_lost();
    if (states_.take_lost() || lost) restore_journal();
    const milliseconds look_every = metadata_age(*config());
    if (look_every.count() == 0 || SteadyClock::now() - looked_at_ < look_every) continue;
    look_at_topics(stop);
    restore_journal();
    looked_at_ = SteadyClock::now();
  }
}

void Watcher::look_at_epochs() {
  const auto entries = checkpoints_.read_on("", milliseconds{0});
  if (!entries) return restore_journal();
  for (const sink::Entry& entry : *entries) {
    const std::size_t slash = entry.key.rfind('/');
    if (!entry.value || slash == std::string::npos) continue;
    std::uint64_t epoch = 0;
    std::from_chars(entry.key.data() + slash + 1, entry.key.data() + entry.key.size(), epoch);
    const auto checkpoint = journal::parse_checkpoint(*entry.value);
    if (checkpoint && checkpoint->instance == instance_) continue;
    events_.on_epoch(entry.key.substr(0, slash), epoch, checkpoint ? checkpoint->instance : "?");
  }
}

// Somebody has deleted them. Both are asked for, so that an operator who meant well with one is told of both.
void Watcher::restore_journal() {
  const std::string topic = config()->checkpoint.topic;
  const auto restored = checkpoints_.restore(SteadyClock::now() + kPatience);
  if (restored && *restored) {
    log_event(
        Event::kTopicRecreated,
        "topic {} was deleted and has been created again: a crash before the next checkpoint would write the session "
        "twice; it belongs to tickbridge, leave it alone",
        topic);
    events_.on_lost_checkpoints();
  }
  const auto states = states_.restore(SteadyClock::now() + kPatience);
  if (states && *states) {
    log_event(
        Event::kTopicRecreated,
        "topic {}.state was deleted and has been created again: what it held of this session's symbols is lost, so a "
        "restart within the session may be refused (65); if so, start once with --start beginning",
        topic);
  }
  for (const auto* const result : {&restored, &states}) {
    if (!*result) log_event(Event::kTopicUnwatched, "looking after topic {}: {}", topic, result->error().message);
  }
}

void Watcher::look_at_topics(const std::stop_token& stop) {
  const auto config = this->config();
  std::set<std::string> topics;
  for (const config::Feed& feed : config->feeds) topics.insert(feed.sink.topic);
  for (const std::string& topic : topics) {
    if (stop.stop_requested()) return;
    auto reader = sink::LogReader::open(config->producer, topic);
    if (!reader) continue;
    const auto partitions = (*reader)->partitions(SteadyClock::now() + kPatience);
    if (!partitions) {
      log_event(Event::kTopicUnwatched, "looking for added partitions: {}", partitions.error().message);
    } else {
      events_.on_partitions(topic, *partitions);
    }
  }
}

}  // namespace tickbridge::app
