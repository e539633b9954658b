#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sink/client.h"
#include "sink/options.h"

namespace tickbridge::sink {

/// What a broker can do: the newest version of each request that it takes, by the request's number in the protocol.
using ApiVersions = std::map<int, int>;

/// One broker, at the address that the cluster tells its clients.
struct Broker {
  std::int32_t id = 0;
  std::string host;
  int port = 0;
  ApiVersions versions;  ///< empty: it has not answered the client
};

struct Cluster {
  std::string id;  ///< empty: not told
  std::int32_t controller = -1;
  std::vector<Broker> brokers;
  bool producer_id = false;  ///< a producer id was given: the user may write idempotently
  std::string last_error;    ///< what the client library told last
};

/// Looks at the cluster with a client that connects to every broker, until all have answered or `deadline` passes; at
/// least one must. Takes a producer id of its own, which disturbs nobody. Errors: as look_up().
[[nodiscard]] Result<Cluster> look_at_cluster(const ProducerOptions& options, SteadyTime deadline);

/// How the partitions of a topic stand now.
struct Health {
  int without_leader = 0;
  int least_in_sync = 0;  ///< replicas, of the partition that has the fewest
};
[[nodiscard]] Result<Health> partition_health(const Client& client, rd_kafka_topic_t* topic, SteadyTime deadline);

/// Which Kafka has these newest request versions: "4.1 or later", "3.6", "before 2.3".
struct KafkaVersion {
  std::string_view name;
  int number = 0;  ///< 306 for 3.6
};
[[nodiscard]] KafkaVersion kafka_version(const ApiVersions& versions) noexcept;

/// One line of the library's debug log into `versions` of the broker that it is of, if it tells of one.
void take_version_line(std::string_view line, std::map<std::string, ApiVersions>& by_address);

}  // namespace tickbridge::sink
