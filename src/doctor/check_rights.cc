#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <set>
#include <utility>

#include "doctor/checks.h"
#include "doctor/kafka_world.h"
#include "sink/rights.h"

namespace tickbridge::doctor {

namespace {

using sink::Right;
using Ask = Right (*)(const sink::ProducerOptions&, const std::string&, SteadyTime);

constexpr std::size_t kAtOnce = 8;

/// A right on a topic that the daemon needs.
struct Need {
  std::string topic;
  const char* operation;  ///< as kafka-acls.sh has it
  Ask ask;
};

void need(std::vector<Need>& needs, const FoundTopic& found, bool reads) {
  if (!found.exists()) return;
  const std::string& name = (*found.topic)->name;
  needs.push_back({name, "Write", sink::may_write});
  if (reads) needs.push_back({name, "Read", sink::may_read});
}

std::vector<Need> needs_of(const Context& context, KafkaWorld& kafka) {
  std::vector<Need> needs;
  std::set<std::string> seen;
  for (const config::Feed& feed : context.config.feeds) {
    if (seen.insert(feed.sink.topic).second) need(needs, kafka.data(feed), journaled(feed));
    const std::string& dead = feed.sink.dead_letter_topic;
    if (!dead.empty() && seen.insert(dead).second) need(needs, kafka.dead_letters(feed), false);
  }
  const std::string& notes = context.config.checkpoint.topic;
  if (std::ranges::none_of(context.config.feeds, journaled)) return needs;
  need(needs, kafka.notes(notes), true);
  need(needs, kafka.notes(notes + ".state"), true);
  return needs;
}

/// The daemon's user as the brokers name him; empty: only they know.
std::string principal(const config::Config& config) {
  const auto value = [&](const char* name) {
    const auto found = config.producer.properties.find(name);
    return found == config.producer.properties.end() ? std::string{} : found->second;
  };
  const std::string protocol = value("security.protocol");
  if (protocol.empty() || protocol == "plaintext" || protocol == "PLAINTEXT") return "User:ANONYMOUS";
  const std::string mechanism = value("sasl.mechanisms") + value("sasl.mechanism");
  const bool by_name = mechanism.find("PLAIN") != mechanism.npos || mechanism.find("SCRAM") != mechanism.npos;
  return by_name && !value("sasl.username").empty() ? "User:" + value("sasl.username") : "";
}

std::string who(const config::Config& config) {
  const std::string name = principal(config);
  return name.empty() ? "User:NAME" : name;
}

Finding tell(const Need& need, const Right& right, const config::Config& config) {
  const std::string subject =
      fmt::format("right to {} topic {}", need.operation[0] == 'W' ? "write" : "read", need.topic);
  if (right.answer == Right::Answer::kGiven) return ok(subject, "given");
  if (right.answer == Right::Answer::kUnknown) return skipped(subject, right.text);
  return failure(
      subject, ExitCode::kUnavailable,
      fmt::format("missing; run: kafka-acls.sh --add --allow-principal {} --operation {} --operation Describe "
                  "--topic {}",
                  who(config), need.operation, need.topic));
}

void ask_all(const std::vector<Need>& needs, const config::Config& config, Findings& out) {
  for (std::size_t begin = 0; begin < needs.size(); begin += kAtOnce) {
    std::vector<std::future<Right>> asked;
    const std::size_t end = std::min(begin + kAtOnce, needs.size());
    for (std::size_t i = begin; i < end; ++i) {
      asked.push_back(std::async(std::launch::async, needs[i].ask, config.producer, needs[i].topic,
                                 SteadyClock::now() + kPatience));
    }
    for (std::size_t i = begin; i < end; ++i) out.push_back(tell(needs[i], asked[i - begin].get(), config));
  }
}

/// exactly_once goes on without a fence, less safely; transactional does not.
Finding tell_id(const config::Feed& feed, const std::string& id, const Right& right, const config::Config& config) {
  const std::string subject = fmt::format("right to transactional id {}", id);
  if (right.answer == Right::Answer::kGiven) return ok(subject, "given");
  if (right.answer == Right::Answer::kUnknown)
    return skipped(subject, right.text + "; to use it would fence the daemon that has it");
  const std::string text = fmt::format(
      "missing: {}; run: kafka-acls.sh --add --allow-principal {} --operation Write --operation Describe "
      "--transactional-id {}",
      right.text, who(config), id);
  if (feed.sink.delivery == sink::Delivery::kTransactional) return failure(subject, ExitCode::kUnavailable, text);
  return warning(subject, text + " (without it a start waits for the ends to stand still instead of fencing them)");
}

bool wants_id(const config::Feed& feed) {
  return feed.sink.delivery == sink::Delivery::kTransactional || feed.sink.delivery == sink::Delivery::kExactlyOnce;
}

Right ask_id(const config::Feed& feed, const std::string& id, const config::Config& config, KafkaWorld& kafka) {
  const auto client = kafka.client(feed);
  if (!client) return {Right::Answer::kUnknown, client.error().message};
  const std::string user = principal(config);
  return sink::may_use_transactional_id(**client, id, user.empty() ? "User:?" : user, SteadyClock::now() + kPatience);
}

void check_ids(const Context& context, KafkaWorld& kafka, Findings& out) {
  for (const config::Feed& feed : context.config.feeds) {
    if (!wants_id(feed)) continue;
    const std::string id = fmt::format("{}-{}", context.config.producer.transactional_id_prefix, feed.name);
    out.push_back(tell_id(feed, id, ask_id(feed, id, context.config, kafka), context.config));
  }
}

void check_producer_id(const Context& context, KafkaWorld& kafka, Findings& out) {
  if (std::ranges::none_of(context.config.feeds, journaled)) return;
  const sink::Cluster& cluster = *kafka.cluster();
  const char* const subject = "right to write idempotently";
  if (cluster.producer_id) {
    out.push_back(ok(subject, "given"));
  } else if (cluster.last_error.find("uthoriz") != std::string::npos) {
    out.push_back(failure(subject, ExitCode::kUnavailable,
                          fmt::format("missing: {}; run: kafka-acls.sh --add --allow-principal {} --operation "
                                      "IdempotentWrite --cluster (from Kafka 3.0 on Write on any topic is enough)",
                                      cluster.last_error, who(context.config))));
  } else {
    out.push_back(skipped(subject, fmt::format("no producer id was given in time{}{}",
                                               cluster.last_error.empty() ? "" : ": ", cluster.last_error)));
  }
}

}  // namespace

void check_rights(const Context& context, KafkaWorld& kafka, Findings& out) {
  if (!kafka.cluster()) {
    out.push_back(skipped("rights", kNoKafka));
    return;
  }
  if (!kafka.real()) {
    out.push_back(skipped("rights", "the embedded broker has none"));
    return;
  }
  const config::Feed& any = context.config.feeds.front();
  const Right acls = ask_id(any, "tickbridge", context.config, kafka);
  if (acls.answer == Right::Answer::kGiven && acls.text == sink::kNoAuthorizer) {
    out.push_back(ok("rights", "the brokers have no authorizer: everybody may do everything"));
    return;
  }
  check_producer_id(context, kafka, out);
  ask_all(needs_of(context, kafka), context.config, out);
  check_ids(context, kafka, out);
}

}  // namespace tickbridge::doctor
