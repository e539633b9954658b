#include "config/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "config/checks.h"
#include "config/facts.h"
#include "config/rules_tls.h"
#include "config/values.h"

namespace tickbridge::config {
namespace {

using codec::Transport;
using sink::Delivery;

bool exact(const Feed& feed) {
  return feed.sink.delivery == Delivery::kExactlyOnce || feed.sink.delivery == Delivery::kTransactional;
}

void only_at_most_once(Facts& facts, const Feed& feed) {
  if (feed.sink.delivery == Delivery::kAtMostOnce) return;
  const Fact delivery = facts.of(feed, "delivery");
  constexpr std::string_view kAdvice = "set delivery = \"at_most_once\"";
  if (feed.codec.transport == Transport::kFrames) {
    facts.clash(facts.of(feed, "transport"), delivery,
                "frames cannot be replayed, so what is lost stays lost: set delivery = \"at_most_once\"");
  }
  if (feed.sink.when_full == sink::WhenFull::kDrop) {
    facts.clash(facts.of(feed, "when_full"), delivery, fmt::format("{}, or when_full = \"wait\"", kAdvice));
  }
  if (feed.sink.send == sink::Send::kFireAndForget) {
    facts.clash(facts.of(feed, "send"), delivery, fmt::format("{}, or send = \"async\"", kAdvice));
  }
}

void fire_and_forget(Facts& facts, const Feed& feed) {
  const Fact acks = facts.property("acks");
  if (feed.sink.send != sink::Send::kFireAndForget || !acks.given()) return;
  facts.clash(facts.of(feed, "send"), acks, "fire_and_forget sets acks = 0 itself: leave acks out");
}

void exact_needs(Facts& facts, const Feed& feed) {
  if (!exact(feed)) return;
  const Fact delivery = facts.of(feed, "delivery");
  const std::string acks = facts.value_of("acks");
  if (!acks.empty() && acks != "all" && acks != "-1") {
    facts.clash(facts.property("acks"), delivery, "a record must be on all replicas: leave acks out");
  }
  for (const char* const name : {"retries", "message.timeout.ms"}) {
    const bool endless = std::string_view{name} == "message.timeout.ms" && facts.value_of(name) == "0";
    if (facts.value_of(name).empty() || endless) continue;
    facts.clash(facts.property(name), delivery, "giving a record up would leave a hole: leave it out");
  }
  if (facts.value_of("enable.idempotence") == "false") {
    facts.clash(facts.property("enable.idempotence"), delivery, "it keeps records single and in order: leave it out");
  }
}

bool more_than(const std::string& number, std::int64_t limit) {
  const auto value = parse_whole(number);
  return value && *value > limit;
}

/// As Java does: a setting that idempotence cannot live with switches it off, unless it was asked for by name.
bool is_idempotent(const Facts& facts) {
  const std::string asked = facts.value_of("enable.idempotence");
  if (!asked.empty()) return asked == "true";
  const std::string acks = facts.value_of("acks");
  return facts.value_of("retries") != "0" && (acks.empty() || acks == "all" || acks == "-1");
}

void least_needs(Facts& facts, const Feed& feed) {
  if (feed.sink.delivery != Delivery::kAtLeastOnce) return;
  const Fact flight = facts.property("max.in.flight.requests.per.connection");
  if (facts.value_of("acks") == "0") {
    facts.clash(facts.property("acks"), facts.of(feed, "delivery"), "nothing would be acknowledged: leave acks out");
  } else if (!is_idempotent(facts) && more_than(facts.value_of("max.in.flight.requests.per.connection"), 1)) {
    const char* const off = facts.value_of("enable.idempotence") == "false" ? "enable.idempotence"
                            : facts.value_of("retries") == "0"              ? "retries"
                                                                            : "acks";
    facts.clash(facts.property(off), flight,
                fmt::format("with {} and without idempotence a repeat could overtake: leave one of them out, or set "
                            "producer.max.in.flight.requests.per.connection = 1",
                            facts.of(feed, "delivery").text));
  }
}

/// What the library would refuse without saying where it was set.
void idempotence(Facts& facts, const Feed& feed) {
  const Fact asked = facts.property("enable.idempotence");
  const std::string acks = facts.value_of("acks");
  if (exact(feed)) return;  // told by exact_needs
  const bool on = facts.value_of("enable.idempotence") == "true";
  if (on && !acks.empty() && acks != "all" && acks != "-1") {
    facts.clash(facts.property("acks"), asked, "idempotence needs acks = \"all\": leave one of them out");
  }
  if (on && facts.value_of("retries") == "0") {
    facts.clash(facts.property("retries"), asked, "idempotence needs retries: leave one of them out");
  }
}

void in_flight(Facts& facts, const Feed& feed) {
  const bool off = feed.sink.delivery == Delivery::kAtMostOnce || (!exact(feed) && !is_idempotent(facts));
  if (off || !more_than(facts.value_of("max.in.flight.requests.per.connection"), 5)) return;
  facts.clash(facts.property("max.in.flight.requests.per.connection"), facts.property("enable.idempotence"),
              "idempotence allows 5 at most: lower it or leave it out");
}

void partitioning(Facts& facts, const Feed& feed) {
  using routing::PartitionerKind;
  const Fact partitioner = facts.of(feed, "partitioner");
  const auto& map = feed.routing.partitions;
  if (feed.routing.partitioner == PartitionerKind::kRoundRobin && feed.routing.key != routing::Key::kNone) {
    facts.clash(partitioner, facts.of(feed, "key"), "a key's records would lose their order: set key = \"none\"");
  }
  if (feed.routing.partitioner == PartitionerKind::kExplicit) {
    if (!map.contains("*")) {
      facts.clash(partitioner, facts.of(feed, "partitions"),
                  "it does not say where the other keys go: add \"*\" = 0 to partitions");
    }
  } else if (!map.empty()) {
    facts.clash(partitioner, facts.of(feed, "partitions"),
                "partitions counts only for \"explicit\": set partitioner = \"explicit\" or leave partitions out");
  }
}

/// Options that would silently do nothing.
void without_effect(Facts& facts, const Feed& feed) {
  const Fact transport = facts.of(feed, "transport");
  const Config plain;
  Feed defaults;
  defaults.name = feed.name;
  const bool frames = feed.codec.transport == Transport::kFrames;
  const auto idle =
      frames ? std::vector<const char*>{"soupbintcp.version", "soupbintcp.heartbeat", "soupbintcp.silence",
                                        "username",           "password_file",        "session"}
             : std::vector<const char*>{"frames.length_offset", "frames.length_bytes",  "frames.byte_order",
                                        "frames.length_counts", "frames.length_adjust", "frames.header_bytes",
                                        "frames.magic",         "frames.magic_offset",  "frames.max_packet_bytes"};
  for (const char* const key : idle) {
    const Fact fact = facts.of(feed, key);
    if (fact.text == facts.of(defaults, key).text) continue;
    facts.clash(fact, transport, "it has no effect there: leave it out");
  }
  if (feed.codec.compression_starts != codec::CompressionStart::kFirstByte) {
    if (feed.codec.compression != codec::Compression::kZlibStream) {
      facts.clash(facts.of(feed, "compression_starts"), facts.of(feed, "compression"),
                  "it has an effect for \"zlib-stream\" only: leave it out");
    } else if (frames) {
      facts.clash(facts.of(feed, "compression_starts"), transport, "frames has no login: set \"first-byte\"");
    }
  }
}

void timing(Facts& facts, const Feed& feed) {
  if (feed.net.reconnect_min > feed.net.reconnect_max) {
    facts.clash(facts.of(feed, "reconnect_min"), facts.of(feed, "reconnect_max"),
                "the least is the longer: exchange them");
  }
  if (feed.net.heartbeat >= feed.net.silence) {
    facts.clash(facts.of(feed, "soupbintcp.heartbeat"), facts.of(feed, "soupbintcp.silence"),
                "a healthy line would be taken for dead: set silence to several heartbeats");
  }
}

void frame_sizes(Facts& facts, const Feed& feed) {
  const codec::FramesOptions& frames = feed.codec.frames;
  if (feed.codec.transport != Transport::kFrames) return;
  if (frames.length_offset + frames.length_bytes > frames.header_bytes) {
    facts.clash(facts.of(feed, "frames.header_bytes"), facts.of(feed, "frames.length_offset"),
                "the length lies in the header: make header_bytes at least length_offset + length_bytes");
  }
  if (frames.header_bytes > frames.max_packet_bytes) {
    facts.clash(facts.of(feed, "frames.header_bytes"), facts.of(feed, "frames.max_packet_bytes"),
                "no packet would fit: raise max_packet_bytes");
  }
}

/// Where the one of `names` that is set was set; nullopt: none is.
std::optional<Fact> first_given(Facts& facts, const std::array<const char*, 2>& names) {
  for (const std::string name : names) {
    if (!facts.value_of(name).empty()) return facts.property(name);
    const auto file = facts.config().secret_files.find(name);
    if (file == facts.config().secret_files.end() || file->second.empty()) continue;
    return facts.of(fmt::format("producer.{}_file", name));
  }
  return std::nullopt;
}

/// A key without its certificate is not used, and nobody says so.
void key_and_certificate(Facts& facts) {
  const auto key = first_given(facts, {"ssl.key.location", "ssl.key.pem"});
  const auto certificate = first_given(facts, {"ssl.certificate.location", "ssl.certificate.pem"});
  if (key && !certificate) facts.wrong(*key, "has no certificate: set producer.ssl.certificate.location too");
  if (certificate && !key) facts.wrong(*certificate, "has no key: set producer.ssl.key.location too");
}

void feed_rules(Facts& facts, const Feed& feed) {
  only_at_most_once(facts, feed);
  fire_and_forget(facts, feed);
  exact_needs(facts, feed);
  least_needs(facts, feed);
  idempotence(facts, feed);
  in_flight(facts, feed);
  partitioning(facts, feed);
  without_effect(facts, feed);
  timing(facts, feed);
  frame_sizes(facts, feed);
  feed_tls_rules(facts, feed);
}

void shared_topic(Facts& facts, const Feed& a, const Feed& b) {
  const bool owned = a.sink.delivery == Delivery::kExactlyOnce || b.sink.delivery == Delivery::kExactlyOnce;
  if (a.name == b.name || a.sink.topic != b.sink.topic || !owned) return;
  facts.clash(facts.of(b, "topic"), facts.of(a, "topic"),
              "in exactly_once a topic belongs to one feed: give each feed a topic of its own");
}

void dead_letters(Facts& facts, const Feed& a, const Feed& b) {
  if (a.sink.dead_letter_topic != b.sink.topic) return;
  facts.clash(facts.of(a, "dead_letter_topic"), facts.of(b, "topic"),
              "a dead-letter topic is never a data topic: rename one of them");
}

void checkpoint_topics(Facts& facts, const Feed& feed) {
  const std::string& topic = facts.config().checkpoint.topic;
  for (const char* const key : {"topic", "dead_letter_topic"}) {
    const std::string& used = std::string_view{key} == "topic" ? feed.sink.topic : feed.sink.dead_letter_topic;
    if (used != topic && used != topic + ".state") continue;
    facts.clash(facts.of(feed, key), facts.of("checkpoint.topic"),
                "checkpoints and their state need topics of their own: rename one of them");
  }
}

void hours_on(Facts& facts, const Feed& feed) {
  for (const auto& [day, hours] : feed.policies.hours_on) {
    if (const Fault fault = check_hours(hours)) {
      facts.wrong(facts.of(feed, "hours_on"),
                  fmt::format("{} = {} {}; write \"09:30-13:00\" or \"closed\"", day, in_quotes(hours), *fault));
    }
  }
}

void compaction(Facts& facts, const Feed& feed) {
  const auto policy = facts.config().topics.config.find("cleanup.policy");
  const bool compacted =
      policy != facts.config().topics.config.end() && policy->second.find("compact") != std::string::npos;
  if (!compacted || feed.sink.delivery != Delivery::kExactlyOnce) return;
  facts.clash(facts.of("topics.config"), facts.of(feed, "delivery"),
              "recovery needs every record of the topic: set \"cleanup.policy\" = \"delete\"");
}

void daemon_rules(Facts& facts) {
  key_and_certificate(facts);
  const pipeline::Options& pipeline = facts.config().pipeline;
  if (pipeline.task_bytes * 4 > pipeline.ring_bytes) {
    facts.clash(facts.of("pipeline.task_bytes"), facts.of("pipeline.ring_bytes"),
                "the workers would wait for each other: make ring_bytes at least 4 times task_bytes");
  }
  const std::string linger = facts.value_of("linger.ms");
  const auto timeout = parse_whole(facts.value_of("message.timeout.ms"));
  if (timeout && *timeout != 0 && more_than(linger, *timeout - 1)) {
    facts.clash(facts.property("linger.ms"), facts.property("message.timeout.ms"),
                "records would fail before they are sent: raise producer.delivery.timeout.ms or leave it out");
  }
}

}  // namespace

bool shares_topic(const Config& config, const Feed& feed) noexcept {
  return std::ranges::any_of(
      config.feeds, [&](const Feed& other) { return other.name != feed.name && other.sink.topic == feed.sink.topic; });
}

std::vector<std::string> contradictions(const Config& config) {
  Facts facts{config};
  daemon_rules(facts);
  http_access_rules(facts);
  for (std::size_t i = 0; i < config.feeds.size(); ++i) {
    const Feed& feed = config.feeds[i];
    feed_rules(facts, feed);
    checkpoint_topics(facts, feed);
    compaction(facts, feed);
    hours_on(facts, feed);
    for (std::size_t j = 0; j < config.feeds.size(); ++j) {
      dead_letters(facts, feed, config.feeds[j]);
      if (j < i) shared_topic(facts, config.feeds[j], feed);
    }
  }
  return std::move(facts).problems();
}

}  // namespace tickbridge::config
