#include "sink/topic_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tickbridge::sink {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::map<std::string, std::string> good() {
  return {{"max.message.bytes", "1048588"},
          {"message.timestamp.type", "CreateTime"},
          {"min.insync.replicas", "2"},
          {"cleanup.policy", "delete"},
          {"unclean.leader.election.enable", "false"}};
}

Result<std::vector<std::string>> applied(TopicInfo& info, const std::map<std::string, std::string>& values,
                                         Delivery delivery = Delivery::kAtLeastOnce) {
  return apply_settings(info, "ticks", values, {}, delivery, "kafka:9092");
}

TEST(TopicSettings, SaysNothingAboutAGoodTopic) {
  TopicInfo info{.partitions = 12, .replication_factor = 3};
  EXPECT_THAT(applied(info, good()).value(), IsEmpty());
  EXPECT_TRUE(info.settings_known);
  EXPECT_FALSE(info.log_append_time);
  EXPECT_EQ(info.min_insync_replicas, 2);
  EXPECT_EQ(info.max_record_bytes, 1'000'000U - 97) << "the producer's own limit is the smaller one";
}

TEST(TopicSettings, TheSmallerLimitBoundsARecord) {
  EXPECT_EQ(max_record_bytes(5000, {}), 5000U - 97);
  EXPECT_EQ(max_record_bytes(5000, {.message_max_bytes = 2000}), 2000U - 97);
  EXPECT_EQ(max_record_bytes(50, {}), 0U);
}

TEST(TopicSettings, RefusesATopicThatTakesSmallerBatchesThanWeMake) {
  TopicInfo info{.replication_factor = 3};
  auto values = good();
  values["max.message.bytes"] = "65536";
  const auto answer = applied(info, values);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ExitCode::kConfig);
  EXPECT_THAT(answer.error().message, HasSubstr("producer.batch.size = 65536"));
  EXPECT_THAT(answer.error().message, HasSubstr("--add-config max.message.bytes=1000000"));
  EXPECT_THAT(applied(info, values, Delivery::kAtMostOnce).value(), ElementsAre(HasSubstr("batches")));
}

TEST(TopicSettings, RefusesACompactedTopic) {
  TopicInfo info{.replication_factor = 3};
  auto values = good();
  values["cleanup.policy"] = "compact,delete";
  const auto answer = applied(info, values);
  ASSERT_FALSE(answer);
  EXPECT_TRUE(info.compacted);
  EXPECT_THAT(answer.error().message, HasSubstr("cleanup.policy=delete"));
}

TEST(TopicSettings, WarnsWhereRecordsCanBeLost) {
  auto values = good();
  values["unclean.leader.election.enable"] = "true";
  TopicInfo one{.replication_factor = 1};
  EXPECT_THAT(applied(one, values).value(), ElementsAre(HasSubstr("one replica"), HasSubstr("unclean")));
  values = good();
  values["min.insync.replicas"] = "1";
  TopicInfo three{.replication_factor = 3};
  EXPECT_THAT(applied(three, values).value(), ElementsAre(HasSubstr("min.insync.replicas=2")));
}

TEST(TopicSettings, ReadsTheTimestampLimitsOfOldAndNewBrokers) {
  TopicInfo info{.replication_factor = 3};
  auto values = good();
  values["message.timestamp.after.max.ms"] = "3600000";
  ASSERT_TRUE(applied(info, values));
  EXPECT_EQ(info.timestamp_after_max_ms, 3'600'000);
  EXPECT_EQ(info.timestamp_before_max_ms, kNoLimit);
  values["message.timestamp.difference.max.ms"] = "1000";
  ASSERT_TRUE(applied(info, values));
  EXPECT_EQ(info.timestamp_after_max_ms, 1000);
  EXPECT_EQ(info.timestamp_before_max_ms, 1000);
}

TEST(TopicSettings, TellsTimestampsThatWouldBeRefused) {
  const TopicInfo info{.timestamp_before_max_ms = 100, .timestamp_after_max_ms = 50};
  EXPECT_EQ(timestamps_refused(info, "kafka:9092", "ticks", 900, 1050, 1000), "");
  EXPECT_THAT(timestamps_refused(info, "kafka:9092", "ticks", 899, 1000, 1000),
              HasSubstr("message.timestamp.before.max.ms="));
  EXPECT_THAT(timestamps_refused(info, "kafka:9092", "ticks", 1000, 1051, 1000),
              HasSubstr("message.timestamp.after.max.ms="));
  EXPECT_THAT(timestamps_refused(info, "kafka:9092", "ticks", 1000, 1051, 1000),
              HasSubstr("--bootstrap-server kafka:9092 --alter --entity-type topics --entity-name ticks "));
  const TopicInfo broker_time{.log_append_time = true, .timestamp_after_max_ms = 50};
  EXPECT_EQ(timestamps_refused(broker_time, "kafka:9092", "ticks", 0, 9999, 1000), "");
}

TEST(TopicSettings, KnowsLogAppendTime) {
  TopicInfo info{.replication_factor = 3};
  auto values = good();
  values["message.timestamp.type"] = "LogAppendTime";
  ASSERT_TRUE(applied(info, values));
  EXPECT_TRUE(info.log_append_time);
}

TEST(NotesSettings, AreCompactedInSmallSegments) {
  const auto checked = [](const char* policy, const char* segment) {
    return check_notes_settings("notes", {{"cleanup.policy", policy}, {"segment.bytes", segment}}, "kafka:9092");
  };
  EXPECT_THAT(checked("compact", "4194304").value(), IsEmpty());
  EXPECT_THAT(checked("compact", "1073741824").value(), ElementsAre(HasSubstr("--add-config segment.bytes=4194304")));
  ASSERT_FALSE(checked("compact,delete", "4194304"));
  EXPECT_EQ(checked("delete", "4194304").error().code, ExitCode::kConfig);
}

}  // namespace
}  // namespace tickbridge::sink
