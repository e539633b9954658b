#include "sink/producer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <mutex>
#include <semaphore>
#include <thread>

#include "foreign.h"
#include "mock_kafka.h"

namespace tickbridge::sink {
namespace {

using namespace std::chrono_literals;
using testing::Foreign;
using ::testing::HasSubstr;
using testing::MockKafka;
using testing::Record;

/// Records "0", "1", … whose memory lives as long as this.
class Numbers {
 public:
  explicit Numbers(std::size_t count, std::size_t from = 0, std::int64_t timestamp_ms = 0) {
    texts_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& text = texts_.emplace_back(std::to_string(from + i));
      records_.push_back({.value = as_bytes(text).data(),
                          .value_size = static_cast<std::uint32_t>(text.size()),
                          .key_size = 3,
                          .key = "KEY",
                          .timestamp_ms = timestamp_ms,
                          .sequence = from + i,
                          .receive_ns = 77});
    }
  }
  [[nodiscard]] std::span<const Outgoing> all() const { return records_; }

 private:
  std::vector<std::string> texts_;
  std::vector<Outgoing> records_;
};

std::vector<std::string> values(const std::vector<Record>& records) {
  std::vector<std::string> result;
  for (const Record& record : records) result.push_back(record.value);
  return result;
}

std::vector<std::string> numbers(std::size_t count) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(std::to_string(i));
  return result;
}

class ProducerTest : public ::testing::Test {
 protected:
  ProducerTest() {
    kafka_.create("ticks", 3);
    kafka_.create("ticks.dead", 1);
    options_.properties = {{"bootstrap.servers", kafka_.servers()}};
  }

  void create(Delivery delivery = Delivery::kAtLeastOnce, Send send = Send::kAsync) {
    auto made = Producer::create(
        options_, delivery, send, [this](const Error& error) { fatal_.set_value(error); }, {}, &counts_);
    ASSERT_TRUE(made) << made.error().message;
    producer_ = std::move(*made);
  }
  std::unique_ptr<Lane> open(std::size_t lanes = 1, const FeedOptions& feed = {}) {
    auto lane = producer_->open_lane("nasdaq", feed, topics_, lanes, metrics_,
                                     {.on_room = [this] { room_.release(); },
                                      .on_failed = [this](const Error& error) { failed_.set_value(error); },
                                      .on_jump =
                                          [this](const Jump& jump) {
                                            const std::scoped_lock lock{mutex_};
                                            jumps_.push_back(jump);
                                          }},
                                     10s);
    EXPECT_TRUE(lane) << lane.error().message;
    return lane ? std::move(*lane) : nullptr;
  }
  /// Hands all over, waiting for room as the pipeline does.
  void hand_all(Lane& lane, std::int32_t partition, std::span<const Outgoing> records) {
    while (!records.empty()) {
      records = records.subspan(lane.hand_over(partition, records, kUntimed));
      if (!records.empty() && !lane.ask_for_room()) {
        ASSERT_TRUE(room_.try_acquire_for(20s)) << "no wake-up, " << records.size() << " records left";
      }
    }
  }
  Error failure() {
    auto future = failed_.get_future();
    EXPECT_EQ(future.wait_for(20s), std::future_status::ready);
    return future.get();
  }

  /// At the delivery thread's next look.
  bool becomes_zero(metrics::FeedGauge gauge) const {
    for (int i = 0; i < 1000 && metrics_.value(gauge) != 0; ++i) std::this_thread::sleep_for(10ms);
    return metrics_.value(gauge) == 0;
  }

  std::vector<Jump> jumps() {
    const std::scoped_lock lock{mutex_};
    return jumps_;
  }

  MockKafka kafka_;
  std::mutex mutex_;  // guards jumps_
  std::vector<Jump> jumps_;
  ProducerOptions options_;
  TopicOptions topics_;
  metrics::FeedMetrics metrics_{"nasdaq"};
  metrics::DaemonMetrics counts_;
  std::counting_semaphore<> room_{0};
  std::promise<Error> failed_;
  std::promise<Error> fatal_;
  std::unique_ptr<Producer> producer_;
};

TEST_F(ProducerTest, WritesRecordsInOrderAndCountsThem) {
  create();
  const auto lane = open();
  EXPECT_EQ(lane->topic().partitions, 3);
  const Numbers records{1000};
  EXPECT_EQ(lane->hand_over(1, records.all(), kUntimed), 1000U);
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_EQ(lane->in_flight(), 0);
  EXPECT_TRUE(lane->settled());
  EXPECT_EQ(metrics_.value(metrics::FeedCounter::kMessagesAcknowledged), 1000U);
  const auto read = kafka_.read("ticks", 1, 1000);
  EXPECT_EQ(values(read), numbers(1000));
  EXPECT_EQ(read[0].key, "KEY");
  EXPECT_TRUE(producer_->can_write());
}

TEST_F(ProducerTest, WritesTimestampsAndHeaders) {
  create();
  const auto lane = open(1, {.headers = {Header::kSequence, Header::kFeed, Header::kReceiveTime}});
  const Numbers records{10, 0, 1'577'800'000'123};
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  const auto read = kafka_.read("ticks", 0, 10);
  ASSERT_EQ(read.size(), 10U);
  EXPECT_EQ(read[7].timestamp_ms, 1'577'800'000'123);
  const std::map<std::string, std::string> headers{{"sequence", "7"}, {"feed", "nasdaq"}, {"receive_time", "77"}};
  EXPECT_EQ(read[7].headers, headers);
}

TEST_F(ProducerTest, WritesDeadLettersWithTheirIdentity) {
  create();
  const auto lane = open();
  EXPECT_TRUE(lane->hand_over_dead_letter(
      {.value = as_bytes("bad"), .reason = "length", .session = "S1", .sequence = 42, .index = 3}));
  EXPECT_TRUE(lane->hand_over_dead_letter({.value = {}, .reason = "empty", .session = "S1", .sequence = 43}));
  EXPECT_TRUE(
      lane->hand_over_dead_letter({.value = as_bytes("cut"), .reason = "split", .session = "S1", .full_size = 9}));
  EXPECT_TRUE(producer_->flush(10s));
  const auto read = kafka_.read("ticks.dead", 0, 3);
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].value, "bad");
  const std::map<std::string, std::string> headers{
      {"reason", "length"}, {"feed", "nasdaq"}, {"session", "S1"}, {"sequence", "42"}, {"index", "3"}};
  EXPECT_EQ(read[0].headers, headers);
  EXPECT_EQ(read[2].headers.at("full_size"), "9");
  EXPECT_EQ(metrics_.value(metrics::FeedCounter::kMessagesAcknowledged), 0U);
}

/// Processor time of this process, mock brokers included.
std::chrono::microseconds cpu_time() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return 1s * (used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1us * (used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

TEST_F(ProducerTest, WaitsForASilentBrokerWithoutBeingBusy) {
  create();
  const auto lane = open();
  const Numbers warm_up{1};
  EXPECT_EQ(lane->hand_over(1, warm_up.all(), kUntimed), 1U);  // connects, gets its producer id
  EXPECT_TRUE(producer_->flush(10s));
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 3000);
  const Numbers first{100, 1};
  const Numbers second{100, 101};
  EXPECT_EQ(lane->hand_over(1, first.all(), kUntimed), 100U);
  std::this_thread::sleep_for(100ms);  // the first request is under way; what follows waits behind it
  EXPECT_EQ(lane->hand_over(1, second.all(), kUntimed), 100U);
  std::this_thread::sleep_for(500ms);
  const auto before = cpu_time();
  std::this_thread::sleep_for(2s);
  const auto used = cpu_time() - before;
  EXPECT_EQ(lane->in_flight(), 200);
  EXPECT_LT(used, 600ms);  // 2 s of a core if it polled all the time
  EXPECT_GT(metrics_.value(metrics::FeedCounter::kPartitionsHeldBack), 0U);
  EXPECT_GE(metrics_.value(metrics::FeedGauge::kAcknowledgementWait), 2000);
  EXPECT_GT(metrics_.value(metrics::FeedGauge::kInFlightBytes), 200 * 50);
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 0);
  EXPECT_TRUE(producer_->flush(20s));
  EXPECT_EQ(metrics_.value(metrics::FeedGauge::kInFlightBytes), 0);
  EXPECT_TRUE(becomes_zero(metrics::FeedGauge::kAcknowledgementWait));
  EXPECT_TRUE(becomes_zero(metrics::FeedGauge::kHeldBackPartitions));
  EXPECT_EQ(values(kafka_.read("ticks", 1, 201)), numbers(201));
}

// The library sends one partition's records a request: with one on its way at a time, the last of 40 partitions waits
// for 40 round trips. A machine that stands still for 100 ms itself spoils one try, not three.
TEST_F(ProducerTest, APartitionThatWaitsForItsTurnIsNotHeldBack) {
  options_.properties["max.in.flight.requests.per.connection"] = "1";
  kafka_.create("wide", 40);
  create();
  FeedOptions feed;
  feed.topic = "wide";
  const auto lane = open(1, feed);
  const Numbers one{1};
  EXPECT_EQ(lane->hand_over(1, one.all(), kUntimed), 1U);  // connects, gets its producer id
  EXPECT_TRUE(producer_->flush(10s));
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 10);
  std::uint64_t held_back = 1;
  for (int tries = 0; tries < 3 && held_back != 0; ++tries) {
    const std::uint64_t before = metrics_.value(metrics::FeedCounter::kPartitionsHeldBack);
    for (std::int32_t partition = 0; partition < 40; ++partition) {
      EXPECT_EQ(lane->hand_over(partition, one.all(), kUntimed), 1U);
    }
    EXPECT_TRUE(producer_->flush(20s));
    held_back = metrics_.value(metrics::FeedCounter::kPartitionsHeldBack) - before;
  }
  EXPECT_EQ(held_back, 0U);
}

// An idle producer looks at its partitions less often: what came just before a look has not waited since the one
// before.
TEST_F(ProducerTest, TheFirstRecordAfterAPauseIsNotHeldBack) {
  create();
  const auto lane = open();
  const Numbers one{1};
  EXPECT_EQ(lane->hand_over(1, one.all(), kUntimed), 1U);
  EXPECT_TRUE(producer_->flush(10s));
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 60);
  std::uint64_t held_back = 1;
  for (int tries = 0; tries < 3 && held_back != 0; ++tries) {
    const std::uint64_t before = metrics_.value(metrics::FeedCounter::kPartitionsHeldBack);
    for (int i = 0; i < 10; ++i) {
      std::this_thread::sleep_for(250ms + 23ms * i);  // at another time between two looks each
      EXPECT_EQ(lane->hand_over(1, one.all(), kUntimed), 1U);
      EXPECT_TRUE(producer_->flush(10s));
    }
    held_back = metrics_.value(metrics::FeedCounter::kPartitionsHeldBack) - before;
  }
  EXPECT_EQ(held_back, 0U);
}

TEST_F(ProducerTest, KeepsOrderThroughASmallShare) {
  options_.max_in_flight_messages = 50;
  create();
  const auto lane = open();
  const Numbers records{2000};
  hand_all(*lane, 2, records.all());
  EXPECT_TRUE(producer_->flush(20s));
  EXPECT_EQ(values(kafka_.read("ticks", 2, 2000)), numbers(2000));
}

TEST_F(ProducerTest, KeepsOrderWhenTheLibraryRefusesASuffix) {
  options_.properties["queue.buffering.max.kbytes"] = "1";  // values of 1 to 4 bytes: a few hundred fit
  create();
  const auto lane = open();
  const Numbers records{5000};
  const std::size_t taken = lane->hand_over(0, records.all().first(2000), kUntimed);
  EXPECT_LT(taken, 2000U) << "the library took all: nothing was tested";
  hand_all(*lane, 0, records.all().subspan(taken));
  EXPECT_TRUE(producer_->flush(20s));
  EXPECT_EQ(lane->in_flight(), 0);
  EXPECT_EQ(values(kafka_.read("ticks", 0, 5000)), numbers(5000));
}

TEST_F(ProducerTest, SyncTakesNothingWhileAnythingIsInFlight) {
  create(Delivery::kAtLeastOnce, Send::kSync);
  const auto lane = open();
  const Numbers records{300};
  EXPECT_EQ(lane->hand_over(0, records.all().first(100), kUntimed), 100U);
  EXPECT_EQ(lane->hand_over(1, records.all().first(100), kUntimed), 0U);
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_EQ(lane->hand_over(1, records.all().first(100), kUntimed), 100U);
}

TEST_F(ProducerTest, RetriableErrorsCostNothing) {
  create();
  const auto lane = open();
  kafka_.answer_produce_with({RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                              RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR});
  const Numbers records{1000};
  hand_all(*lane, 0, records.all());
  EXPECT_TRUE(producer_->flush(20s));
  EXPECT_EQ(values(kafka_.read("ticks", 0, 1000)), numbers(1000));
  EXPECT_FALSE(lane->failed());
}

TEST_F(ProducerTest, ARefusedRecordStopsTheFeedWith65) {
  create();
  const auto lane = open();
  kafka_.answer_produce_with({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  const Numbers records{10};
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 10U);
  const Error error = failure();
  EXPECT_EQ(error.code, ExitCode::kData);
  EXPECT_THAT(error.message, HasSubstr("topic ticks partition 0"));
  EXPECT_THAT(error.message, HasSubstr("MSG_SIZE_TOO_LARGE"));
  EXPECT_THAT(error.message, HasSubstr("max.message.bytes"));
  EXPECT_TRUE(lane->failed());
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 0U);
  EXPECT_FALSE(producer_->can_write());
}

TEST_F(ProducerTest, AtMostOnceDropsWhatFailsAndCountsIt) {
  create(Delivery::kAtMostOnce);
  const auto lane = open();
  kafka_.answer_produce_with({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  const Numbers records{10};
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_EQ(metrics_.value(metrics::FeedCounter::kDroppedDelivery), 10U);
  EXPECT_FALSE(lane->failed());
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_EQ(values(kafka_.read("ticks", 0, 10)), numbers(10));
}

TEST_F(ProducerTest, NamesTheServersWhenKafkaDoesNotAnswer) {
  options_.properties["bootstrap.servers"] = "127.0.0.1:1";
  create();
  const auto lane = producer_->open_lane("nasdaq", {}, topics_, 1, metrics_, {}, 600ms);
  ASSERT_FALSE(lane);
  EXPECT_EQ(lane.error().code, ExitCode::kUnavailable);
  EXPECT_THAT(lane.error().message, HasSubstr("bootstrap.servers = 127.0.0.1:1"));
}

TEST_F(ProducerTest, IsDestroyedWithRecordsInFlight) {
  create();
  auto lane = open();
  rd_kafka_mock_broker_set_down(kafka_.cluster(), 1);
  const Numbers records{1000};
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 1000U);
  EXPECT_FALSE(producer_->flush(100ms));
  lane.reset();
  producer_.reset();
}

TEST_F(ProducerTest, ARefusedRecordStopsTheOtherFeedsProducerWith75) {
  create();
  const auto lane = open(2);
  metrics::FeedMetrics other_metrics{"other"};
  const auto other = producer_->open_lane("other", {}, topics_, 2, other_metrics, {}, 10s);
  ASSERT_TRUE(other);
  kafka_.answer_produce_with({RD_KAFKA_RESP_ERR_INVALID_RECORD});
  const Numbers records{10};
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 10U);
  EXPECT_EQ(failure().code, ExitCode::kData);
  auto fatal = fatal_.get_future();
  ASSERT_EQ(fatal.wait_for(10s), std::future_status::ready);
  const Error error = fatal.get();
  EXPECT_EQ(error.code, ExitCode::kUnacknowledged);
  EXPECT_THAT(error.message, HasSubstr("feed nasdaq"));
  EXPECT_FALSE((*other)->failed()) << "none of its records was refused";
  EXPECT_EQ((*other)->hand_over(0, records.all(), kUntimed), 0U);
}

// A feed between two lives has no lane open, and would be given the dead producer.
TEST_F(ProducerTest, ARefusedRecordIsTheProducersEndAlsoWhereNoOtherLaneIsOpen) {
  create();
  const auto lane = open(2);
  metrics::FeedMetrics other_metrics{"other"};
  ASSERT_TRUE(producer_->open_lane("other", {}, topics_, 2, other_metrics, {}, 10s)) << "and closed at once";
  kafka_.answer_produce_with({RD_KAFKA_RESP_ERR_INVALID_RECORD});
  const Numbers records{10};
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 10U);
  EXPECT_EQ(failure().code, ExitCode::kData);
  auto fatal = fatal_.get_future();
  ASSERT_EQ(fatal.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(fatal.get().code, ExitCode::kUnacknowledged);
  EXPECT_TRUE(producer_->failed());
}

// A new producer can go on where the sequence was lost, so no feed has failed.
TEST_F(ProducerTest, ALostSequenceEndsTheProducerAndNoFeed) {
  create();
  const auto lane = open();
  kafka_.answer_produce_with({RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH});
  const Numbers records{10};
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 10U);
  auto fatal = fatal_.get_future();
  ASSERT_EQ(fatal.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(fatal.get().code, ExitCode::kUnacknowledged);
  EXPECT_FALSE(lane->failed());
  EXPECT_FALSE(lane->settled()) << "the end of its producer took records with it";
  EXPECT_FALSE(producer_->can_write());
}

TEST_F(ProducerTest, CountsEachFeedsRecordsInASharedTopic) {
  create();
  const auto lane = open(2);
  metrics::FeedMetrics other_metrics{"other"};
  const auto other = producer_->open_lane("other", {}, topics_, 2, other_metrics, {}, 10s);
  ASSERT_TRUE(other);
  const Numbers records{100};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 100U);
    EXPECT_EQ((*other)->hand_over(0, records.all().first(30), kUntimed), 30U);
  }
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_EQ(metrics_.value(metrics::FeedCounter::kMessagesAcknowledged), 1000U);
  EXPECT_EQ(other_metrics.value(metrics::FeedCounter::kMessagesAcknowledged), 300U);
  EXPECT_EQ(lane->in_flight(), 0);
  EXPECT_EQ((*other)->in_flight(), 0);
}

TEST_F(ProducerTest, ALostTimeOutStopsTheFeedWith75) {
  options_.properties["enable.idempotence"] = "false";
  options_.properties["delivery.timeout.ms"] = "300";
  create();
  const auto lane = open();
  rd_kafka_mock_broker_set_down(kafka_.cluster(), 1);
  const Numbers records{10};
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 10U);
  const Error error = failure();
  EXPECT_EQ(error.code, ExitCode::kUnacknowledged);
  EXPECT_THAT(error.message, HasSubstr("producer.delivery.timeout.ms"));
}

TEST_F(ProducerTest, KnowsWhetherABrokerIsThere) {
  create();
  EXPECT_FALSE(producer_->can_write());
  const auto lane = open();
  EXPECT_TRUE(producer_->can_write());
  const auto becomes = [&](bool wanted) {
    for (int i = 0; i < 1000 && producer_->can_write() != wanted; ++i) std::this_thread::sleep_for(10ms);
    return producer_->can_write() == wanted;
  };
  rd_kafka_mock_broker_set_down(kafka_.cluster(), 1);
  EXPECT_TRUE(becomes(false));
  EXPECT_GT(counts_.value(metrics::DaemonCounter::kErrorsConnection), 0U);
  rd_kafka_mock_broker_set_up(kafka_.cluster(), 1);
  EXPECT_TRUE(becomes(true));
}

TEST_F(ProducerTest, AClosedLaneWaitsForNothing) {
  create();
  auto lane = open();
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 1000);
  const Numbers records{100};
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 100U);
  for (int i = 0; i < 500 && metrics_.value(metrics::FeedGauge::kAcknowledgementWait) == 0; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_GT(metrics_.value(metrics::FeedGauge::kAcknowledgementWait), 0);
  lane.reset();
  EXPECT_EQ(metrics_.value(metrics::FeedGauge::kAcknowledgementWait), 0);
  std::this_thread::sleep_for(200ms);  // some looks
  EXPECT_EQ(metrics_.value(metrics::FeedGauge::kAcknowledgementWait), 0);
  rd_kafka_mock_broker_set_rtt(kafka_.cluster(), 1, 0);
}

TEST_F(ProducerTest, DropsItsLaneWhileRecordsAreInFlight) {
  create();
  auto lane = open();
  const Numbers records{1000};
  EXPECT_EQ(lane->hand_over(0, records.all(), kUntimed), 1000U);
  lane.reset();
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_EQ(metrics_.value(metrics::FeedCounter::kMessagesAcknowledged), 1000U);
}

TEST(ProducerCreate, NamesTheRefusedProperty) {
  const auto made = Producer::create({.properties = {{"linger.msx", "5"}}}, Delivery::kAtLeastOnce, Send::kAsync, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ExitCode::kConfig);
  EXPECT_THAT(made.error().message, HasSubstr("linger.msx"));
}

/// Of this process's sockets that are connected to `port`: how many reset when they close, and how many do not.
std::pair<int, int> resetting_sockets(std::uint16_t port) {
  std::pair<int, int> counts{};
  for (int descriptor = 3; descriptor < 1024; ++descriptor) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || ntohs(peer.sin_port) != port)
      continue;
    linger set{};
    size = sizeof set;
    getsockopt(descriptor, SOL_SOCKET, SO_LINGER, &set, &size);
    ++(set.l_onoff == 1 && set.l_linger == 0 ? counts.first : counts.second);
  }
  return counts;
}

TEST_F(ProducerTest, ItsConnectionsDieWithTheProcessExceptAtMostOnce) {
  const auto port = static_cast<std::uint16_t>(std::stoi(kafka_.servers().substr(kafka_.servers().rfind(':') + 1)));
  create(Delivery::kExactlyOnce);
  auto lane = open();
  EXPECT_GT(resetting_sockets(port).first, 0);
  EXPECT_EQ(resetting_sockets(port).second, 0);
  lane.reset();
  producer_.reset();
  create(Delivery::kAtMostOnce, Send::kFireAndForget);
  lane = open();
  EXPECT_EQ(resetting_sockets(port).first, 0);
  EXPECT_GT(resetting_sockets(port).second, 0);
}

void expect_jump(const Jump& jump, std::int32_t partition, std::int64_t expected, std::int64_t found) {
  EXPECT_EQ(jump.partition, partition);
  EXPECT_EQ(jump.expected, expected);
  EXPECT_EQ(jump.found, found);
  EXPECT_EQ(jump.unsure, 0U);
}

TEST_F(ProducerTest, WhatAnotherWritesIsAJumpOfExactlyItsOffsets) {
  create(Delivery::kExactlyOnce);
  const auto lane = open();
  lane->watch({0, 0, 0});
  const Numbers records{10};
  EXPECT_EQ(lane->hand_over(1, records.all(), kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_EQ(lane->acked(1).last_offset, 9);
  EXPECT_TRUE(jumps().empty());
  Foreign foreign{kafka_.servers()};
  for (int i = 0; i < 3; ++i) foreign.send("ticks", 1, "K", "foreign");
  ASSERT_TRUE(foreign.flush());
  EXPECT_EQ(lane->hand_over(1, records.all(), kUntimed), 10U);
  EXPECT_EQ(lane->hand_over(2, records.all(), kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  ASSERT_EQ(jumps().size(), 1U);
  expect_jump(jumps()[0], 1, 10, 13);
  EXPECT_EQ(lane->acked(1).count, 20U);
  EXPECT_EQ(lane->acked(1).last_offset, 22);
  EXPECT_EQ(lane->acked(1).before_jump, 10U);
  EXPECT_EQ(lane->acked(2).last_offset, 9);
  EXPECT_EQ(lane->acked(0).count, 0U);
}

// A feed that recovers in place opens its lane anew, in the same producer.
TEST_F(ProducerTest, AnotherLaneAfterTheFirstIsWatchedToo) {
  create(Delivery::kExactlyOnce);
  const Numbers records{10};
  auto lane = open();
  lane->watch({0, 0, 0});
  EXPECT_EQ(lane->hand_over(1, records.all(), kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  lane.reset();
  lane = open();
  lane->watch({0, 10, 0});
  Foreign foreign{kafka_.servers()};
  foreign.send("ticks", 1, "K", "foreign");
  ASSERT_TRUE(foreign.flush());
  EXPECT_EQ(lane->hand_over(1, records.all(), kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  ASSERT_EQ(jumps().size(), 1U);
  expect_jump(jumps()[0], 1, 10, 11);
}

TEST_F(ProducerTest, ARetryThatTheBrokerHadAlreadyDoesNotDisturbTheOffsets) {
  options_.properties["socket.timeout.ms"] = "500";
  options_.properties["retry.backoff.ms"] = "10";
  create(Delivery::kExactlyOnce);
  const auto lane = open();
  lane->watch({0, 0, 0});
  const Numbers first{10};
  EXPECT_EQ(lane->hand_over(1, first.all(), kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  // Appended, but the answer comes too late; the retry is told that it was there.
  rd_kafka_mock_broker_push_request_error_rtts(kafka_.cluster(), 1, 0, 2, RD_KAFKA_RESP_ERR_NO_ERROR, 2000,
                                               RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, 0);
  const Numbers second{10, 10};
  EXPECT_EQ(lane->hand_over(1, second.all(), kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_EQ(lane->acked(1).count, 20U);
  EXPECT_EQ(lane->acked(1).last_offset, 19) << "inferred";
  EXPECT_EQ(lane->acked(1).told, 10U) << "the retry was told its offset: nothing was tested";
  const Numbers third{10, 20};
  EXPECT_EQ(lane->hand_over(1, third.all(), kUntimed), 10U);
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_EQ(lane->acked(1).told, 30U);
  EXPECT_TRUE(jumps().empty());
  EXPECT_EQ(values(kafka_.read("ticks", 1, 30)), numbers(30));
}

TEST_F(ProducerTest, TwoLanesOnOneTopicCountTheirOwnAndPredictNothing) {
  create();
  const auto one = open(2);
  one->watch({0, 0, 0});
  const auto two = open(2);
  two->watch({0, 0, 0});
  for (int i = 0; i < 20; ++i) {
    const Numbers records{7};
    EXPECT_EQ(one->hand_over(1, records.all(), kUntimed), 7U);
    EXPECT_EQ(two->hand_over(1, records.all().first(3), kUntimed), 3U);
    if (i % 5 == 0) {
      EXPECT_TRUE(producer_->flush(10s));
    }
  }
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_EQ(one->acked(1).count, 140U);
  EXPECT_EQ(two->acked(1).count, 60U);
  EXPECT_TRUE(jumps().empty());
}

TEST_F(ProducerTest, DeadLettersAreCountedWhenTheyAreAcknowledged) {
  create(Delivery::kExactlyOnce);
  const auto lane = open();
  EXPECT_EQ(lane->dead_letters_acked(), 0U);
  EXPECT_TRUE(lane->hand_over_dead_letter({.value = as_bytes("bad"), .reason = "length", .session = "S1"}));
  EXPECT_TRUE(producer_->flush(10s));
  EXPECT_EQ(lane->dead_letters_acked(), 1U);
  EXPECT_EQ(lane->acked(0).count, 0U);
}

}  // namespace
}  // namespace tickbridge::sink
