#include "sink/conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tickbridge::sink {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Properties with(const Properties& user, Delivery delivery = Delivery::kAtLeastOnce, Send send = Send::kAsync) {
  ProducerOptions options;
  options.properties = user;
  return properties_for(options, delivery, send);
}

TEST(Conf, IsIdempotentGaplessAndPatientByDefault) {
  const Properties properties = with({});
  EXPECT_EQ(properties.at("enable.idempotence"), "true");
  EXPECT_EQ(properties.at("enable.gapless.guarantee"), "true");
  EXPECT_EQ(properties.at("acks"), "all");
  EXPECT_EQ(properties.at("message.timeout.ms"), "0");
  EXPECT_EQ(properties.at("message.send.max.retries"), "2147483647");
  EXPECT_EQ(properties.at("socket.nagle.disable"), "true");
  EXPECT_EQ(properties.at("enable.sparse.connections"),
            "false");  // tests/fault/suite.py brokers stands still otherwise
  EXPECT_EQ(properties.at("allow.auto.create.topics"), "false");
}

TEST(Conf, AtMostOnceRepeatsNothingThatTheBrokersDoNotTellFromTheFirst) {
  const Properties properties = with({}, Delivery::kAtMostOnce);
  EXPECT_EQ(properties.at("enable.idempotence"), "true");
  EXPECT_EQ(properties.count("enable.gapless.guarantee"), 0U) << "what is refused is dropped, and the producer goes on";
  for (const Properties& user : {Properties{{"acks", "1"}}, Properties{{"delivery.timeout.ms", "5000"}},
                                 Properties{{"enable.idempotence", "false"}}}) {
    const Properties without = with(user, Delivery::kAtMostOnce);
    EXPECT_EQ(without.at("enable.idempotence"), "false");
    EXPECT_EQ(without.at("message.send.max.retries"), "0");
    EXPECT_EQ(without.at("max.in.flight.requests.per.connection"), "1");
  }
}

TEST(Conf, FireAndForgetWaitsForNoAcknowledgement) {
  EXPECT_EQ(with({}, Delivery::kAtMostOnce, Send::kFireAndForget).at("acks"), "0");
}

TEST(Conf, TheUsersPropertyWinsUnderEachOfItsNames) {
  EXPECT_EQ(with({{"linger.ms", "7"}}).at("linger.ms"), "7");
  const Properties properties = with({{"queue.buffering.max.ms", "8"}});
  EXPECT_EQ(properties.at("linger.ms"), "8");
  EXPECT_EQ(properties.count("queue.buffering.max.ms"), 0U);
}

TEST(Conf, WhatIdempotenceCannotLiveWithSwitchesItOffAndKeepsOrder) {
  for (const Properties& user :
       {Properties{{"acks", "1"}}, Properties{{"retries", "0"}}, Properties{{"enable.idempotence", "false"}}}) {
    const Properties properties = with(user);
    EXPECT_EQ(properties.at("enable.idempotence"), "false");
    EXPECT_EQ(properties.at("max.in.flight.requests.per.connection"), "1");
    EXPECT_EQ(properties.count("enable.gapless.guarantee"), 0U);
  }
}

TEST(Conf, TheLibraryTakesTheDefaultsOfEachDelivery) {
  for (const Delivery delivery : {Delivery::kAtLeastOnce, Delivery::kAtMostOnce}) {
    auto conf = make_conf(with({{"bootstrap.servers", "127.0.0.1:1"}}, delivery));
    ASSERT_TRUE(conf) << conf.error().message;
    char text[256] = "";
    const ClientHandle client{rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), text, sizeof text)};
    ASSERT_TRUE(client) << text;
    (void)conf->release();
  }
}

TEST(Conf, ATransactionalProducerGivesUpWithItsTransaction) {
  const Properties properties = transactional(with({}, Delivery::kTransactional), "tickbridge-nasdaq");
  EXPECT_EQ(properties.at("transactional.id"), "tickbridge-nasdaq");
  EXPECT_EQ(properties.at("message.timeout.ms"), properties.at("transaction.timeout.ms"));
  EXPECT_EQ(properties.count("enable.gapless.guarantee"), 0U);
  const Properties longer = transactional(with({{"transaction.timeout.ms", "90000"}}, Delivery::kTransactional), "x");
  EXPECT_EQ(longer.at("message.timeout.ms"), "90000");
}

TEST(Conf, OtherClientsTakeOverHowTheClusterIsReachedAndNothingElse) {
  ProducerOptions options;
  options.properties = {{"metadata.broker.list", "kafka:9092"},
                        {"security.protocol", "sasl_ssl"},
                        {"sasl.mechanism", "PLAIN"},
                        {"ssl.ca.location", "ca.pem"},
                        {"socket.timeout.ms", "7000"},
                        {"client.id", "me"},
                        {"acks", "all"},
                        {"linger.ms", "7"},
                        {"transaction.timeout.ms", "9000"},
                        {"enable.gapless.guarantee", "true"}};
  const Properties properties = connection_properties(options);
  EXPECT_EQ(properties.at("bootstrap.servers"), "kafka:9092");
  EXPECT_EQ(properties.at("security.protocol"), "sasl_ssl");
  EXPECT_EQ(properties.at("sasl.mechanisms"), "PLAIN");
  EXPECT_EQ(properties.at("ssl.ca.location"), "ca.pem");
  EXPECT_EQ(properties.at("socket.timeout.ms"), "7000");
  EXPECT_EQ(properties.at("client.id"), "me");
  for (const char* name : {"acks", "linger.ms", "transaction.timeout.ms", "enable.gapless.guarantee"}) {
    EXPECT_EQ(properties.count(name), 0U) << name;
  }
}

TEST(Conf, TheLibraryTakesTheOtherClientsProperties) {
  ProducerOptions options;
  options.properties = {{"bootstrap.servers", "127.0.0.1:1"}, {"socket.timeout.ms", "59000"}, {"linger.ms", "5"}};
  const auto accepted = [](rd_kafka_type_t type, const Properties& properties) {
    auto conf = make_conf(properties);
    ASSERT_TRUE(conf) << conf.error().message;
    char text[256] = "";
    const ClientHandle client{rd_kafka_new(type, conf->get(), text, sizeof text)};
    ASSERT_TRUE(client) << text;
    (void)conf->release();
  };
  accepted(RD_KAFKA_CONSUMER, reader_properties(options, "read_committed"));
  accepted(RD_KAFKA_PRODUCER, notes_properties(options));
  accepted(RD_KAFKA_PRODUCER, fence_properties(options, "tickbridge-nasdaq"));
  options.properties["socket.timeout.ms"] = "120000";
  accepted(RD_KAFKA_PRODUCER, fence_properties(options, "tickbridge-nasdaq"));
  options.properties["socket.timeout.ms"] = "59000";
  accepted(RD_KAFKA_PRODUCER,
           transactional(properties_for(options, Delivery::kTransactional, Send::kAsync), "tickbridge-nasdaq"));
}

TEST(Conf, TheLibrarysLimitsLieAboveTheBudget) {
  ProducerOptions options;
  options.max_in_flight_messages = 200'000;
  options.buffer_memory = 1ULL << 30U;
  const Properties properties = properties_for(options, Delivery::kAtLeastOnce, Send::kAsync);
  EXPECT_GT(std::stoull(properties.at("queue.buffering.max.messages")), 2 * 200'000U);
  EXPECT_GT(std::stoull(properties.at("queue.buffering.max.kbytes")), 2U << 20U);
}

TEST(Conf, TheUsersOwnMessageLimitBoundsTheBudget) {
  ProducerOptions options;
  options.properties["queue.buffering.max.messages"] = "100";
  EXPECT_EQ(in_flight_share(options, Delivery::kExactlyOnce, 1, 1'000).count, 100U);
  EXPECT_EQ(in_flight_share(options, Delivery::kExactlyOnce, 4, 1'000).count, 25U);
}

TEST(Conf, ALanesShareGrowsWithItsPartitionsUnlessTheUserSaysHowMany) {
  ProducerOptions options;
  const auto share = [&](Delivery delivery, std::size_t lanes, std::size_t partitions) {
    return in_flight_share(options, delivery, lanes, partitions).count;
  };
  EXPECT_EQ(share(Delivery::kExactlyOnce, 1, 12), 50'000U);
  EXPECT_EQ(share(Delivery::kExactlyOnce, 1, 256), 128'000U);
  EXPECT_EQ(share(Delivery::kExactlyOnce, 32, 8), 4'000U);
  EXPECT_EQ(share(Delivery::kAtMostOnce, 32, 8), 1'562U);
  options.max_in_flight_messages = 320;
  EXPECT_EQ(share(Delivery::kExactlyOnce, 32, 8), 10U);
  EXPECT_EQ(in_flight_share(options, Delivery::kExactlyOnce, 32, 8).bytes, options.buffer_memory / 32);
}

TEST(Conf, ARefusedValueIsNamedAndASecretIsNot) {
  const auto refused = make_conf({{"linger.ms", "soon"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ExitCode::kConfig);
  EXPECT_THAT(refused.error().message, HasSubstr("linger.ms = \"soon\""));
  const auto secret = make_conf({{"ssl.key.passwordx", "hunter2"}});
  ASSERT_FALSE(secret);
  EXPECT_THAT(secret.error().message, Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace tickbridge::sink
