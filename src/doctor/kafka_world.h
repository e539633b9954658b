#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "doctor/context.h"
#include "sink/cluster.h"
#include "sink/side_client.h"
#include "sink/topics.h"

namespace tickbridge::doctor {

/// A topic as the daemon would find it at its start, or why it would not go on.
struct FoundTopic {
  Result<sink::Topic*> topic;
  std::vector<std::string> warnings;
  [[nodiscard]] bool exists() const { return topic && !(*topic)->missing; }
};

/// What the Kafka checks share: clients, and what one of them has found. One thread.
class KafkaWorld {
 public:
  explicit KafkaWorld(const config::Config& config) : config_{config} {}

  [[nodiscard]] const Result<sink::Cluster>& cluster();
  /// The embedded broker knows neither settings nor rights, and takes every record.
  [[nodiscard]] bool real();
  /// Of a producer as that feed's would be, without a transactional id.
  [[nodiscard]] Result<sink::Client*> client(const config::Feed& feed);

  [[nodiscard]] const FoundTopic& data(const config::Feed& feed);
  [[nodiscard]] const FoundTopic& dead_letters(const config::Feed& feed);
  [[nodiscard]] const FoundTopic& notes(const std::string& name);

 private:
  struct Side {
    std::unique_ptr<sink::SideClient> client;
    std::unique_ptr<sink::Topics> topics;
    std::vector<std::string> warnings;  ///< of the topic being opened
  };
  using Open = Result<sink::Topic*> (sink::Topics::*)(const std::string&, const sink::TopicOptions&, SteadyTime);
  [[nodiscard]] Result<Side*> side(const config::Feed& feed);
  [[nodiscard]] const FoundTopic& find(const config::Feed& feed, const std::string& name, Open open, char kind);

  const config::Config& config_;
  std::optional<Result<sink::Cluster>> cluster_;
  std::map<std::pair<sink::Delivery, sink::Send>, std::unique_ptr<Side>> sides_;
  std::map<std::tuple<sink::Delivery, char, std::string>, FoundTopic> found_;
};

/// Whether the feed keeps a journal: frames have no replay, so they need none.
[[nodiscard]] bool journaled(const config::Feed& feed) noexcept;

/// "topic NAME", skipped because Kafka does not answer.
constexpr const char* kNoKafka = "Kafka does not answer";

}  // namespace tickbridge::doctor
