#include "config/java_names.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tickbridge::config {
namespace {

constexpr std::string_view kJavaClass = "names a Java class, which this daemon cannot load; leave it out";
constexpr std::string_view kMetrics = "is about Java's own metrics; this daemon's are at /metrics, see http.listen";
constexpr std::string_view kFindsBrokers =
    "has no counterpart: the client library tries all addresses of all brokers it "
    "knows; leave it out";
constexpr std::string_view kLevel = "has one name for all codecs here: set producer.librdkafka.compression.level";
constexpr std::string_view kOpenSsl =
    "belongs to Java's TLS; the client library uses OpenSSL, which is set in openssl.cnf; "
    "leave it out";
constexpr std::string_view kTicket =
    "has no counterpart: the client library renews tickets with "
    "producer.librdkafka.sasl.kerberos.kinit.cmd; leave it out";
constexpr std::string_view kLogin = "belongs to Java's login; leave it out";
constexpr std::string_view kConsumer = "is a consumer's; a producer has none; leave it out";

constexpr std::array kJava{
    Refused{"key.serializer", "names a Java class; the record's key is set by feed.<name>.key"},
    Refused{"value.serializer",
            "names a Java class; the record's value is the message as received, see "
            "feed.<name>.payload and feed.<name>.protocol"},
    Refused{"partitioner.class", "names a Java class; set feed.<name>.partitioner"},
    Refused{"partitioner.*",
            "is about records without a partition; here each has one, see feed.<name>.partitioner; leave "
            "it out"},
    Refused{"transactional.id", "is made of producer.transactional_id_prefix and the feed's name; set that"},
    Refused{"transaction.two.phase.commit.enable", "has no counterpart in the client library; leave it out"},
    Refused{"block.on.buffer.full", "is gone from Java too; set producer.max.block.ms and feed.<name>.when_full"},
    Refused{"interceptor.classes", kJavaClass},
    Refused{"metric.reporters", kMetrics},
    Refused{"metrics.*", kMetrics},
    Refused{"auto.include.jmx.reporter", kMetrics},
    Refused{"enable.metrics.push",
            "needs a client library of 2.5 or later; with one set "
            "producer.librdkafka.enable.metrics.push"},
    Refused{"client.dns.lookup", kFindsBrokers},
    Refused{"metadata.max.idle.ms", "has no counterpart: the daemon's topics are always in use; leave it out"},
    Refused{"metadata.recovery.*", kFindsBrokers},
    Refused{"socket.connection.setup.timeout.max.ms",
            "has no counterpart: the time does not grow here; set "
            "producer.socket.connection.setup.timeout.ms"},
    Refused{"retry.backoff.max.ms",
            "needs a client library of 2.3 or later; with one set "
            "producer.librdkafka.retry.backoff.max.ms"},
    Refused{"compression.gzip.level", kLevel},
    Refused{"compression.lz4.level", kLevel},
    Refused{"compression.zstd.level", kLevel},
    Refused{"config.providers", kJavaClass},
    Refused{"security.providers", kJavaClass},
    Refused{"ssl.truststore.location",
            "is a Java keystore; write its certificates as PEM and set producer.ssl.ca.location: keytool -list -rfc "
            "-keystore FILE > ca.pem, or for PKCS#12 openssl pkcs12 -in FILE -nokeys -out ca.pem"},
    Refused{"ssl.truststore.certificates", "is named otherwise in the client library: set producer.ssl.ca.pem"},
    Refused{"ssl.truststore.password",
            "has no counterpart: certificates in PEM need no password; set "
            "producer.ssl.ca.location only"},
    Refused{"ssl.truststore.type", "has no counterpart: it is PEM; set producer.ssl.ca.location"},
    Refused{"ssl.keystore.type",
            "has no counterpart: producer.ssl.keystore.location is PKCS#12; for PEM set "
            "producer.ssl.certificate.location and producer.ssl.key.location"},
    Refused{"ssl.keystore.key", "is named otherwise in the client library: set producer.ssl.key.pem"},
    Refused{"ssl.keystore.certificate.chain",
            "is named otherwise in the client library: set "
            "producer.ssl.certificate.pem"},
    Refused{"ssl.provider", "names a Java provider; OpenSSL's are set by producer.ssl.providers"},
    Refused{"ssl.protocol", kOpenSsl},
    Refused{"ssl.enabled.protocols", kOpenSsl},
    Refused{"ssl.keymanager.algorithm", kOpenSsl},
    Refused{"ssl.trustmanager.algorithm", kOpenSsl},
    Refused{"ssl.secure.random.implementation", kOpenSsl},
    Refused{"ssl.engine.factory.class", kJavaClass},
    Refused{"sasl.client.callback.handler.class", kJavaClass},
    Refused{"sasl.login.*", kLogin},
    Refused{"sasl.kerberos.kinit.cmd",
            "is a program in Java and a whole command line in the client library; set "
            "producer.librdkafka.sasl.kerberos.kinit.cmd"},
    Refused{"sasl.kerberos.ticket.renew.*", kTicket},
    Refused{"sasl.oauthbearer.jwks.*", kLogin},
    Refused{"sasl.oauthbearer.header.urlencode", kLogin},
    Refused{"sasl.oauthbearer.expected.*", kLogin},
    Refused{"sasl.oauthbearer.clock.skew.seconds", kLogin},
    Refused{"sasl.oauthbearer.*.claim.name", kLogin},
    Refused{"sasl.oauthbearer.jwt.*", kLogin},
    Refused{"sasl.oauthbearer.client.credentials.*",
            "is named otherwise in the client library: set "
            "producer.sasl.oauthbearer.client.id and "
            "producer.sasl.oauthbearer.client.secret"},
    Refused{"sasl.oauthbearer.assertion.*",
            "needs a client library of 2.12 or later; with one set it under "
            "producer.librdkafka"},
    Refused{"group.id", kConsumer},
    Refused{"auto.offset.reset", kConsumer},
    Refused{"enable.auto.commit", kConsumer},
    Refused{"isolation.level", kConsumer},
};

constexpr std::string_view kCallback = "is a function of the program, not a setting; leave it out";
constexpr std::string_view kEvents = "is how the daemon hears of what was delivered; leave it out";

constexpr std::array kOwned{
    Refused{"queue.buffering.max.kbytes", "is set from producer.buffer.memory; set that"},
    Refused{"transactional.id", "is made of producer.transactional_id_prefix and the feed's name; set that"},
    Refused{"enable.gapless.guarantee", "follows from feed.<name>.delivery; leave it out"},
    Refused{"queuing.strategy", "would give up the order of records; leave it out"},
    Refused{"partitioner", "is the feed's: set feed.<name>.partitioner"},
    Refused{"delivery.report.only.error", kEvents},
    Refused{"enabled_events", kEvents},
    Refused{"dr_cb", kEvents},
    Refused{"dr_msg_cb", kEvents},
    Refused{"log.queue", "is how the library's log reaches the daemon's; leave it out"},
    Refused{"error_cb", kCallback},
    Refused{"throttle_cb", kCallback},
    Refused{"stats_cb", kCallback},
    Refused{"log_cb", kCallback},
    Refused{"background_event_cb", kCallback},
    Refused{"socket_cb", kCallback},
    Refused{"connect_cb", kCallback},
    Refused{"closesocket_cb", kCallback},
    Refused{"open_cb", kCallback},
    Refused{"resolve_cb", kCallback},
    Refused{"opaque", kCallback},
    Refused{"default_topic_conf", kCallback},
    Refused{"interceptors", kCallback},
    Refused{"partitioner_cb", kCallback},
    Refused{"msg_order_cmp", kCallback},
    Refused{"ssl_key", "is set by the program only; set producer.ssl.key.pem"},
    Refused{"ssl_certificate", "is set by the program only; set producer.ssl.certificate.pem"},
    Refused{"ssl_ca", "is set by the program only; set producer.ssl.ca.pem"},
    Refused{"ssl_engine_callback_data", kCallback},
    Refused{"ssl.certificate.verify_cb", kCallback},
    Refused{"oauthbearer_token_refresh_cb", kCallback},
};

/// CONFIGURATION.md of 2.0.2: "Alias for …".
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kAliases{{
    {"metadata.broker.list", "bootstrap.servers"},
    {"max.in.flight", "max.in.flight.requests.per.connection"},
    {"queue.buffering.max.ms", "linger.ms"},
    {"message.send.max.retries", "retries"},
    {"compression.codec", "compression.type"},
    {"request.required.acks", "acks"},
    {"delivery.timeout.ms", "message.timeout.ms"},
    {"sasl.mechanisms", "sasl.mechanism"},
}};

bool covers(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  const std::string_view after = pattern.substr(star + 1);
  return name.size() >= pattern.size() - 1 && name.starts_with(pattern.substr(0, star)) && name.ends_with(after);
}

}  // namespace

std::span<const Refused> refused_java_names() { return kJava; }
std::span<const Refused> owned_properties() { return kOwned; }

const Refused* find_refused(std::span<const Refused> names, std::string_view name) {
  const auto at = std::find_if(names.begin(), names.end(), [&](const Refused& r) { return covers(r.name, name); });
  return at == names.end() ? nullptr : &*at;
}

std::string_view canonical_property(std::string_view name) {
  for (const auto& [alias, canonical] : kAliases) {
    if (alias == name) return canonical;
  }
  return name;
}

}  // namespace tickbridge::config
