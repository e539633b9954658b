#include "sink/conf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include "base/secret_name.h"
#include "sink/certificates.h"

namespace tickbridge::sink {

namespace {

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int32_t>::max();

/// The library's aliases (CONFIGURATION.md, "Alias for"), by the name that is kept here.
std::string_view canonical(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kAliases{{
      {"metadata.broker.list", "bootstrap.servers"},
      {"max.in.flight", "max.in.flight.requests.per.connection"},
      {"queue.buffering.max.ms", "linger.ms"},
      {"retries", "message.send.max.retries"},
      {"compression.codec", "compression.type"},
      {"request.required.acks", "acks"},
      {"delivery.timeout.ms", "message.timeout.ms"},
      {"enable.gapless.guarantee", "enable.gapless.guarantee"},
      {"sasl.mechanism", "sasl.mechanisms"},
  }};
  for (const auto& [alias, name_kept] : kAliases) {
    if (alias == name) return name_kept;
  }
  return name;
}

std::optional<std::int64_t> number(const Properties& properties, const std::string& name) {
  const auto found = properties.find(name);
  if (found == properties.end()) return std::nullopt;
  std::int64_t value = 0;
  const std::string& text = found->second;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// What Java's producer does: a setting that idempotence cannot live with switches it off, unless the user
/// asked for idempotence by name (then the library refuses the pair).
bool rules_out_idempotence(const Properties& user) {
  const auto acks = user.find("acks");
  if (acks != user.end() && acks->second != "all" && acks->second != "-1") return true;
  if (number(user, "message.send.max.retries").value_or(1) == 0) return true;
  return number(user, "max.in.flight.requests.per.connection").value_or(5) > 5;
}

// A record that is given up in time leaves a hole in the sequence: at_most_once, where that is allowed, does without
// one.
bool wants_idempotence(const Properties& user, Delivery delivery, Send send) {
  const auto asked = user.find("enable.idempotence");
  if (asked != user.end()) return asked->second == "true" || asked->second == "1";
  if (send == Send::kFireAndForget) return false;
  if (delivery == Delivery::kAtMostOnce && number(user, "message.timeout.ms").value_or(0) != 0) return false;
  return (delivery != Delivery::kAtLeastOnce && delivery != Delivery::kAtMostOnce) || !rules_out_idempotence(user);
}

Properties common_defaults(const ProducerOptions& options) {
  // Slack over the admission's budget, so that the library's own limits are never met first.
  const std::uint64_t most =
      std::max<std::uint64_t>(options.max_in_flight_messages, options.buffer_memory / kMessageCost);
  const auto messages = std::min<std::uint64_t>(2 * most + 10'000, kMaxInt);
  const auto kilobytes = std::min<std::uint64_t>(2 * options.buffer_memory / 1024 + 65'536, kMaxInt);
  return {{"client.id", "tickbridge"},
          {"socket.nagle.disable", "true"},
          {"linger.ms", "5"},
          {"message.timeout.ms", "0"},
          // Else a broker that was away is only connected to when one of its partitions sends; a paused one does not.
          {"enable.sparse.connections", "false"},
          {"queue.buffering.max.messages", std::to_string(messages)},
          {"queue.buffering.max.kbytes", std::to_string(kilobytes)},
          {"allow.auto.create.topics", "false"},
          // else it is silent about the closed connection of a client that does not speak as the listener wants
          {"log.connection.close", "true"},
          {"statistics.interval.ms", "0"}};
}

// Without idempotence at_most_once sends nothing again; but what a broker has answered by "not the leader" the library
// does, whatever the limit on retries, and with acks = all it can have been appended (docs/decisions/0012).
Properties delivery_defaults(const Properties& user, Delivery delivery, Send send) {
  const bool most = delivery == Delivery::kAtMostOnce;
  Properties result{{"acks", send == Send::kFireAndForget ? "0" : "all"}};
  if (wants_idempotence(user, delivery, send)) {
    result["enable.idempotence"] = "true";
    // In a transaction every refusal spoils the transaction, and only that; at_most_once drops what is refused. There
    // the guarantee would end the producer.
    if (!most && delivery != Delivery::kTransactional) result["enable.gapless.guarantee"] = "true";
    result["message.send.max.retries"] = std::to_string(kMaxInt);
    result["max.in.flight.requests.per.connection"] = "5";
  } else {
    result["enable.idempotence"] = "false";
    result["message.send.max.retries"] = most ? "0" : std::to_string(kMaxInt);
    // or a repeat could be overtaken; without answers there are none
    result["max.in.flight.requests.per.connection"] = send == Send::kFireAndForget ? "5" : "1";
  }
  return result;
}

bool of_the_connection(std::string_view name) {
  constexpr std::array<std::string_view, 6> kGroups{"security.", "ssl.", "sasl.", "enable.ssl.", "socket.", "broker."};
  constexpr std::array<std::string_view, 9> kNames{"bootstrap.servers",    "client.id",
                                                   "client.rack",          "client.dns.lookup",
                                                   "api.version.request",  "enable.sasl.oauthbearer.unsecure.jwt",
                                                   "reconnect.backoff.ms", "reconnect.backoff.max.ms",
                                                   "plugin.library.paths"};
  const auto begins = [&](std::string_view group) { return name.starts_with(group); };
  return std::any_of(kGroups.begin(), kGroups.end(), begins) ||
         std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

Properties with(Properties properties, Properties&& more) {
  for (auto& [name, value] : more) properties.insert_or_assign(name, std::move(value));
  return properties;
}

}  // namespace

Properties connection_properties(const ProducerOptions& options) {
  Properties result{{"client.id", "tickbridge"},
                    {"socket.nagle.disable", "true"},
                    {"allow.auto.create.topics", "false"},
                    {"log.connection.close", "true"},
                    {"statistics.interval.ms", "0"}};
  for (const auto& [name, value] : options.properties) {
    const std::string kept{canonical(name)};
    if (of_the_connection(kept)) result[kept] = value;
  }
  return result;
}

// The library's broker thread looks again only after up to a second when its queue has been full (2.0.2,
// rd_kafka_toppar_fetch_decide gives no back-off then): the queue is long, and its reader quick.
Properties reader_properties(const ProducerOptions& options, std::string_view isolation) {
  return with(connection_properties(options), {{"isolation.level", std::string{isolation}},
                                               {"enable.partition.eof", "true"},
                                               {"auto.offset.reset", "earliest"},  // deleted by retention: what is left
                                               {"enable.auto.commit", "false"},
                                               {"fetch.wait.max.ms", "10"},
                                               {"fetch.error.backoff.ms", "50"},
                                               {"queued.min.messages", "1000000"},
                                               {"queued.max.messages.kbytes", "131072"}});
}

Properties notes_properties(const ProducerOptions& options) {
  return with(connection_properties(options), {{"enable.idempotence", "true"},
                                               {"acks", "all"},
                                               {"linger.ms", "0"},
                                               {"message.timeout.ms", "0"},
                                               {"message.send.max.retries", std::to_string(kMaxInt)},
                                               {"compression.type", "none"}});
}

// Its records wait for a linger that outlasts it: they are thrown away unsent, and only the markers are written. The
// library's debug lines say when a partition has joined the transaction, which nothing else of it does.
Properties fence_properties(const ProducerOptions& options, const std::string& transactional_id) {
  Properties properties = with(connection_properties(options), {{"transactional.id", transactional_id},
                                                                {"transaction.timeout.ms", "60000"},
                                                                {"message.timeout.ms", "60000"},
                                                                {"linger.ms", "59000"},
                                                                {"debug", "eos"}});
  if (number(properties, "socket.timeout.ms").value_or(0) > 60'000) properties.erase("socket.timeout.ms");  // refused
  return properties;
}

Charge in_flight_share(const ProducerOptions& options, Delivery delivery, std::size_t lanes,
                       std::size_t partitions) noexcept {
  const std::uint64_t parts = std::max<std::size_t>(lanes, 1);
  const bool automatic = options.max_in_flight_messages == 0;
  std::uint64_t count = (automatic ? kLeastInFlight : options.max_in_flight_messages) / parts;
  if (automatic && delivery != Delivery::kAtMostOnce) count = std::max(count, partitions * kInFlightPerPartition);
  const auto library = number(options.properties, "queue.buffering.max.messages");
  if (library && *library > 0) count = std::min(count, static_cast<std::uint64_t>(*library) / parts);
  return {std::clamp<std::uint64_t>(count, 1, InFlight::kMaxCount),
          std::clamp<std::uint64_t>(options.buffer_memory / parts, 1, InFlight::kMaxBytes)};
}

Properties properties_for(const ProducerOptions& options, Delivery delivery, Send send) {
  Properties user;
  for (const auto& [name, value] : options.properties) user[std::string{canonical(name)}] = value;
  Properties result = common_defaults(options);
  result.merge(delivery_defaults(user, delivery, send));
  for (const auto& [name, value] : user) result[name] = value;
  return result;
}

// A message's time is the transaction's: nobody waits for a record longer than for the commit that it belongs to.
Properties transactional(Properties properties, const std::string& id) {
  properties["transactional.id"] = id;
  const std::string& timeout = properties.try_emplace("transaction.timeout.ms", "60000").first->second;
  if (properties["message.timeout.ms"] == "0") properties["message.timeout.ms"] = timeout;
  return properties;
}

Result<ConfHandle> make_conf(const Properties& properties) {
  ConfHandle conf{rd_kafka_conf_new()};
  std::array<char, 512> text{};
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size()) != RD_KAFKA_CONF_OK) {
      return error(ExitCode::kConfig, fmt::format("producer property {} = \"{}\" is refused by the client library: {}",
                                                  name, is_secret_name(name) ? "***" : value, text.data()));
    }
  }
  note_certificates(conf.get());
  return conf;
}

}  // namespace tickbridge::sink
