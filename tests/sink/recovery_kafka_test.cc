// What recovery asks of a real Apache Kafka: compacted notes, reading back, fences.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <future>
#include <thread>

#include "base/clock.h"
#include "foreign.h"
#include "kafka_cluster.h"
#include "sink/admin.h"
#include "sink/compacted_log.h"
#include "sink/fence.h"
#include "sink/log_reader.h"
#include "sink/reader.h"

namespace tickbridge::sink {
namespace {

using namespace std::chrono_literals;
using testing::Cluster;
using ::testing::ElementsAre;
using testing::Foreign;
using ::testing::HasSubstr;

Cluster* const cluster = Cluster::shared();

SteadyTime in(std::chrono::milliseconds time) { return SteadyClock::now() + time; }

class RecoveryKafkaTest : public ::testing::Test {
 protected:
  RecoveryKafkaTest() {
    options_.properties = {{"bootstrap.servers", cluster->servers()}, {"enable.gapless.guarantee", "true"}};
    topic_ = std::string{"r-"} + ::testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  std::unique_ptr<CompactedLog> open_log(std::string_view isolation = "read_uncommitted") {
    auto log = CompactedLog::open(options_, topics_, topic_, isolation, in(30s));
    EXPECT_TRUE(log) << log.error().message;
    return log ? std::move(*log) : nullptr;
  }
  std::int64_t append(CompactedLog& log, const std::string& key, std::optional<std::string> value) {
    std::promise<Result<std::int64_t>> answer;
    log.write(key, std::move(value), [&](const Result<std::int64_t>& offset) { answer.set_value(offset); });
    const Result<std::int64_t> offset = answer.get_future().get();
    EXPECT_TRUE(offset) << offset.error().message;
    return offset ? *offset : -1;
  }
  void fill(int partitions, int records) {
    Foreign writer{cluster->servers()};
    for (int i = 0; i < records; ++i)
      writer.send(topic_, i % partitions, "K" + std::to_string(i % 7), std::to_string(i));
    ASSERT_TRUE(writer.flush());
  }
  std::unique_ptr<LogReader> reader() {
    auto made = LogReader::open(options_, topic_);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  void report(const char* what, SteadyTime since) {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - since);
    std::printf("  %s: %lld ms\n", what, static_cast<long long>(took.count()));
  }

  ProducerOptions options_;
  TopicOptions topics_;
  std::string topic_;
};

std::vector<std::string> keys(const Result<std::vector<Entry>>& entries) {
  std::vector<std::string> result;
  EXPECT_TRUE(entries) << entries.error().message;
  if (!entries) return result;
  for (const Entry& entry : *entries) result.push_back(entry.key);
  return result;
}

TEST_F(RecoveryKafkaTest, NotesTopicIsCreatedCompactedWithOnePartitionAsSafeAsTheClusterAllows) {
  topics_.replication_factor = 5;
  topics_.config = {{"min.insync.replicas", "4"}, {"retention.ms", "1000"}};
  const auto log = open_log();
  ASSERT_TRUE(log);
  auto reader = Reader::open(options_, topic_, "read_uncommitted");
  ASSERT_TRUE(reader);
  const auto look = (*reader)->look(in(10s));
  ASSERT_TRUE(look);
  EXPECT_EQ(look->info.partitions, 1);
  EXPECT_EQ(look->info.replication_factor, cluster->brokers());
  Described settings = describe_topic((*reader)->client(), look->answered, topic_, in(10s));
  EXPECT_EQ(settings.values["cleanup.policy"], "compact");
  EXPECT_EQ(settings.values["segment.bytes"], "4194304");
  EXPECT_EQ(settings.values["min.insync.replicas"], std::to_string(cluster->brokers()));
  EXPECT_NE(settings.values["retention.ms"], "1000");
}

TEST_F(RecoveryKafkaTest, NotesTopicThatIsNotCompactedIsRefusedWithTheCure) {
  cluster->create(topic_, 1);
  const auto log = CompactedLog::open(options_, topics_, topic_, "read_uncommitted", in(30s));
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ExitCode::kConfig);
  EXPECT_THAT(log.error().message, HasSubstr("--add-config cleanup.policy=compact"));
}

TEST_F(RecoveryKafkaTest, NotesTopicWithSeveralPartitionsIsRefused) {
  cluster->create(topic_, 2, "cleanup.policy=compact");
  const auto log = CompactedLog::open(options_, topics_, topic_, "read_uncommitted", in(30s));
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ExitCode::kConfig);
  EXPECT_THAT(log.error().message, HasSubstr("2 partitions"));
}

TEST_F(RecoveryKafkaTest, NotesAreReadBackInOrderTombstonesToo) {
  const auto log = open_log();
  ASSERT_TRUE(log);
  EXPECT_THAT(keys(log->read_back("a/", nullptr, in(10s))), ElementsAre());
  EXPECT_EQ(append(*log, "a/1", "one"), 0);
  EXPECT_EQ(append(*log, "b/1", "other"), 1);
  EXPECT_EQ(append(*log, "a/2", std::nullopt), 2);
  EXPECT_EQ(append(*log, "a/3", ""), 3);
  const auto entries = log->read_back("a/", nullptr, in(10s));
  EXPECT_THAT(keys(entries), ElementsAre("a/1", "a/2", "a/3"));
  EXPECT_EQ((*entries)[0].value, "one");
  EXPECT_FALSE((*entries)[1].value.has_value());
  EXPECT_EQ((*entries)[2].value, "");
  EXPECT_EQ((*entries)[2].offset, 3);
}

TEST_F(RecoveryKafkaTest, ReadOnGivesWhatCameSinceAndWaitsForTheFirst) {
  const auto log = open_log();
  ASSERT_TRUE(log);
  append(*log, "a/1", "one");
  EXPECT_THAT(keys(log->read_back("a/", nullptr, in(10s))), ElementsAre("a/1"));
  EXPECT_THAT(keys(log->read_on("a/", 100ms)), ElementsAre());
  append(*log, "a/2", "two");
  append(*log, "b/2", "two");
  const SteadyTime since = SteadyClock::now();
  EXPECT_THAT(keys(log->read_on("a/", 10s)), ElementsAre("a/2"));
  EXPECT_LT(SteadyClock::now() - since, 5s) << "did not come back with the first";
  auto late = std::async(std::launch::async, [&] {
    std::this_thread::sleep_for(300ms);
    append(*log, "a/3", "three");
  });
  EXPECT_THAT(keys(log->read_on("a/", 10s)), ElementsAre("a/3"));
  EXPECT_THAT(keys(log->read_on("a/", 50ms)), ElementsAre());
}

TEST_F(RecoveryKafkaTest, AHundredThousandOldNotesDoNotSlowReadingBack) {
  auto log = open_log();
  ASSERT_TRUE(log);
  {
    Foreign writer{cluster->servers()};
    const std::string value(1500, 'x');  // as large as a checkpoint of 12 partitions
    for (int i = 0; i < 100'000; ++i) writer.send(topic_, 0, "other/" + std::to_string(i % 50), value);
    ASSERT_TRUE(writer.flush());
  }
  append(*log, "a/1", "mine");
  for (int i = 0; i < 300; ++i) append(*log, "b/1", "another feed's");
  log = open_log();
  SteadyTime since = SteadyClock::now();
  const auto one = [](const std::vector<Entry>& entries) { return !entries.empty(); };
  EXPECT_THAT(keys(log->read_back("a/", one, in(10s))), ElementsAre("a/1"));
  report("read_back of the newest behind 100,000 others", since);
  EXPECT_LT(SteadyClock::now() - since, 2s);
  since = SteadyClock::now();
  EXPECT_THAT(keys(log->read_back("nobody/", one, in(30s))), ElementsAre());
  report("read_back of nothing, all of 100,000 read (150 MB)", since);
}

TEST_F(RecoveryKafkaTest, ReadsRangesOfSeveralPartitionsOverMarkersAndWhatRetentionDeleted) {
  cluster->create(topic_, 3);
  fill(3, 300);
  const auto fenced = fence(options_, "tickbridge-" + topic_, topic_, 3, 1s, in(30s));
  ASSERT_TRUE(fenced) << fenced.error().message;
  fill(3, 30);
  const auto log = reader();
  std::vector<std::vector<std::int64_t>> found(3);
  const auto read = log->read(
      {{0, 95, 110}, {1, 100, 101}, {2, 50, 50}},
      [&](std::int32_t partition, std::int64_t offset, std::string_view key, Bytes value) {
        found[static_cast<std::size_t>(partition)].push_back(offset);
        EXPECT_EQ(key.front(), 'K');
        EXPECT_FALSE(value.empty());
      },
      in(10s));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(found[0], ElementsAre(95, 96, 97, 98, 99, 101, 102, 103, 104, 105, 106, 107, 108, 109));
  EXPECT_THAT(found[1], ElementsAre());  // 100 is the marker
  EXPECT_THAT(found[2], ElementsAre());
}

TEST_F(RecoveryKafkaTest, OffsetsOfManyPartitionsComeAtOnce) {
  cluster->create(topic_, 256);
  fill(256, 512);
  const auto log = reader();
  EXPECT_EQ(log->partitions(in(10s)).value(), 256);
  SteadyTime since = SteadyClock::now();
  EXPECT_EQ(log->offsets(12, in(10s)).value().size(), 12U);
  report("offsets of 12 partitions", since);
  since = SteadyClock::now();
  const auto all = log->offsets(256, in(10s));
  report("offsets of 256 partitions", since);
  ASSERT_TRUE(all) << all.error().message;
  for (const Offsets& one : *all) {
    EXPECT_EQ(one.begin, 0);
    EXPECT_EQ(one.end, 2);
  }
}

TEST_F(RecoveryKafkaTest, AFenceWritesOneMarkerAPartitionAndNothingElse) {
  cluster->create(topic_, 12);
  fill(12, 1200);
  const auto log = reader();
  for (std::int64_t life = 1; life <= 3; ++life) {
    const SteadyTime since = SteadyClock::now();
    const auto fenced = fence(options_, "tickbridge-" + topic_, topic_, 12, 1s, in(30s));
    report("fence of 12 partitions", since);
    ASSERT_TRUE(fenced) << fenced.error().message;
    EXPECT_TRUE(fenced->fenced) << fenced->why_not;
    std::printf("  rounds: %d\n", fenced->rounds);
    const auto ends = log->offsets(12, in(10s)).value();
    for (const Offsets& one : ends) {
      EXPECT_GE(one.end, 100 + life);
      EXPECT_LE(one.end, 100 + life * fenced->rounds);
    }
  }
  std::vector<Range> all;
  for (std::int32_t p = 0; p < 12; ++p) all.push_back({p, 0, 103});
  std::uint64_t count = 0;
  const auto read = log->read(all, [&](auto, auto, auto, auto) { ++count; }, in(10s));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(count, 1200U);
}

TEST_F(RecoveryKafkaTest, AFenceOfATopicNeverWrittenTo) {
  cluster->create(topic_, 4);
  const auto fenced = fence(options_, "tickbridge-" + topic_, topic_, 4, 1s, in(30s));
  ASSERT_TRUE(fenced) << fenced.error().message;
  EXPECT_TRUE(fenced->fenced) << fenced->why_not;
  for (const Offsets& one : reader()->offsets(4, in(10s)).value()) EXPECT_EQ(one.end, fenced->rounds);
}

/// A broker that follows the leader of partition 0.
int follower(Reader& reader) {
  const rd_kafka_metadata_t* found = nullptr;
  const TopicHandle topic{rd_kafka_topic_new(reader.client().handle, reader.topic().c_str(), nullptr)};
  EXPECT_EQ(rd_kafka_metadata(reader.client().handle, 0, topic.get(), &found, 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  const MetadataHandle metadata{found};
  const rd_kafka_metadata_partition_t& partition = metadata->topics[0].partitions[0];
  for (int i = 0; i < partition.replica_cnt; ++i) {
    if (partition.replicas[i] != partition.leader) return partition.replicas[i];
  }
  return -1;
}

// A follower that stands still and is in sync keeps the end where it was, while the leader holds more.
TEST_F(RecoveryKafkaTest, AFenceMakesHiddenRecordsShow) {
  if (cluster->brokers() < 3) GTEST_SKIP() << "needs followers: TICKBRIDGE_KAFKA_BROKERS=3";
  cluster->create(topic_, 1, "min.insync.replicas=2");
  fill(1, 100);
  auto reader = Reader::open(options_, topic_, "read_uncommitted");
  ASSERT_TRUE(reader);
  const int paused = follower(**reader);
  cluster->pause(paused);
  Foreign writer{cluster->servers()};
  for (int i = 0; i < 50; ++i) writer.send(topic_, 0, "K", "hidden");
  std::this_thread::sleep_for(500ms);  // the leader has them
  const auto before = (*reader)->offsets(1, in(10s));
  auto resumed = std::async(std::launch::async, [&] {
    std::this_thread::sleep_for(2s);
    cluster->resume(paused);
  });
  const SteadyTime since = SteadyClock::now();
  const auto fenced = fence(options_, "tickbridge-" + topic_, topic_, 1, 1s, in(60s));
  report("fence with a follower that stands still for 2 s", since);
  resumed.get();
  ASSERT_TRUE(before);
  EXPECT_EQ((*before)[0].end, 100) << "nothing was hidden: nothing was tested";
  ASSERT_TRUE(fenced) << fenced.error().message;
  EXPECT_TRUE(fenced->fenced) << fenced->why_not;
  EXPECT_EQ((*reader)->offsets(1, in(10s)).value()[0].end, 150 + fenced->rounds);
}

TEST_F(RecoveryKafkaTest, AMillionRecordsAreReadBackInSeconds) {
  cluster->create(topic_, 12);
  {
    Foreign writer{cluster->servers()};
    const std::string value(40, 'x');
    for (int i = 0; i < 1'000'000; ++i) writer.send(topic_, i / 100 % 12, "AAPL", value);
    ASSERT_TRUE(writer.flush());
  }
  const auto log = reader();
  const auto ends = log->offsets(12, in(10s)).value();
  std::vector<Range> all;
  for (std::int32_t p = 0; p < 12; ++p) all.push_back({p, 0, ends[static_cast<std::size_t>(p)].end});
  std::uint64_t count = 0;
  const SteadyTime since = SteadyClock::now();
  const auto read = log->read(all, [&](auto, auto, auto, auto) { ++count; }, in(60s));
  report("1,000,000 records read back", since);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(count, 1'000'000U);
}

TEST_F(RecoveryKafkaTest, AReaderSaysThatItsTopicIsNotThere) {
  const auto ends = reader()->partitions(in(5s));
  ASSERT_FALSE(ends);
  EXPECT_EQ(ends.error().code, ExitCode::kUnavailable);
}

}  // namespace
}  // namespace tickbridge::sink
