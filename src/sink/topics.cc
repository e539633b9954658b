#include "sink/topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "sink/admin.h"
#include "sink/errors.h"
#include "sink/topic_settings.h"

namespace tickbridge::sink {

namespace {

ProducerLimits limits(const Client& client) {
  return {.message_max_bytes = std::strtoll(property(client, "message.max.bytes").c_str(), nullptr, 10),
          .batch_size = std::strtoll(property(client, "batch.size").c_str(), nullptr, 10)};
}

Error missing(const Client& client, const NewTopic& topic) {
  return error(
      ExitCode::kUnavailable,
      fmt::format("topic {0} does not exist. Create it: kafka-topics.sh --bootstrap-server {1} --create --topic "
                  "{0} --partitions {2} --replication-factor {3} (on the development cluster: tools/kafka "
                  "topic {0} --partitions {2}), or set topics.create = true",
                  topic.name, servers(client), topic.partitions, topic.replication_factor));
}

NewTopic asked_for(const std::string& name, const TopicOptions& options) {
  return {.name = name,
          .partitions = options.partitions,
          .replication_factor = options.replication_factor,
          .config = options.config};
}

/// For the daemon's own notes: one partition, compacted soon, so that reading back from the end meets little of the
/// past.
NewTopic notes_topic(const std::string& name, const TopicOptions& options) {
  NewTopic topic{.name = name,
                 .partitions = 1,
                 .replication_factor = options.replication_factor,
                 .config = {{"cleanup.policy", "compact"},
                            {"segment.bytes", std::to_string(kNotesSegmentBytes)},
                            {"segment.ms", "600000"},
                            {"min.cleanable.dirty.ratio", "0.1"},
                            {"delete.retention.ms", "3600000"}}};
  const auto in_sync = options.config.find("min.insync.replicas");
  if (in_sync != options.config.end()) topic.config.insert(*in_sync);
  return topic;
}

/// What nobody has sized for this cluster is made as safe as the cluster allows, and writable.
void fit(NewTopic& topic, int brokers) {
  topic.replication_factor = std::clamp(topic.replication_factor, 1, std::max(brokers, 1));
  const auto in_sync = topic.config.find("min.insync.replicas");
  if (in_sync != topic.config.end() && std::atoi(in_sync->second.c_str()) > topic.replication_factor) {
    in_sync->second = std::to_string(topic.replication_factor);
  }
}

}  // namespace

Result<Topic*> Topics::open_data(const std::string& name, const TopicOptions& options, SteadyTime deadline) {
  const Result<Topic*> topic = open({asked_for(name, options), options.create, false}, deadline);
  return topic ? check(**topic, true, deadline) : topic;
}

Result<Topic*> Topics::open_dead_letters(const std::string& name, const TopicOptions& options, SteadyTime deadline) {
  Wanted wanted{asked_for(name, options), true, !options.create};
  wanted.topic.partitions = 1;
  if (wanted.fitted) wanted.topic.config.clear();
  const Result<Topic*> topic = open(std::move(wanted), deadline);
  return topic ? check(**topic, false, deadline) : topic;
}

Result<Topic*> Topics::open_notes(const std::string& name, const TopicOptions& options, SteadyTime deadline) {
  const Result<Topic*> topic = open({notes_topic(name, options), true, true}, deadline);
  return topic ? check_notes(**topic, deadline) : topic;
}

// A known topic is looked up again: it may have got more partitions since, or be gone. Its lanes have copies of what
// they were told.
Result<Topic*> Topics::open(Wanted wanted, SteadyTime deadline) {
  const std::string name = wanted.topic.name;
  std::unique_ptr<Topic> fresh;
  const auto known = topics_.find(name);
  if (known == topics_.end()) {
    fresh = std::make_unique<Topic>();
    fresh->name = name;
    fresh->handle.reset(rd_kafka_topic_new(client_.handle, name.c_str(), nullptr));
    if (!fresh->handle) {
      return error(ExitCode::kConfig, fmt::format("topic {}: {}", name, rd_kafka_err2str(rd_kafka_last_error())));
    }
  }
  Topic& topic = fresh ? *fresh : *known->second;
  if (auto found = find_or_create(topic, wanted, deadline); !found) return found.error();
  client_.connected.store(true);
  if (fresh) topics_[name] = std::move(fresh);
  return &topic;
}

Result<void> Topics::find_or_create(Topic& topic, Wanted& wanted, SteadyTime deadline) {
  Result<Look> look = look_up(client_, topic.handle.get(), false, deadline);
  if (look && look->missing && !wanted.may_create) return missing(client_, wanted.topic);
  if (look && look->missing) {
    if (wanted.fitted) fit(wanted.topic, look->brokers);
    look = create(topic.handle.get(), wanted.topic, look->brokers, deadline);
  }
  if (!look) return look.error();
  topic.missing = look->missing;
  topic.info = look->info;
  broker_ = look->answered;
  return {};
}

Result<Look> Topics::create(rd_kafka_topic_t* topic, const NewTopic& wanted, int brokers, SteadyTime deadline) const {
  const std::string fault = create_topic(client_, wanted, deadline, only_looks_);
  if (!fault.empty()) {
    return error(
        ExitCode::kUnavailable,
        fmt::format("topic {} cannot be created with {} partitions and {} replicas on {} broker(s): {}; look at "
                    "topics.partitions, topics.replication_factor and topics.config, or create it by hand",
                    wanted.name, wanted.partitions, wanted.replication_factor, brokers, fault));
  }
  if (only_looks_) {
    return Look{.info = {.partitions = wanted.partitions, .replication_factor = wanted.replication_factor},
                .brokers = brokers,
                .missing = true};
  }
  log_event(Event::kTopicCreated, "created topic {} with {} partitions and {} replicas", wanted.name, wanted.partitions,
            wanted.replication_factor);
  return look_up(client_, topic, true, deadline);
}

Described Topics::describe(const Topic& topic, SteadyTime deadline) {
  Described answer = describe_topic(client_, broker_, topic.name, deadline);
  if (answer.outcome == Described::Outcome::kUnsupported) {
    static std::atomic<bool> told{false};  // by this process, which has several clients
    embedded_ = true;
    if (!only_looks_ && !told.exchange(true))
      warn(Event::kTopicUnchecked, "embedded broker: topic settings not checked; it is for trying out only");
  }
  if (answer.outcome == Described::Outcome::kFailed) {
    warn(Event::kTopicUnchecked, fmt::format(
        "topic {}: its settings could not be read ({}) and are not checked; give the daemon's user the right: "
        "kafka-acls.sh --add --allow-principal User:NAME --operation DescribeConfigs --topic {}",
        topic.name, answer.text, topic.name));
  }
  return answer;
}

void Topics::warn(Event event, const std::string& text) const {
  if (tell_) return tell_(text);
  log_event(event, "{}", text);
}

// The embedded broker makes its topics with partitions of its own number and compacts nothing: partition 0 is used.
Result<Topic*> Topics::check_notes(Topic& topic, SteadyTime deadline) {
  if (topic.missing) return &topic;
  const Described answer = describe(topic, deadline);
  topic.settings = answer.values;
  if (answer.outcome == Described::Outcome::kUnsupported) return &topic;
  if (topic.info.partitions != 1) {
    return error(ExitCode::kConfig,
                 fmt::format("topic {} has {} partitions; the daemon's notes need one: delete the topic (the daemon "
                             "creates it again), or name another with checkpoint.topic",
                             topic.name, topic.info.partitions));
  }
  if (answer.outcome == Described::Outcome::kFailed) return &topic;
  const auto warnings = check_notes_settings(topic.name, answer.values, servers(client_));
  if (!warnings) return warnings.error();
  for (const std::string& warning : *warnings) warn(Event::kTopicWeak, warning);
  return &topic;
}

Result<Topic*> Topics::check(Topic& topic, bool data, SteadyTime deadline) {
  topic.info.max_record_bytes = max_record_bytes(kNoLimit, limits(client_));
  if (topic.missing) return &topic;
  const Described answer = describe(topic, deadline);
  topic.settings = answer.values;
  if (answer.outcome != Described::Outcome::kKnown) return &topic;
  // A dead letter is written at least once whatever its topic's settings; only its size counts.
  const Delivery delivery = data ? client_.delivery : Delivery::kAtMostOnce;
  const auto warnings =
      apply_settings(topic.info, topic.name, answer.values, limits(client_), delivery, servers(client_));
  if (!warnings) return warnings.error();
  for (const std::string& warning : *warnings) warn(Event::kTopicWeak, warning);
  return &topic;
}

}  // namespace tickbridge::sink
