#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "sink/client.h"
#include "sink/lane.h"
#include "sink/options.h"

namespace tickbridge::sink {

/// The topics that the producer's lanes write to: looked up once, created where missing and allowed, checked.
/// Start-up thread only.
class Topics {
 public:
  explicit Topics(Client& client) : client_{client} {}

  /// Errors: kUnavailable (not reachable, login refused, not there: with the command that creates it), kConfig
  /// (settings under which Kafka would refuse what the daemon writes).
  [[nodiscard]] Result<Topic*> open_data(const std::string& name, const TopicOptions& options, SteadyTime deadline);
  /// Created if missing, with one partition.
  [[nodiscard]] Result<Topic*> open_dead_letters(const std::string& name, const TopicOptions& options,
                                                 SteadyTime deadline);
  void clear() { topics_.clear(); }

 private:
  /// What a look at the metadata found.
  struct Look {
    TopicInfo info;
    int brokers = 0;
    std::int32_t answered = 0;  ///< the broker that answered
    bool missing = false;
  };
  Result<Topic*> open(const std::string& name, const TopicOptions& options, bool create, SteadyTime deadline);
  Result<std::unique_ptr<Topic>> find_or_create(const std::string& name, const TopicOptions& options, bool create,
                                                SteadyTime deadline);
  Result<Look> look_up(rd_kafka_topic_t* topic, bool just_created, SteadyTime deadline) const;
  Result<Look> create(rd_kafka_topic_t* topic, const TopicOptions& options, int brokers, SteadyTime deadline) const;
  Result<Topic*> check(Topic& topic, bool data, SteadyTime deadline);

  Client& client_;
  std::int32_t broker_ = 0;  ///< one that has answered
  bool embedded_told_ = false;
  std::map<std::string, std::unique_ptr<Topic>> topics_;
};

}  // namespace tickbridge::sink
