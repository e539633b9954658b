#include "sink/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>

#include "sink/admin.h"
#include "sink/conf.h"
#include "sink/errors.h"
#include "sink/library_log.h"
#include "sink/lookup.h"
#include "sink/side_client.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;

constexpr auto kPause = 20ms;

/// What the library's log tells of the brokers and of the producer id. Its threads write, one other reads.
class Heard {
 public:
  static void listen(const rd_kafka_t* client, int level, const char* facility, const char* text) {
    constexpr int kDebug = 7;
    auto* const self = static_cast<Heard*>(rd_kafka_opaque(client));
    if (level < kDebug) return forward_log(client, level, facility, text);
    const std::string_view line{text};
    if (std::string_view{facility} == "APIVERSION") self->take(line);
    if (line.find("Acquired PID") != line.npos) self->producer_id_.store(true);
  }
  [[nodiscard]] ApiVersions of(const std::string& address) const {
    const std::scoped_lock lock{mutex_};
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? ApiVersions{} : found->second;
  }
  [[nodiscard]] bool producer_id() const noexcept { return producer_id_.load(); }

 private:
  void take(std::string_view line) {
    const std::scoped_lock lock{mutex_};
    take_version_line(line, by_address_);
  }

  mutable std::mutex mutex_;  // guards by_address_
  std::map<std::string, ApiVersions> by_address_;
  std::atomic<bool> producer_id_{false};
};

Properties looking_properties(const ProducerOptions& options) {
  Properties properties = connection_properties(options);
  properties["enable.sparse.connections"] = "false";
  properties["enable.idempotence"] = "true";
  properties["topic.metadata.refresh.interval.ms"] = "500";  // a broker that is new to the client is connected to
  properties["debug"] = "feature,eos";
  return properties;
}

Result<Cluster> ask_metadata(const Client& client, SteadyTime deadline) {
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
  for (; SteadyClock::now() < deadline; std::this_thread::sleep_for(kPause)) {
    const rd_kafka_metadata_t* found = nullptr;
    code = rd_kafka_metadata(client.handle, 0, nullptr, &found, milliseconds_left(deadline, 500ms));
    const MetadataHandle metadata{found};
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && login_refused(client)) return refused_login(client);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->broker_cnt == 0) continue;
    Cluster cluster;
    for (int i = 0; i < metadata->broker_cnt; ++i) {
      const rd_kafka_metadata_broker_t& broker = metadata->brokers[i];
      cluster.brokers.push_back({.id = broker.id, .host = broker.host, .port = broker.port, .versions = {}});
    }
    std::ranges::sort(cluster.brokers, {}, &Broker::id);
    return cluster;
  }
  return unreachable(client, code);
}

void ask_identity(rd_kafka_t* client, Cluster& cluster, SteadyTime deadline) {
  char* const id = rd_kafka_clusterid(client, milliseconds_left(deadline, 1s));
  if (id != nullptr) {
    cluster.id = id;
    rd_kafka_mem_free(client, id);
  }
  cluster.controller = rd_kafka_controllerid(client, milliseconds_left(deadline, 1s));
}

/// True once all has been heard that is waited for.
bool hear(const Heard& heard, Cluster& cluster) {
  bool all = heard.producer_id();
  cluster.producer_id = all;
  for (Broker& broker : cluster.brokers) {
    broker.versions = heard.of(fmt::format("{}:{}", broker.host, broker.port));
    all = all && !broker.versions.empty();
  }
  return all;
}

struct Mark {
  int api, version;
  KafkaVersion kafka;
};
/// A request version that came with a release of Apache Kafka; the newest release first (the protocol guide's numbers:
/// 0 Produce, 1 Fetch, 2 ListOffsets, 10 FindCoordinator, 22 InitProducerId, 24 AddPartitionsToTxn, 32
/// DescribeConfigs).
constexpr std::array kMarks{
    Mark{0, 13, {"4.1 or later", 401}}, Mark{0, 12, {"4.0", 400}},        Mark{1, 17, {"3.9", 309}},
    Mark{0, 11, {"3.8", 308}},          Mark{0, 10, {"3.7", 307}},        Mark{24, 4, {"3.6", 306}},
    Mark{1, 15, {"3.5", 305}},          Mark{1, 13, {"3.1 to 3.4", 301}}, Mark{10, 4, {"3.0", 300}},
    Mark{0, 9, {"2.8", 208}},           Mark{1, 12, {"2.7", 207}},        Mark{32, 3, {"2.6", 206}},
    Mark{22, 3, {"2.5", 205}},          Mark{0, 8, {"2.4", 204}},         Mark{1, 11, {"2.3", 203}},
};

/// The number behind `before`; -1: there is none.
int number_behind(std::string_view text, std::string_view before) {
  const std::size_t at = text.find(before);
  int number = -1;
  if (at != text.npos) std::from_chars(text.data() + at + before.size(), text.data() + text.size(), number);
  return number;
}

}  // namespace

// "[thrd:host:9092/1]: host:9092/1:   ApiKey Produce (0) Versions 0..13", 2.0.2 to 2.12. If a later library says it in
// other words, the versions are not known, and whoever shows them says so.
void take_version_line(std::string_view line, std::map<std::string, ApiVersions>& by_address) {
  const std::size_t begin = line.find("]: ");
  const std::size_t key = line.find("ApiKey ");
  if (begin == line.npos || key == line.npos || key < begin) return;
  std::string_view name = line.substr(begin + 3, key - begin - 3);
  name = name.substr(0, name.rfind('/'));
  if (const std::size_t scheme = name.find("://"); scheme != name.npos) name.remove_prefix(scheme + 3);
  const std::string_view rest = line.substr(key);
  const int api = number_behind(rest, "(");
  const int newest = number_behind(rest, "..");
  if (api >= 0 && newest >= 0) by_address[std::string{name}][api] = newest;
}

KafkaVersion kafka_version(const ApiVersions& versions) noexcept {
  for (const Mark& mark : kMarks) {
    const auto found = versions.find(mark.api);
    if (found != versions.end() && found->second >= mark.version) return mark.kafka;
  }
  return {"before 2.3", 200};
}

Result<Health> partition_health(const Client& client, rd_kafka_topic_t* topic, SteadyTime deadline) {
  const rd_kafka_metadata_t* found = nullptr;
  const auto code = rd_kafka_metadata(client.handle, 0, topic, &found, milliseconds_left(deadline, 5s));
  const MetadataHandle metadata{found};
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topic_cnt != 1) return unreachable(client, code);
  Health health{.without_leader = 0, .least_in_sync = std::numeric_limits<int>::max()};
  const rd_kafka_metadata_topic_t& answer = metadata->topics[0];
  for (int p = 0; p < answer.partition_cnt; ++p) {
    health.without_leader += answer.partitions[p].leader < 0 ? 1 : 0;
    health.least_in_sync = std::min(health.least_in_sync, answer.partitions[p].isr_cnt);
  }
  return health;
}

Result<Cluster> look_at_cluster(const ProducerOptions& options, SteadyTime deadline) {
  Heard heard;  // outlives the client
  auto side = SideClient::create({.type = RD_KAFKA_PRODUCER,
                                  .properties = looking_properties(options),
                                  .log = Heard::listen,
                                  .log_opaque = &heard});
  if (!side) return side.error();
  Client& client = (*side)->client();
  Result<Cluster> cluster = ask_metadata(client, deadline);
  if (!cluster) return cluster;
  ask_identity((*side)->handle(), *cluster, deadline);
  while (!hear(heard, *cluster) && !client.failed.load() && SteadyClock::now() < deadline)
    std::this_thread::sleep_for(kPause);
  cluster->last_error = client.last_error().second;
  return cluster;
}

}  // namespace tickbridge::sink
