// The sink against a real Apache Kafka, started by tools/kafka for this program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <semaphore>

#include "base/clock.h"
#include "foreign.h"
#include "kafka_cluster.h"
#include "sink/fence.h"
#include "sink/producer.h"

namespace tickbridge::sink {
namespace {

using namespace std::chrono_literals;
using testing::Cluster;
using ::testing::HasSubstr;

Cluster* const cluster = Cluster::shared();

class KafkaTest : public ::testing::Test {
 protected:
  KafkaTest() {
    options_.properties = {{"bootstrap.servers", cluster->servers()}};
    feed_.topic = std::string{"t-"} + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    feed_.dead_letter_topic = feed_.topic + ".dead";
    topics_.replication_factor = 1;
  }
  Result<std::unique_ptr<Lane>> open(Delivery delivery = Delivery::kAtLeastOnce) {
    auto made = Producer::create(options_, delivery, Send::kAsync, {});
    if (!made) return made.error();
    producer_ = std::move(*made);
    return producer_->open_lane("nasdaq", feed_, topics_, 1, metrics_,
                                {.on_room = [this] { room_.release(); },
                                 .on_failed = [this](const Error& error) { failed_.set_value(error); },
                                 .on_jump =
                                     [this](const Jump& jump) {
                                       const std::scoped_lock lock{mutex_};
                                       jumps_.push_back(jump);
                                     }},
                                30s);
  }
  Error failure() {
    auto future = failed_.get_future();
    EXPECT_EQ(future.wait_for(20s), std::future_status::ready);
    return future.get();
  }

  std::vector<Jump> jumps() {
    const std::scoped_lock lock{mutex_};
    return jumps_;
  }

  std::mutex mutex_;  // guards jumps_
  std::vector<Jump> jumps_;
  ProducerOptions options_;
  FeedOptions feed_;
  TopicOptions topics_;
  metrics::FeedMetrics metrics_{"nasdaq"};
  std::counting_semaphore<> room_{0};
  std::promise<Error> failed_;
  std::unique_ptr<Producer> producer_;
};

Outgoing record_of(std::string_view value, std::int64_t timestamp_ms = 0) {
  return {.value = as_bytes(value).data(),
          .value_size = static_cast<std::uint32_t>(value.size()),
          .timestamp_ms = timestamp_ms};
}

TEST_F(KafkaTest, NamesTheCommandThatCreatesAMissingTopic) {
  const auto lane = open();
  ASSERT_FALSE(lane);
  EXPECT_EQ(lane.error().code, ExitCode::kUnavailable);
  EXPECT_THAT(lane.error().message,
              HasSubstr("kafka-topics.sh --bootstrap-server " + cluster->servers() + " --create --topic " +
                        feed_.topic + " --partitions 12 --replication-factor 1"));
}

TEST_F(KafkaTest, CreatesMissingTopicsAsConfigured) {
  topics_.create = true;
  topics_.partitions = 4;
  topics_.config = {{"message.timestamp.type", "LogAppendTime"}, {"max.message.bytes", "2000000"}};
  const auto lane = open();
  ASSERT_TRUE(lane) << lane.error().message;
  EXPECT_EQ((*lane)->topic().partitions, 4);
  EXPECT_TRUE((*lane)->topic().log_append_time);
  EXPECT_TRUE((*lane)->topic().settings_known);
  EXPECT_EQ((*lane)->topic().replication_factor, 1);
}

TEST_F(KafkaTest, SaysWhyATopicCannotBeCreated) {
  topics_.create = true;
  topics_.replication_factor = 3;
  const auto lane = open();
  ASSERT_FALSE(lane);
  EXPECT_EQ(lane.error().code, ExitCode::kUnavailable);
  EXPECT_THAT(lane.error().message, HasSubstr("topics.replication_factor"));
}

TEST_F(KafkaTest, CreatesADeadLetterTopicUnasked) {
  cluster->create(feed_.topic, 3);
  topics_.replication_factor = 3;  // more than there are brokers
  const auto lane = open();
  ASSERT_TRUE(lane) << lane.error().message;
  EXPECT_TRUE((*lane)->hand_over_dead_letter({.value = as_bytes("bad"), .reason = "length", .session = "S1"}));
  EXPECT_TRUE(producer_->flush(10s));
}

TEST_F(KafkaTest, RefusesTopicsThatWouldRefuseRecords) {
  cluster->create(feed_.topic, 1, "cleanup.policy=compact");
  const auto lane = open();
  ASSERT_FALSE(lane);
  EXPECT_EQ(lane.error().code, ExitCode::kConfig);
  EXPECT_THAT(lane.error().message, HasSubstr("compacted"));
}

TEST_F(KafkaTest, TheLargestRecordAndTheLargestDeadLetterAreTaken) {
  cluster->create(feed_.topic, 1, "max.message.bytes=1000000");
  const auto lane = open();
  ASSERT_TRUE(lane) << lane.error().message;
  const std::string value((*lane)->topic().max_record_bytes, 'x');
  const Outgoing record = record_of(value);
  EXPECT_EQ((*lane)->hand_over(0, {&record, 1}, kUntimed), 1U);
  EXPECT_TRUE(producer_->flush(10s));
  const std::string letter((*lane)->dead_letter_max_bytes(), 'x');
  EXPECT_TRUE((*lane)->hand_over_dead_letter({.value = as_bytes(letter),
                                              .reason = "inflate_limit",
                                              .session = "SESSION123",
                                              .sequence = ~0ULL,
                                              .index = ~0U,
                                              .full_size = ~0ULL}));
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_FALSE((*lane)->failed());
}

TEST_F(KafkaTest, ATimestampThatTheTopicRefusesStopsTheFeedWith65AndIsForetold) {
  cluster->create(feed_.topic, 1, "message.timestamp.after.max.ms=3600000");
  const auto lane = open();
  ASSERT_TRUE(lane) << lane.error().message;
  const std::int64_t now_ms = wall_nanoseconds() / 1'000'000;
  const std::int64_t late_ms = now_ms + 7'200'000;
  EXPECT_THAT(timestamps_refused((*lane)->topic(), "SERVERS", feed_.topic, now_ms, late_ms, now_ms),
              HasSubstr("after"));
  const Outgoing record = record_of("value", late_ms);
  EXPECT_EQ((*lane)->hand_over(0, {&record, 1}, kUntimed), 1U);
  const Error error = failure();
  EXPECT_EQ(error.code, ExitCode::kData);
  EXPECT_THAT(error.message, HasSubstr("INVALID_TIMESTAMP"));
}

TEST_F(KafkaTest, AcknowledgesAllOfALargeRun) {
  cluster->create(feed_.topic, 12);
  const auto lane = open();
  ASSERT_TRUE(lane) << lane.error().message;
  constexpr std::uint64_t kCount = 600'000;
  const std::vector<Outgoing> group(250, record_of("0123456789012345678901234567890123456789"));
  for (std::uint64_t done = 0; done < kCount; done += group.size()) {
    std::span<const Outgoing> rest{group};
    while (!(rest = rest.subspan((*lane)->hand_over(static_cast<std::int32_t>(done / 250 % 12), rest, kUntimed)))
                .empty()) {
      if ((*lane)->ask_for_room()) continue;
      ASSERT_TRUE(room_.try_acquire_for(20s)) << "a wake-up was lost";
    }
  }
  EXPECT_TRUE(producer_->flush(30s));
  EXPECT_EQ(metrics_.value(metrics::FeedCounter::kMessagesAcknowledged), kCount);
  EXPECT_EQ((*lane)->in_flight(), 0);
}

TEST_F(KafkaTest, WhatAnotherWritesAndItsFenceAreJumpsOfExactlyTheirOffsets) {
  cluster->create(feed_.topic, 2);
  const auto lane = open(Delivery::kExactlyOnce);
  ASSERT_TRUE(lane) << lane.error().message;
  (*lane)->watch({0, 0});
  const std::vector<Outgoing> ten(10, record_of("ours"));
  EXPECT_EQ((*lane)->hand_over(0, ten, kUntimed), 10U);
  EXPECT_EQ((*lane)->hand_over(1, ten, kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_TRUE(jumps().empty());
  testing::Foreign foreign{cluster->servers()};
  for (int i = 0; i < 3; ++i) foreign.send(feed_.topic, 1, "K", "foreign");
  ASSERT_TRUE(foreign.flush());
  const auto fenced = fence(options_, "somebody-else", feed_.topic, 2, 1s, SteadyClock::now() + 30s);
  ASSERT_TRUE(fenced && fenced->fenced);
  EXPECT_EQ((*lane)->hand_over(0, ten, kUntimed), 10U);
  EXPECT_EQ((*lane)->hand_over(1, ten, kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  std::vector<Jump> found = jumps();
  ASSERT_EQ(found.size(), 2U);
  std::sort(found.begin(), found.end(), [](const Jump& a, const Jump& b) { return a.partition < b.partition; });
  EXPECT_EQ(found[0].expected, 10);
  EXPECT_EQ(found[0].found, 10 + fenced->rounds);
  EXPECT_EQ(found[1].expected, 10);
  EXPECT_EQ(found[1].found, 13 + fenced->rounds);
  EXPECT_EQ((*lane)->acked(1).last_offset, 22 + fenced->rounds);
  foreign.send(feed_.topic, 1, "K", "foreign");
  ASSERT_TRUE(foreign.flush());
  EXPECT_EQ((*lane)->hand_over(1, ten, kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  ASSERT_EQ(jumps().size(), 3U);
  EXPECT_EQ(found[1].written, 22 + fenced->rounds) << "as it was then";
  EXPECT_EQ(jumps()[2].written, 33 + fenced->rounds);
}

}  // namespace
}  // namespace tickbridge::sink
