#include "sink/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tickbridge::sink {
namespace {

TEST(Errors, TellsRefusalsFromLosses) {
  EXPECT_EQ(judge(RD_KAFKA_RESP_ERR_NO_ERROR), Verdict::kDelivered);
  for (const auto code : {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
                          RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                          RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR_INVALID_MSG}) {
    EXPECT_EQ(judge(code), Verdict::kRefused) << rd_kafka_err2name(code);
  }
  for (const auto code : {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT,
                          RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER}) {
    EXPECT_EQ(judge(code), Verdict::kLost) << rd_kafka_err2name(code);
  }
  for (const auto code :
       {RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_RESP_ERR__FATAL}) {
    EXPECT_EQ(judge(code), Verdict::kDiscarded) << rd_kafka_err2name(code);
  }
}

TEST(Errors, AreCountedByKind) {
  using metrics::DaemonCounter;
  EXPECT_EQ(counter_of(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN), DaemonCounter::kErrorsConnection);
  EXPECT_EQ(counter_of(RD_KAFKA_RESP_ERR__TIMED_OUT), DaemonCounter::kErrorsTimeout);
  EXPECT_EQ(counter_of(RD_KAFKA_RESP_ERR__AUTHENTICATION), DaemonCounter::kErrorsAccess);
  EXPECT_EQ(counter_of(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), DaemonCounter::kErrorsAccess);
  EXPECT_EQ(counter_of(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS), DaemonCounter::kErrorsBroker);
  EXPECT_EQ(counter_of(RD_KAFKA_RESP_ERR__FATAL), DaemonCounter::kErrorsFatal);
  EXPECT_EQ(counter_of(RD_KAFKA_RESP_ERR__STATE), DaemonCounter::kErrorsOther);
}

TEST(Errors, AdviceNamesTheTopic) {
  EXPECT_THAT(advice(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "ticks"), ::testing::HasSubstr("--entity-name ticks"));
  EXPECT_THAT(advice(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, "ticks"), ::testing::HasSubstr("message.timestamp"));
  EXPECT_THAT(describe(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP), ::testing::HasSubstr("INVALID_TIMESTAMP"));
}

}  // namespace
}  // namespace tickbridge::sink
