#include "sink/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sink/certificates.h"

namespace tickbridge::sink {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kVerify =
    "ssl://h:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed";
constexpr const char* kLogin = "SASL authentication error: Authentication failed (after 309ms in state AUTH_REQ)";

std::string advice(std::string_view text, int certificate = 0) {
  return connection_advice({.code = RD_KAFKA_RESP_ERR__SSL, .text = text, .certificate = certificate});
}

TEST(Connection, AdviceFollowsTheReasonThatACertificateIsNotTaken) {
  EXPECT_THAT(advice(kVerify, 10), HasSubstr("has expired"));
  EXPECT_THAT(advice(kVerify, 20), HasSubstr("producer.ssl.ca.location"));
  EXPECT_THAT(advice(kVerify, 64), HasSubstr("another host"));
  EXPECT_THAT(advice(kVerify, 12), HasSubstr("verify error 12"));
}

TEST(Connection, AdviceForALoginNamesThePasswordAndWhatTheLibraryCannotDo) {
  ConnectionFault fault{
      .code = RD_KAFKA_RESP_ERR__AUTHENTICATION, .text = kLogin, .mechanism = "PLAIN", .library = 0x020002ff};
  EXPECT_THAT(connection_advice(fault), AllOf(HasSubstr("producer.sasl.password"), Not(HasSubstr("2.6.1"))));
  fault.mechanism = "SCRAM-SHA-512";
  EXPECT_THAT(connection_advice(fault), HasSubstr("before 2.6.1"));
  fault.library = 0x020601ff;
  EXPECT_THAT(connection_advice(fault), Not(HasSubstr("2.6.1")));
}

TEST(Connection, NoAdviceWhereTheErrorNamesNoCause) {
  EXPECT_THAT(advice("h:1/1: Disconnected (after 600000ms in state UP)"), IsEmpty());
  EXPECT_THAT(advice("1/1 brokers are down"), IsEmpty());
}

TEST(Connection, AMereDisconnectIsOneThatTheLibraryKnowsNoReasonFor) {
  EXPECT_TRUE(is_mere_disconnect("h:1/1: Disconnected (after 600000ms in state UP)"));
  EXPECT_FALSE(is_mere_disconnect("h:1/b: Disconnected: verify that security.protocol is correctly configured"));
  EXPECT_FALSE(is_mere_disconnect("h:1/b: Disconnected while requesting ApiVersion: might be caused by"));
}

TEST(Connection, WhatTheLibraryRefusesSaysWhichFileToLookAt) {
  const Error key = refused_properties("ssl.key.location failed: error:0A080009:SSL routines::PEM lib");
  EXPECT_EQ(key.code, ExitCode::kConfig);
  EXPECT_THAT(key.message, AllOf(HasSubstr("PEM lib"), HasSubstr("producer.ssl.key.password")));
  EXPECT_THAT(refused_properties("ssl.key.location failed: x509 certificate routines::key values mismatch").message,
              HasSubstr("do not belong together"));
  EXPECT_THAT(refused_properties("`acks` is out of range").message, Not(HasSubstr(";")));
}

}  // namespace
}  // namespace tickbridge::sink
