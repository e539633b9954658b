// Data and checkpoint in one transaction, against a real Apache Kafka.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "kafka_cluster.h"
#include "sink/compacted_log.h"
#include "sink/producer.h"
#include "sink/reader.h"

namespace tickbridge::sink {
namespace {

using namespace std::chrono_literals;
using testing::Cluster;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Cluster* const cluster = Cluster::shared();

SteadyTime in(std::chrono::milliseconds time) { return SteadyClock::now() + time; }

Outgoing record_of(std::string_view value) {
  return {.value = as_bytes(value).data(), .value_size = static_cast<std::uint32_t>(value.size())};
}

/// One daemon's producer and lane.
class Life {
 public:
  explicit Life(const std::string& topic, ProducerOptions options = {}) : topic_{topic} {
    options.properties["bootstrap.servers"] = cluster->servers();
    auto made = Producer::create(
        options, Delivery::kTransactional, Send::kAsync,
        [this](const Error& error) {
          const std::scoped_lock lock{mutex_};
          fatal_.push_back(error.code);
        },
        "tickbridge-" + topic);
    EXPECT_TRUE(made) << made.error().message;
    producer_ = std::move(*made);
    const FeedOptions feed{.topic = topic, .dead_letter_topic = topic + ".dead", .headers = {}};
    auto lane = producer_->open_lane("nasdaq", feed, {}, 1, metrics_,
                                     {.on_room = {},
                                      .on_failed = [](const Error& error) { ADD_FAILURE() << error.message; },
                                      .on_jump =
                                          [this](const Jump& jump) {
                                            const std::scoped_lock lock{mutex_};
                                            jumps_.push_back(jump);
                                          }},
                                     30s);
    EXPECT_TRUE(lane) << lane.error().message;
    lane_ = std::move(*lane);
  }

  void start() {
    const auto ready = producer_->init_transactions(30s);
    ASSERT_TRUE(ready) << ready.error().message;
  }
  void write(std::string_view value, std::int32_t partitions, std::size_t each) {
    const std::vector<Outgoing> records(each, record_of(value));
    for (std::int32_t p = 0; p < partitions; ++p) EXPECT_EQ(lane_->hand_over(p, records, kUntimed), each);
  }
  Result<void> commit(const std::string& checkpoint) {
    if (auto sent = producer_->send_in_transaction(topic_ + ".notes", "nasdaq/1", checkpoint); !sent) return sent;
    auto done = producer_->commit_transaction(20s);
    if (done) lane_->expect_markers();
    return done;
  }
  Producer& producer() { return *producer_; }
  Lane& lane() { return *lane_; }
  std::vector<Jump> jumps() {
    const std::scoped_lock lock{mutex_};
    return jumps_;
  }
  std::vector<ExitCode> fatal() {
    const std::scoped_lock lock{mutex_};
    return fatal_;
  }

 private:
  const std::string topic_;
  std::mutex mutex_;  // guards jumps_, fatal_
  std::vector<Jump> jumps_;
  std::vector<ExitCode> fatal_;
  metrics::FeedMetrics metrics_{"nasdaq"};
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<Lane> lane_;  // goes before the producer
};

class TransactionTest : public ::testing::Test {
 protected:
  TransactionTest() {
    topic_ = std::string{"x-"} + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    options_.properties = {{"bootstrap.servers", cluster->servers()}};
    cluster->create(topic_, 3);
    cluster->create(topic_ + ".notes", 1, "cleanup.policy=compact");
  }
  std::vector<std::string> values(std::string_view isolation, const std::string& topic, std::int32_t partition) {
    std::vector<std::string> result;
    auto reader = Reader::open(options_, topic, isolation);
    const auto ends = (*reader)->offsets(partition + 1, in(10s));
    EXPECT_TRUE(ends) << ends.error().message;
    const Offsets range = (*ends)[static_cast<std::size_t>(partition)];
    const auto read = (*reader)->read(
        {{partition, range.begin, range.end}},
        [&](const rd_kafka_message_t& message) {
          result.emplace_back(static_cast<const char*>(message.payload), message.len);
        },
        in(10s));
    EXPECT_TRUE(read) << read.error().message;
    return result;
  }
  /// A commit comes back when it is decided; its markers follow.
  std::vector<std::string> committed_soon(std::int32_t partition) {
    const SteadyTime deadline = in(5s);
    while (committed(partition).empty() && SteadyClock::now() < deadline) std::this_thread::sleep_for(5ms);
    return committed(partition);
  }
  std::vector<std::string> committed(std::int32_t partition) { return values("read_committed", topic_, partition); }
  std::vector<std::string> checkpoints() { return values("read_committed", topic_ + ".notes", 0); }

  ProducerOptions options_;
  std::string topic_;
};

TEST_F(TransactionTest, DataAndCheckpointAppearTogetherOrNotAtAll) {
  Life life{topic_};
  life.start();
  ASSERT_TRUE(life.producer().begin_transaction());
  life.write("one", 2, 1);
  EXPECT_TRUE(life.producer().flush(10s));
  EXPECT_THAT(committed(0), ElementsAre());
  EXPECT_THAT(values("read_uncommitted", topic_, 0), ElementsAre("one"));
  const auto done = life.commit("1");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_THAT(committed_soon(0), ElementsAre("one"));
  EXPECT_THAT(committed_soon(1), ElementsAre("one"));
  const SteadyTime deadline = in(5s);
  while (checkpoints().empty() && SteadyClock::now() < deadline) std::this_thread::sleep_for(5ms);
  EXPECT_THAT(checkpoints(), ElementsAre("1"));
  ASSERT_TRUE(life.producer().begin_transaction());
  life.write("two", 2, 1);
  ASSERT_TRUE(life.producer().send_in_transaction(topic_ + ".notes", "nasdaq/1", "2"));
  EXPECT_TRUE(life.producer().flush(10s));
  Life successor{topic_};  // as after kill -9
  successor.start();
  EXPECT_THAT(committed(0), ElementsAre("one"));
  EXPECT_THAT(checkpoints(), ElementsAre("1"));
  EXPECT_THAT(values("read_uncommitted", topic_, 0), ElementsAre("one", "two"));
}

TEST_F(TransactionTest, OwnMarkersAreNoJumps) {
  Life life{topic_};
  life.start();
  life.lane().watch({0, 0, 0});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(life.producer().begin_transaction());
    life.write("value", i % 2 + 1, 5);  // partition 1 in every second one only
    const auto done = life.commit(std::to_string(i));
    ASSERT_TRUE(done) << done.error().message;
  }
  EXPECT_TRUE(life.jumps().empty());
  EXPECT_EQ(life.lane().acked(0).count, 50U);
  EXPECT_EQ(life.lane().acked(0).last_offset, 50 + 9 - 1);
  EXPECT_EQ(life.lane().acked(1).last_offset, 25 + 4 - 1);
  EXPECT_EQ(life.lane().acked(2).last_offset, -1);
}

TEST_F(TransactionTest, AZombieIsFencedAndItsLateRecordsAreRefused) {
  Life zombie{topic_};
  zombie.start();
  ASSERT_TRUE(zombie.producer().begin_transaction());
  zombie.write("early", 3, 1);
  EXPECT_TRUE(zombie.producer().flush(10s));
  Life owner{topic_};
  owner.start();
  ASSERT_TRUE(owner.producer().begin_transaction());
  owner.write("owner", 3, 1);
  ASSERT_TRUE(owner.commit("2"));
  EXPECT_THAT(committed_soon(0), ElementsAre("owner"));
  const std::vector<Outgoing> late(100, record_of("late"));
  EXPECT_EQ(zombie.lane().hand_over(0, late, kUntimed), 100U);
  const auto done = zombie.commit("1");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ExitCode::kProtocol) << done.error().message;
  EXPECT_THAT(zombie.fatal(), ElementsAre(ExitCode::kProtocol));
  EXPECT_THAT(values("read_uncommitted", topic_, 0), ElementsAre("early", "owner"));
  EXPECT_THAT(committed(0), ElementsAre("owner"));
  EXPECT_THAT(checkpoints(), ElementsAre("2"));
  ASSERT_TRUE(owner.producer().begin_transaction());
  owner.write("again", 3, 1);
  ASSERT_TRUE(owner.commit("3"));
}

TEST_F(TransactionTest, AZombieThatWroteNothingIsFencedByItsCommit) {
  Life zombie{topic_};
  zombie.start();
  ASSERT_TRUE(zombie.producer().begin_transaction());
  Life owner{topic_};
  owner.start();
  const auto done = zombie.commit("1");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ExitCode::kProtocol) << done.error().message;
  EXPECT_THAT(checkpoints(), ElementsAre());
}

TEST_F(TransactionTest, ATransactionOlderThanItsTimeSaysNothingAboutOwners) {
  ProducerOptions options;
  // Long enough for a slow machine: it bounds message.timeout.ms too.
  options.properties = {{"transaction.timeout.ms", "8000"}};
  Life life{topic_, options};
  life.start();
  ASSERT_TRUE(life.producer().begin_transaction());
  life.write("value", 3, 1);
  ASSERT_TRUE(life.producer().flush(10s));
  // The coordinator looks for old transactions every ten seconds only.
  const SteadyTime deadline = in(30s);
  while (committed(0).empty() && SteadyClock::now() < deadline) {
    auto reader = Reader::open(options_, topic_, "read_uncommitted");
    if ((*reader)->offsets(1, in(10s)).value()[0].end > 1) break;  // its abort marker
    std::this_thread::sleep_for(200ms);
  }
  const auto done = life.commit("1");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ExitCode::kUnavailable) << done.error().message;
  EXPECT_THAT(life.fatal(), ElementsAre(ExitCode::kUnacknowledged));
}

TEST_F(TransactionTest, HandsNothingOverOutsideATransaction) {
  Life life{topic_};
  life.start();
  const Outgoing record = record_of("value");
  EXPECT_EQ(life.lane().hand_over(0, {&record, 1}, kUntimed), 0U);
  EXPECT_FALSE(life.lane().failed());
  EXPECT_FALSE(life.producer().send_in_transaction(topic_ + ".notes", "nasdaq/1", "1"));
}

TEST_F(TransactionTest, CommitsOftenAndSaysWhatItCosts) {
  Life life{topic_};
  life.start();
  std::vector<std::chrono::microseconds> took;
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(life.producer().begin_transaction());
    life.write("0123456789012345678901234567890123456789", 3, 500);
    EXPECT_TRUE(life.producer().flush(10s));
    const SteadyTime since = SteadyClock::now();
    ASSERT_TRUE(life.commit(std::to_string(i)));
    took.push_back(std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - since));
  }
  std::sort(took.begin(), took.end());
  std::printf("  commit with a checkpoint, 3 partitions: median %lld us, longest %lld us\n",
              static_cast<long long>(took[took.size() / 2].count()), static_cast<long long>(took.back().count()));
  // The last commit's markers may still be on their way; the next one waits for them.
  Life successor{topic_};
  successor.start();
  EXPECT_THAT(committed(0).size(), 15'000U);
}

}  // namespace
}  // namespace tickbridge::sink
