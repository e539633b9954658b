// [producer]: Java's names with Java's meanings, and the library's own.
#include <fmt/format.h>

#include "config/helpers.h"
#include "config/java_names.h"

namespace tickbridge::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

Config producer(std::string_view lines) {
  return accepted(fmt::format("{}delivery = \"at_least_once\"\n[producer]\n{}\n", kFeed, lines));
}
std::string refused(std::string_view lines) { return refusal(fmt::format("{}[producer]\n{}\n", kFeed, lines)); }

TEST(JavaNames, BecomeTheLibrarysProperties) {
  struct Case {
    const char* line;
    const char* property;
    const char* value;
  };
  const Case cases[] = {
      {"\"bootstrap.servers\" = \"k1:9092,k2:9092\"", "bootstrap.servers", "k1:9092,k2:9092"},
      {"client.id = \"me\"", "client.id", "me"},
      {"acks = \"all\"", "acks", "all"},
      {"acks = -1", "acks", "all"},
      {"acks = \"1\"", "acks", "1"},
      {"retries = 3", "retries", "3"},
      {"linger.ms = 5", "linger.ms", "5"},
      {"linger.ms = \"5ms\"", "linger.ms", "5"},
      {"batch.size = 16384", "batch.size", "16384"},
      {"batch.size = 0", "batch.size", "1"},
      {"batch.size = \"64KiB\"", "batch.size", "65536"},
      {"compression.type = \"zstd\"", "compression.type", "zstd"},
      {"enable.idempotence = true", "enable.idempotence", "true"},
      {"max.in.flight.requests.per.connection = 2", "max.in.flight.requests.per.connection", "2"},
      {"security.protocol = \"SASL_SSL\"", "security.protocol", "sasl_ssl"},
      {"delivery.timeout.ms = 1000", "message.timeout.ms", "1000"},
      {"request.timeout.ms = 1000", "socket.timeout.ms", "1000"},
      {"timeout.ms = 1000", "request.timeout.ms", "1000"},
      {"max.request.size = 2000000", "message.max.bytes", "2000000"},
      {"send.buffer.bytes = 131072", "socket.send.buffer.bytes", "131072"},
      {"send.buffer.bytes = -1", "socket.send.buffer.bytes", "0"},
      {"receive.buffer.bytes = -1", "socket.receive.buffer.bytes", "0"},
      {"metadata.max.age.ms = 60000", "topic.metadata.refresh.interval.ms", "60000"},
      {"connections.max.idle.ms = -1", "connections.max.idle.ms", "0"},
      {"ssl.endpoint.identification.algorithm = \"\"", "ssl.endpoint.identification.algorithm", "none"},
      {"ssl.ca.location = \"/ca\"", "ssl.ca.location", "/ca"},
      {"sasl.mechanism = \"SCRAM-SHA-512\"", "sasl.mechanism", "SCRAM-SHA-512"},
      {"sasl.username = \"me\"", "sasl.username", "me"},
      {"librdkafka.socket.nagle.disable = false", "socket.nagle.disable", "false"},
      {"librdkafka.linger.ms = 0.5", "linger.ms", "0.5"},
      {"librdkafka.\"queue.buffering.max.ms\" = 9", "linger.ms", "9"},
  };
  for (const Case& c : cases) {
    const Config config = producer(c.line);
    ASSERT_TRUE(config.producer.properties.contains(c.property)) << c.line;
    EXPECT_EQ(config.producer.properties.at(c.property), c.value) << c.line;
    EXPECT_LE(config.producer.properties.size(), 2U) << c.line;
  }
}

TEST(JavaNames, AreNotSetByAnEmptyText) {
  EXPECT_FALSE(producer("ssl.key.pem = \"\"\nclient.id = \"\"").producer.properties.contains("ssl.key.pem"));
}

TEST(JavaNames, SetTheDaemonsOwn) {
  const Config config = producer(
      "buffer.memory = 1000000\nmax.block.ms = 0\nmetadata.fetch.timeout.ms = 5000\n"
      "transaction_interval = \"1s\"\ntransaction_messages = 500\ntransactional_id_prefix = \"x\"");
  EXPECT_EQ(config.producer.buffer_memory, 1'000'000U);
  EXPECT_EQ(config.producer.max_block, 0ms);
  EXPECT_EQ(config.producer.metadata_timeout, 5s);
  EXPECT_EQ(config.producer.transaction_interval, 1s);
  EXPECT_EQ(config.producer.transaction_messages, 500U);
  EXPECT_EQ(config.producer.transactional_id_prefix, "x");
  EXPECT_EQ(config.producer.properties.size(), 1U);
}

TEST(JavaNames, WithoutCounterpartAreRefusedWithTheReason) {
  for (const Refused& r : refused_java_names()) {
    std::string name{r.name};
    if (const auto star = name.find('*'); star != std::string::npos) name.replace(star, 1, "x");
    const std::string message = refused(fmt::format("\"{}\" = \"x\"", name));
    EXPECT_THAT(message, StartsWith(fmt::format("t.toml:4: producer.{} ", name)));
    EXPECT_THAT(message, testing::Not(HasSubstr("is no option"))) << name;
  }
  EXPECT_THAT(refused("\"key.serializer\" = \"x\""), HasSubstr("feed.<name>.key"));
  EXPECT_THAT(refused("\"value.serializer\" = \"x\""), HasSubstr("feed.<name>.payload"));
  EXPECT_THAT(refused("\"ssl.truststore.location\" = \"x\""), HasSubstr("producer.ssl.ca.location"));
}

TEST(JavaNames, AreEachTakenOrRefusedByName) {
  // ProducerConfig, SslConfigs and SaslConfigs of Apache Kafka 4.1, and what older ones had.
  constexpr const char* kJava[] = {"acks",
                                   "auto.include.jmx.reporter",
                                   "batch.size",
                                   "bootstrap.servers",
                                   "buffer.memory",
                                   "client.dns.lookup",
                                   "client.id",
                                   "compression.gzip.level",
                                   "compression.lz4.level",
                                   "compression.type",
                                   "compression.zstd.level",
                                   "config.providers",
                                   "connections.max.idle.ms",
                                   "delivery.timeout.ms",
                                   "enable.idempotence",
                                   "enable.metrics.push",
                                   "interceptor.classes",
                                   "key.serializer",
                                   "linger.ms",
                                   "max.block.ms",
                                   "max.in.flight.requests.per.connection",
                                   "max.request.size",
                                   "metadata.fetch.timeout.ms",
                                   "metadata.max.age.ms",
                                   "metadata.max.idle.ms",
                                   "metadata.recovery.rebootstrap.trigger.ms",
                                   "metadata.recovery.strategy",
                                   "metric.reporters",
                                   "metrics.num.samples",
                                   "metrics.recording.level",
                                   "metrics.sample.window.ms",
                                   "block.on.buffer.full",
                                   "partitioner.adaptive.partitioning.enable",
                                   "partitioner.availability.timeout.ms",
                                   "partitioner.class",
                                   "partitioner.ignore.keys",
                                   "receive.buffer.bytes",
                                   "reconnect.backoff.max.ms",
                                   "reconnect.backoff.ms",
                                   "request.timeout.ms",
                                   "retries",
                                   "retry.backoff.max.ms",
                                   "retry.backoff.ms",
                                   "sasl.client.callback.handler.class",
                                   "sasl.jaas.config",
                                   "sasl.kerberos.kinit.cmd",
                                   "sasl.kerberos.min.time.before.relogin",
                                   "sasl.kerberos.service.name",
                                   "sasl.kerberos.ticket.renew.jitter",
                                   "sasl.kerberos.ticket.renew.window.factor",
                                   "sasl.login.callback.handler.class",
                                   "sasl.login.class",
                                   "sasl.login.connect.timeout.ms",
                                   "sasl.login.read.timeout.ms",
                                   "sasl.login.refresh.buffer.seconds",
                                   "sasl.login.refresh.min.period.seconds",
                                   "sasl.login.refresh.window.factor",
                                   "sasl.login.refresh.window.jitter",
                                   "sasl.login.retry.backoff.max.ms",
                                   "sasl.login.retry.backoff.ms",
                                   "sasl.mechanism",
                                   "sasl.oauthbearer.assertion.algorithm",
                                   "sasl.oauthbearer.client.credentials.client.id",
                                   "sasl.oauthbearer.clock.skew.seconds",
                                   "sasl.oauthbearer.expected.audience",
                                   "sasl.oauthbearer.expected.issuer",
                                   "sasl.oauthbearer.header.urlencode",
                                   "sasl.oauthbearer.jwks.endpoint.refresh.ms",
                                   "sasl.oauthbearer.jwks.endpoint.url",
                                   "sasl.oauthbearer.jwt.retriever.class",
                                   "sasl.oauthbearer.jwt.validator.class",
                                   "sasl.oauthbearer.scope",
                                   "sasl.oauthbearer.scope.claim.name",
                                   "sasl.oauthbearer.sub.claim.name",
                                   "sasl.oauthbearer.token.endpoint.url",
                                   "security.protocol",
                                   "security.providers",
                                   "send.buffer.bytes",
                                   "socket.connection.setup.timeout.max.ms",
                                   "socket.connection.setup.timeout.ms",
                                   "ssl.cipher.suites",
                                   "ssl.enabled.protocols",
                                   "ssl.endpoint.identification.algorithm",
                                   "ssl.engine.factory.class",
                                   "ssl.key.password",
                                   "ssl.keymanager.algorithm",
                                   "ssl.keystore.certificate.chain",
                                   "ssl.keystore.key",
                                   "ssl.keystore.location",
                                   "ssl.keystore.password",
                                   "ssl.keystore.type",
                                   "ssl.protocol",
                                   "ssl.provider",
                                   "ssl.secure.random.implementation",
                                   "ssl.trustmanager.algorithm",
                                   "ssl.truststore.certificates",
                                   "ssl.truststore.location",
                                   "ssl.truststore.password",
                                   "ssl.truststore.type",
                                   "timeout.ms",
                                   "transaction.timeout.ms",
                                   "transaction.two.phase.commit.enable",
                                   "transactional.id",
                                   "value.serializer"};
  for (const char* const name : kJava) {
    EXPECT_THAT(refused(fmt::format("\"{}\" = [1]", name)), testing::Not(HasSubstr("is no option"))) << name;
  }
}

TEST(JavaNames, OutOfRangeAreRefusedHere) {
  EXPECT_THAT(refused("linger.ms = 900001"),
              HasSubstr("producer.linger.ms = 900001 is too large; allowed: 0 to 900000 ms"));
  EXPECT_THAT(refused("delivery.timeout.ms = 0"), HasSubstr("is too small"));
  EXPECT_THAT(refused("compression.type = \"zsdt\""), HasSubstr("did you mean \"zstd\""));
  EXPECT_THAT(refused("acks = 2"), HasSubstr("is not one of its words"));
}

TEST(JavaNames, UnknownNamesGetTheNearest) {
  EXPECT_THAT(refused("\"linger\" = 5"), AllOf(HasSubstr("producer.linger is no option"), HasSubstr("librdkafka")));
  EXPECT_THAT(refused("\"bach.size\" = 5"), HasSubstr("did you mean producer.batch.size?"));
}

TEST(Producer, RefusesTheSameTargetTwice) {
  struct Case {
    const char* lines;
    const char* first;
    const char* second;
  };
  const Case cases[] = {
      {"linger.ms = 5\nlibrdkafka.linger.ms = 6", "producer.linger.ms (t.toml:4)", "producer.librdkafka.linger.ms"},
      {"linger.ms = 5\nlibrdkafka.\"queue.buffering.max.ms\" = 6", "producer.linger.ms (t.toml:4)",
       "producer.librdkafka.queue.buffering.max.ms"},
      {"delivery.timeout.ms = 500000\nlibrdkafka.\"message.timeout.ms\" = 600000",
       "producer.delivery.timeout.ms (t.toml:4)", "producer.librdkafka.message.timeout.ms"},
      {"timeout.ms = 5\nlibrdkafka.\"request.timeout.ms\" = 6", "producer.timeout.ms (t.toml:4)",
       "producer.librdkafka.request.timeout.ms"},
      {"buffer.memory = 1000000\nlibrdkafka.\"queue.buffering.max.kbytes\" = 6", "producer.buffer.memory (t.toml:4)",
       "producer.librdkafka.queue.buffering.max.kbytes"},
      {"librdkafka.\"metadata.broker.list\" = \"a\"\nlibrdkafka.\"bootstrap.servers\" = \"b\"",
       "producer.librdkafka.metadata.broker.list (t.toml:4)", "producer.librdkafka.bootstrap.servers"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(refused(c.lines), AllOf(StartsWith(fmt::format("t.toml:5: {}", c.second)), HasSubstr(c.first)))
        << c.lines;
  }
}

TEST(Producer, LetsSetReplaceAnotherNameForTheSame) {
  const Config config = accepted(fmt::format("{}[producer.librdkafka]\n\"queue.buffering.max.ms\" = 7\n", kFeed),
                                 {"producer.linger.ms=5"});
  EXPECT_EQ(config.producer.properties.at("linger.ms"), "5");
  EXPECT_FALSE(config.origins.contains("producer.librdkafka.queue.buffering.max.ms"));
}

TEST(Producer, KeepsTheDaemonsPropertiesForItself) {
  for (const Refused& owned : owned_properties()) {
    EXPECT_THAT(refused(fmt::format("librdkafka.\"{}\" = \"x\"", owned.name)),
                AllOf(StartsWith("t.toml:4: producer.librdkafka."), HasSubstr(owned.advice)))
        << owned.name;
  }
}

TEST(Producer, RefusesListsAndTablesAsProperties) {
  EXPECT_THAT(refused("librdkafka.debug = [\"all\"]"), HasSubstr("is a list; allowed: text, a number, true or false"));
}

}  // namespace
}  // namespace tickbridge::config
