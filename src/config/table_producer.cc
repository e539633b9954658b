// [producer]: the names of Apache Kafka's Java producer with Java's meaning, each translated to the client library's
// property (librdkafka 2.0.2, CONFIGURATION.md; ranges are the narrower of both).
#include <algorithm>
#include <array>
#include <cctype>

#include "config/jaas.h"
#include "config/table.h"

namespace tickbridge::config {
namespace {

constexpr std::int64_t kMax32 = 2'147'483'647;

Field property(Config& config, Feed&) { return Property{&config.producer.properties}; }

std::string lower(const std::string& text) {
  std::string out = text;
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}
std::string acks(const std::string& text) { return text == "-1" ? "all" : text; }
std::string minus_one_is_zero(const std::string& text) { return text == "-1" ? "0" : text; }
std::string zero_is_one(const std::string& text) { return text == "0" ? "1" : text; }
std::string empty_is_none(const std::string& text) { return text.empty() ? "none" : text; }

/// What the daemon does itself.
std::vector<Option> own() {
  using sink::ProducerOptions;
  return {
      {.path = "producer.buffer.memory",
       .kind = Kind::kSize,
       .field = in_daemon<&Config::producer, &ProducerOptions::buffer_memory>,
       .doc = "Memory for records that are handed over and not yet acknowledged; also the library's "
              "queue.buffering.max.kbytes.",
       .min = 1 << 16,
       .max = std::int64_t{1} << 40,
       .renews = true,
       .in_help = true},
      {.path = "producer.max.block.ms",
       .kind = Kind::kMilliseconds,
       .field = in_daemon<&Config::producer, &ProducerOptions::max_block>,
       .doc = "How long a full producer is waited for before the feed's when_full applies; reading stops meanwhile.",
       .max = kMax32,
       .renews = true,
       .in_help = true},
      {.path = "producer.metadata.fetch.timeout.ms",
       .kind = Kind::kMilliseconds,
       .field = in_daemon<&Config::producer, &ProducerOptions::metadata_timeout>,
       .doc = "How long the first metadata of the topics may take; then exit code 69.",
       .min = 1,
       .max = kMax32,
       .renews = true},
      {.path = "producer.max_in_flight_messages",
       .kind = Kind::kWhole,
       .field = in_daemon<&Config::producer, &ProducerOptions::max_in_flight_messages>,
       .doc =
           "Records handed over and not yet acknowledged, at most; few are cheaper, the ring is the buffer. 0: 50000 "
           "over all feeds, or a feed 500 for each of its partitions where that is more (not at_most_once).",
       .min = 0,
       .max = 10'000'000,
       .renews = true},
      {.path = "producer.transaction_interval",
       .kind = Kind::kDuration,
       .field = in_daemon<&Config::producer, &ProducerOptions::transaction_interval>,
       .doc =
           "Time between commits with delivery = \"transactional\"; at most checkpoint.interval, which shows that the "
           "owner lives.",
       .min = 1,
       .max = 60'000,
       .renews = true},
      {.path = "producer.transaction_messages",
       .kind = Kind::kWhole,
       .field = in_daemon<&Config::producer, &ProducerOptions::transaction_messages>,
       .doc = "A transaction that holds so many messages is committed before its time, at the next place between "
              "two tasks.",
       .min = 1,
       .max = 1'000'000'000,
       .renews = true},
      {.path = "producer.transactional_id_prefix",
       .field = in_daemon<&Config::producer, &ProducerOptions::transactional_id_prefix>,
       .doc = "The transactional id is <prefix>-<feed>; the fence uses it too.",
       .min = 1,
       .max = 200},
  };
}

std::vector<Option> sending() {
  return {
      {.path = "producer.bootstrap.servers",
       .field = property,
       .doc = "Kafka's addresses to begin with: \"host:port,host:port\".",
       .min = 1,
       .library = "bootstrap.servers",
       .fallback = "localhost:9092",
       .in_help = true},
      {.path = "producer.client.id",
       .field = property,
       .doc = "The name in the brokers' logs and quotas.",
       .library = "client.id",
       .fallback = "tickbridge"},
      {.path = "producer.acks",
       .kind = Kind::kWord,
       .field = property,
       .doc = "Who must have a record before it counts as written; less than all weakens the delivery mode.",
       .words = {"all", "-1", "1", "0"},
       .library = "acks",
       .translate = acks,
       .fallback = "all",
       .numbers = true,
       .in_help = true},
      {.path = "producer.linger.ms",
       .kind = Kind::kMilliseconds,
       .field = property,
       .doc = "How long a batch is collected for.",
       .max = 900'000,
       .library = "linger.ms",
       .fallback = "5",
       .in_help = true},
      {.path = "producer.batch.size",
       .kind = Kind::kSize,
       .field = property,
       .doc = "A batch's largest size in bytes; 0: one record a batch. The library's default is larger than Java's.",
       .max = kMax32,
       .library = "batch.size",
       .translate = zero_is_one,
       .fallback = "1000000",
       .in_help = true},
      {.path = "producer.compression.type",
       .kind = Kind::kWord,
       .field = property,
       .doc = "How batches are compressed.",
       .words = {"none", "gzip", "snappy", "lz4", "zstd"},
       .library = "compression.type",
       .fallback = "none",
       .in_help = true},
      {.path = "producer.enable.idempotence",
       .kind = Kind::kSwitch,
       .field = property,
       .doc = "The brokers drop what the library sends twice and keep its order; off with acks or retries that it "
              "cannot live with, as in Java.",
       .library = "enable.idempotence",
       .fallback = "true"},
      {.path = "producer.max.in.flight.requests.per.connection",
       .kind = Kind::kWhole,
       .field = property,
       .doc = "Requests sent to a broker and not yet answered; at most 5 with idempotence, 1 without it.",
       .min = 1,
       .max = 1'000'000,
       .library = "max.in.flight.requests.per.connection",
       .fallback = "5"},
      {.path = "producer.retries",
       .kind = Kind::kWhole,
       .field = property,
       .doc = "How often a record is sent again; without end by default; never in at_most_once without idempotence.",
       .max = kMax32,
       .library = "retries",
       .fallback = "2147483647"},
      {.path = "producer.delivery.timeout.ms",
       .kind = Kind::kMilliseconds,
       .field = property,
       .doc =
           "A record that is not acknowledged in so long fails (the library's message.timeout.ms); by default never.",
       .min = 1,
       .max = kMax32,
       .library = "message.timeout.ms",
       .fallback = "never"},
      {.path = "producer.request.timeout.ms",
       .kind = Kind::kMilliseconds,
       .field = property,
       .doc = "How long a request's answer may take (the library's socket.timeout.ms).",
       .min = 10,
       .max = 300'000,
       .library = "socket.timeout.ms",
       .fallback = "60000"},
      {.path = "producer.timeout.ms",
       .kind = Kind::kMilliseconds,
       .field = property,
       .doc = "How long the leader waits for its replicas (Java's old name; the library's topic property "
              "request.timeout.ms).",
       .min = 1,
       .max = 900'000,
       .library = "request.timeout.ms",
       .fallback = "30000"},
      {.path = "producer.max.request.size",
       .kind = Kind::kSize,
       .field = property,
       .doc = "The largest request, so also the largest record (the library's message.max.bytes).",
       .min = 1000,
       .max = 1'000'000'000,
       .library = "message.max.bytes",
       .fallback = "1000000"},
      {.path = "producer.retry.backoff.ms",
       .kind = Kind::kMilliseconds,
       .field = property,
       .doc = "The wait before a request is sent again.",
       .min = 1,
       .max = 300'000,
       .library = "retry.backoff.ms",
       .fallback = "100"},
      {.path = "producer.transaction.timeout.ms",
       .kind = Kind::kMilliseconds,
       .field = property,
       .doc = "How long a transaction may stay open before Kafka aborts it; draining and committing one may take as "
              "long.",
       .min = 1000,
       .max = kMax32,
       .library = "transaction.timeout.ms",
       .fallback = "60000"},
  };
}

std::vector<Option> connecting() {
  return {
      {.path = "producer.send.buffer.bytes",
       .kind = Kind::kSize,
       .field = property,
       .doc = "The sockets' send buffers; -1 or 0: the system's.",
       .min = -1,
       .max = 100'000'000,
       .library = "socket.send.buffer.bytes",
       .translate = minus_one_is_zero,
       .fallback = "0"},
      {.path = "producer.receive.buffer.bytes",
       .kind = Kind::kSize,
       .field = property,
       .doc = "The sockets' receive buffers; -1 or 0: the system's.",
       .min = -1,
       .max = 100'000'000,
       .library = "socket.receive.buffer.bytes",
       .translate = minus_one_is_zero,
       .fallback = "0"},
      {.path = "producer.metadata.max.age.ms",
       .kind = Kind::kMilliseconds,
       .field = property,
       .doc = "How often topics and brokers are looked up anew (the library's topic.metadata.refresh.interval.ms).",
       .min = 10,
       .max = 3'600'000,
       .library = "topic.metadata.refresh.interval.ms",
       .fallback = "300000"},
      {.path = "producer.connections.max.idle.ms",
       .kind = Kind::kMilliseconds,
       .field = property,
       .doc = "Connections idle for so long are closed; -1 or 0: never.",
       .min = -1,
       .max = kMax32,
       .library = "connections.max.idle.ms",
       .translate = minus_one_is_zero,
       .fallback = "0"},
      {.path = "producer.socket.connection.setup.timeout.ms",
       .kind = Kind::kMilliseconds,
       .field = property,
       .doc = "How long a connection may take to be made, TLS and SASL included.",
       .min = 1000,
       .max = kMax32,
       .library = "socket.connection.setup.timeout.ms",
       .fallback = "30000"},
      {.path = "producer.reconnect.backoff.ms",
       .kind = Kind::kMilliseconds,
       .field = property,
       .doc = "The first wait before a broker is connected to again; it doubles.",
       .max = 3'600'000,
       .library = "reconnect.backoff.ms",
       .fallback = "100"},
      {.path = "producer.reconnect.backoff.max.ms",
       .kind = Kind::kMilliseconds,
       .field = property,
       .doc = "The longest such wait.",
       .max = 3'600'000,
       .library = "reconnect.backoff.max.ms",
       .fallback = "10000"},
      {.path = "producer.security.protocol",
       .kind = Kind::kWord,
       .field = property,
       .doc = "Whether Kafka is spoken to over TLS and with a login.",
       .words = {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl", "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"},
       .library = "security.protocol",
       .translate = lower,
       .fallback = "plaintext",
       .in_help = true},
  };
}

/// A text property whose name is the library's, the same in Java.
Option same(std::string_view path, std::string_view doc, bool secret = false, std::string_view fallback = "\"\"") {
  return {
      .path = path, .field = property, .doc = doc, .library = path.substr(9), .fallback = fallback, .secret = secret};
}

std::vector<Option> tls() {
  std::vector<Option> rows{
      same("producer.ssl.ca.location",
           "The file (PEM) or folder of the authorities that brokers are checked with; "
           "Java's truststore."),
      same("producer.ssl.ca.pem", "The same as text.", true),
      same("producer.ssl.certificate.location", "The daemon's own certificate, a file (PEM)."),
      same("producer.ssl.certificate.pem", "The same as text.", true),
      same("producer.ssl.key.location", "Its private key, a file (PEM)."),
      same("producer.ssl.key.pem", "The same as text.", true),
      same("producer.ssl.key.password", "The private key's password.", true),
      same("producer.ssl.keystore.location", "Certificate and key in one file; PKCS#12, not JKS."),
      same("producer.ssl.keystore.password", "That file's password.", true),
      same("producer.ssl.cipher.suites", "Cipher suites by OpenSSL's names, divided by colons."),
      same("producer.ssl.curves.list", "Curves by OpenSSL's names."),
      same("producer.ssl.sigalgs.list", "Signature algorithms by OpenSSL's names."),
      same("producer.ssl.crl.location", "A file of revoked certificates."),
      same("producer.ssl.providers", "OpenSSL 3's providers, divided by commas."),
      same("producer.ssl.engine.location", "An OpenSSL engine (deprecated by the library)."),
      same("producer.ssl.engine.id", "Its name.", false, "dynamic"),
  };
  rows.push_back({.path = "producer.ssl.endpoint.identification.algorithm",
                  .kind = Kind::kWord,
                  .field = property,
                  .doc = "https: the broker's certificate must name its host; none (Java: \"\"): it need not.",
                  .words = {"https", "none", ""},
                  .library = "ssl.endpoint.identification.algorithm",
                  .translate = empty_is_none,
                  .fallback = "https"});
  return rows;
}

/// Secrets of the producer's that have a file form.
constexpr std::array<std::string_view, 7> kSecrets{
    "sasl.password", "sasl.jaas.config", "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config",
    "ssl.key.pem",   "ssl.key.password", "ssl.keystore.password"};

template <std::size_t index>
Field file_of_secret(Config& config, Feed&) {
  return &config.secret_files[std::string{kSecrets[index]}];
}

template <std::size_t index>
Option file_of(std::string_view path, std::string_view doc) {
  return {.path = path,
          .field = file_of_secret<index>,
          .doc = doc,
          .max = 4096,
          .allowed = "a path, or credential:NAME",
          .secret_file = true,
          .secret_of = kSecrets[index]};
}

std::vector<Option> secret_files() {
  return {
      file_of<0>("producer.sasl.password_file", "A file with sasl.password in its first line."),
      file_of<1>("producer.sasl.jaas.config_file", "A file that holds sasl.jaas.config."),
      file_of<2>("producer.sasl.oauthbearer.client.secret_file",
                 "A file with sasl.oauthbearer.client.secret in its first line."),
      file_of<3>("producer.sasl.oauthbearer.config_file", "A file that holds sasl.oauthbearer.config."),
      file_of<4>("producer.ssl.key.pem_file",
                 "A file that holds ssl.key.pem; ssl.key.location does the same, and is read by the library itself."),
      file_of<5>("producer.ssl.key.password_file", "A file with ssl.key.password in its first line."),
      file_of<6>("producer.ssl.keystore.password_file", "A file with ssl.keystore.password in its first line."),
  };
}

std::vector<Option> sasl() {
  std::vector<Option> rows{
      same("producer.sasl.username", "The user, for PLAIN and SCRAM."),
      same("producer.sasl.password", "The password, for PLAIN and SCRAM.", true),
      same("producer.sasl.kerberos.service.name", "The brokers' Kerberos name, without host and realm.", false,
           "kafka"),
      same("producer.sasl.kerberos.principal", "The daemon's Kerberos name.", false, "kafkaclient"),
      same("producer.sasl.kerberos.keytab", "The daemon's keytab."),
      same("producer.sasl.oauthbearer.config", "The token's settings, as the library reads them.", true),
      same("producer.sasl.oauthbearer.client.id", "The daemon's name at the token server."),
      same("producer.sasl.oauthbearer.client.secret", "Its secret there.", true),
      same("producer.sasl.oauthbearer.scope", "The scope asked for."),
      same("producer.sasl.oauthbearer.extensions", "More for the broker: name=value,name=value."),
      same("producer.sasl.oauthbearer.token.endpoint.url", "The token server."),
  };
  rows.push_back({.path = "producer.sasl.mechanism",
                  .kind = Kind::kWord,
                  .field = property,
                  .doc = "How the daemon logs in to Kafka.",
                  .words = {"GSSAPI", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"},
                  .library = "sasl.mechanism",
                  .fallback = "GSSAPI"});
  rows.push_back({.path = "producer.sasl.jaas.config",
                  .field = property,
                  .doc = "Java's way to give user and password of PLAIN and SCRAM: \"….PlainLoginModule required "
                         "username=\\\"me\\\" password=\\\"…\\\";\".",
                  .check = check_jaas,
                  .allowed = "a line with PlainLoginModule or ScramLoginModule, username and password",
                  .library = "sasl.jaas.config",
                  .fallback = "\"\"",
                  .secret = true});
  rows.push_back({.path = "producer.sasl.oauthbearer.method",
                  .kind = Kind::kWord,
                  .field = property,
                  .doc = "Where tokens come from.",
                  .words = {"default", "oidc"},
                  .library = "sasl.oauthbearer.method",
                  .fallback = "default"});
  rows.push_back({.path = "producer.sasl.kerberos.min.time.before.relogin",
                  .kind = Kind::kMilliseconds,
                  .field = property,
                  .doc = "The shortest time between renewals of the ticket; 0: never renewed.",
                  .max = 86'400'000,
                  .library = "sasl.kerberos.min.time.before.relogin",
                  .fallback = "60000"});
  return rows;
}

}  // namespace

std::vector<Option> producer_options() {
  std::vector<Option> rows = sending();
  for (auto* part : {own, connecting, tls, sasl, secret_files}) {
    const std::vector<Option> more = part();
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace tickbridge::config
