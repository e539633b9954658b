#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/events.h"
#include "base/result.h"
#include "sink/admin.h"
#include "sink/client.h"
#include "sink/lane.h"
#include "sink/lookup.h"
#include "sink/options.h"

namespace tickbridge::sink {

/// The topics that the producer's lanes write to: looked up once, created where missing and allowed, checked.
/// Start-up thread only.
class Topics {
 public:
  explicit Topics(Client& client) : client_{client} {}
  /// One that creates nothing: a topic that would be is looked for with the broker's word that it could
  /// (Topic::missing). Warnings go to `tell` instead of the log.
  using Tell = std::function<void(const std::string&)>;
  Topics(Client& client, Tell tell) : client_{client}, only_looks_{true}, tell_{std::move(tell)} {}

  /// Errors: kUnavailable (not reachable, login refused, not there: with the command that creates it), kConfig
  /// (settings under which Kafka would refuse what the daemon writes).
  [[nodiscard]] Result<Topic*> open_data(const std::string& name, const TopicOptions& options, SteadyTime deadline);
  /// Created if missing, with one partition.
  [[nodiscard]] Result<Topic*> open_dead_letters(const std::string& name, const TopicOptions& options,
                                                 SteadyTime deadline);
  /// A compacted topic of one partition for the daemon's own notes (CompactedLog). Created if missing.
  [[nodiscard]] Result<Topic*> open_notes(const std::string& name, const TopicOptions& options, SteadyTime deadline);
  /// Whether the last topic looked at lies on the library's mock cluster.
  [[nodiscard]] bool embedded() const noexcept { return embedded_; }
  void clear() { topics_.clear(); }

 private:
  struct Wanted {
    NewTopic topic;
    bool may_create = false;
    bool fitted = false;  ///< replicas as the cluster allows: nobody has asked for a number
  };
  Result<Topic*> open(Wanted wanted, SteadyTime deadline);
  Result<void> find_or_create(Topic& topic, Wanted& wanted, SteadyTime deadline);
  Result<Look> create(rd_kafka_topic_t* topic, const NewTopic& wanted, int brokers, SteadyTime deadline) const;
  Described describe(const Topic& topic, SteadyTime deadline);
  Result<Topic*> check_notes(Topic& topic, SteadyTime deadline);
  Result<Topic*> check(Topic& topic, bool data, SteadyTime deadline);

  void warn(Event event, const std::string& text) const;

  Client& client_;
  const bool only_looks_ = false;
  const Tell tell_;          ///< none: the log
  std::int32_t broker_ = 0;  ///< one that has answered
  bool embedded_ = false;
  std::map<std::string, std::unique_ptr<Topic>> topics_;
};

}  // namespace tickbridge::sink
