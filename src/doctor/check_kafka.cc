#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <limits>

#include "config/values.h"
#include "doctor/checks.h"
#include "doctor/kafka_world.h"
#include "doctor/reach.h"

namespace tickbridge::doctor {

namespace {

constexpr std::uint16_t kDefaultPort = 9092;

/// The library's list: "host:port", "host", "SASL_SSL://host:port", with commas between.
std::vector<net::Address> servers(const config::Config& config) {
  std::vector<net::Address> out;
  const auto given = config.producer.properties.find("bootstrap.servers");
  for (std::string text : config::split_list(given == config.producer.properties.end() ? "" : given->second)) {
    text.erase(0, text.find_first_not_of(' '));
    if (const std::size_t scheme = text.find("://"); scheme != text.npos) text.erase(0, scheme + 3);
    const auto address = config::parse_address(text);
    out.push_back(address ? *address : net::Address{text, kDefaultPort});
  }
  return out;
}

std::vector<Reached> reach_all(const std::vector<net::Address>& places) {
  std::vector<std::future<Reached>> asked;
  for (const net::Address& place : places)
    asked.push_back(std::async(std::launch::async, reach, place.host, place.port, kPatience));
  std::vector<Reached> reached;
  for (auto& one : asked) reached.push_back(one.get());
  return reached;
}

net::Address address_of(const sink::Broker& broker) { return {broker.host, static_cast<std::uint16_t>(broker.port)}; }

/// The classical misconfiguration: bootstrap lets clients in, and the name that the broker tells them leads nowhere.
Finding unreached(const sink::Broker& broker, Finding found) {
  found.level = Level::kFailure;
  found.code = ExitCode::kUnavailable;
  found.text += fmt::format(
      ". This is the address that the cluster tells its clients: correct advertised.listeners of broker {}, or make "
      "this machine resolve and reach it",
      broker.id);
  return found;
}

Finding tell_version(const sink::Broker& broker, const config::Config& config, Finding found) {
  const sink::KafkaVersion version = sink::kafka_version(broker.versions);
  constexpr int kSafeTransactions = 306;
  const bool exact = std::ranges::any_of(config.feeds, [](const config::Feed& feed) {
    return feed.sink.delivery == sink::Delivery::kExactlyOnce || feed.sink.delivery == sink::Delivery::kTransactional;
  });
  found.text += fmt::format("; Kafka {}", version.name);
  if (exact && version.number < kSafeTransactions) {
    found.level = Level::kWarning;
    found.text += ": transactions (the fence's, too) can hang there; 3.6 or later is advised";
  }
  return found;
}

Finding tell_broker(const sink::Broker& broker, const sink::Cluster& cluster, const Reached& reached,
                    const config::Config& config, bool real) {
  Finding found = tell_reached(fmt::format("broker {}", broker.id), config::format_address(address_of(broker)), reached,
                               Level::kWarning);
  if (!reached.reached()) return unreached(broker, std::move(found));
  if (broker.versions.empty()) {
    found.level = Level::kWarning;
    found.text += fmt::format(
        "; but it did not answer Kafka's client{}{}; look at producer.security.protocol and the "
        "broker's log",
        cluster.last_error.empty() ? "" : ": ", cluster.last_error);
    return found;
  }
  if (!real) return found;
  return tell_version(broker, config, std::move(found));
}

}  // namespace

void check_bootstrap(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  const std::vector<net::Address> places = servers(context.config);
  const std::vector<Reached> reached = reach_all(places);
  const bool any = std::ranges::any_of(reached, &Reached::reached);
  for (std::size_t i = 0; i < places.size(); ++i) {
    out.push_back(tell_reached("bootstrap.servers", config::format_address(places[i]), reached[i],
                               any ? Level::kWarning : Level::kFailure));
  }
}

void check_cluster(const Context& /*context*/, KafkaWorld& kafka, Findings& out) {
  const Result<sink::Cluster>& cluster = kafka.cluster();
  if (!cluster) {
    out.push_back(failure("cluster", cluster.error()));
    return;
  }
  const std::string facts =
      fmt::format("{}: {} broker(s)", cluster->id.empty() ? "without an id" : cluster->id, cluster->brokers.size());
  out.push_back(kafka.real()
                    ? ok("cluster", facts)
                    : warning("cluster", facts + ". Its brokers tell no topic's settings, as the embedded one: "
                                                 "that is for trying out only"));
}

void check_brokers(const Context& context, KafkaWorld& kafka, Findings& out) {
  const Result<sink::Cluster>& cluster = kafka.cluster();
  if (!cluster) {
    out.push_back(skipped("brokers", kNoKafka));
    return;
  }
  std::vector<net::Address> places;
  for (const sink::Broker& broker : cluster->brokers) places.push_back(address_of(broker));
  const std::vector<Reached> reached = reach_all(places);
  for (std::size_t i = 0; i < places.size(); ++i)
    out.push_back(tell_broker(cluster->brokers[i], *cluster, reached[i], context.config, kafka.real()));
}

}  // namespace tickbridge::doctor
