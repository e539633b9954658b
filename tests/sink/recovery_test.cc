// What recovery asks of the embedded broker, which compacts nothing and writes no markers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "foreign.h"
#include "mock_kafka.h"
#include "sink/compacted_log.h"
#include "sink/fence.h"
#include "sink/log_reader.h"

namespace tickbridge::sink {
namespace {

using namespace std::chrono_literals;
using testing::Foreign;
using ::testing::HasSubstr;
using testing::MockKafka;

SteadyTime in(std::chrono::milliseconds time) { return SteadyClock::now() + time; }

class RecoveryTest : public ::testing::Test {
 protected:
  RecoveryTest() {
    kafka_.create("ticks", 3);
    options_.properties = {{"bootstrap.servers", kafka_.servers()}};
  }
  MockKafka kafka_;
  ProducerOptions options_;
  TopicOptions topics_;
};

TEST_F(RecoveryTest, NotesWorkOnTheEmbeddedBroker) {
  auto log = CompactedLog::open(options_, topics_, "notes", "read_uncommitted", in(10s));
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_TRUE((*log)->read_back("a/", nullptr, in(10s)).value().empty());
  std::promise<std::int64_t> written;
  (*log)->write("a/1", "one", [&](const Result<std::int64_t>& offset) { written.set_value(offset ? *offset : -1); });
  EXPECT_EQ(written.get_future().get(), 0);
  EXPECT_EQ((*log)->read_on("a/", 5s).value().size(), 1U);
  EXPECT_EQ((*log)->read_back("a/", nullptr, in(10s)).value().size(), 1U);
}

TEST_F(RecoveryTest, ANoteThatCannotBeWrittenIsToldWhenTheLogCloses) {
  auto log = CompactedLog::open(options_, topics_, "notes", "read_uncommitted", in(10s));
  ASSERT_TRUE(log) << log.error().message;
  rd_kafka_mock_broker_set_down(kafka_.cluster(), 1);
  std::promise<bool> told;
  (*log)->write("a/1", "one", [&](const Result<std::int64_t>& offset) { told.set_value(offset.has_value()); });
  log->reset();
  auto answer = told.get_future();
  ASSERT_EQ(answer.wait_for(5s), std::future_status::ready);
  EXPECT_FALSE(answer.get());
}

TEST_F(RecoveryTest, TheEmbeddedBrokerIsNotFencedButSettles) {
  const auto report = fence(options_, "tickbridge-nasdaq", "ticks", 3, 200ms, in(20s));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_FALSE(report->fenced);
  EXPECT_THAT(report->why_not, HasSubstr("embedded"));
}

TEST_F(RecoveryTest, SettlingTakesNoLongerThanItsDeadlineWhileSomebodyWrites) {
  Foreign foreign{kafka_.servers()};
  foreign.send("ticks", 1, "K", "value");
  ASSERT_TRUE(foreign.flush());
  std::atomic<bool> stop{false};
  auto writer = std::async(std::launch::async, [&] {
    while (!stop.load()) {
      foreign.send("ticks", 1, "K", "value");
      std::this_thread::sleep_for(5ms);
    }
  });
  const auto report = fence(options_, "tickbridge-nasdaq", "ticks", 3, 1s, in(4s));
  stop.store(true);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ExitCode::kUnavailable);
  EXPECT_THAT(report.error().message, HasSubstr("does not come to rest"));
}

TEST_F(RecoveryTest, ReadsRangesBack) {
  Foreign foreign{kafka_.servers()};
  for (int i = 0; i < 300; ++i) foreign.send("ticks", i % 3, "K", std::to_string(i));
  ASSERT_TRUE(foreign.flush());
  auto reader = LogReader::open(options_, "ticks");
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ((*reader)->partitions(in(10s)).value(), 3);
  for (const Offsets& one : (*reader)->offsets(3, in(10s)).value()) {
    EXPECT_EQ(one.begin, 0);
    EXPECT_EQ(one.end, 100);
  }
  std::vector<std::string> values;
  const auto read = (*reader)->read(
      {{2, 98, 100}}, [&](auto, auto, auto, Bytes value) { values.emplace_back(as_text(value)); }, in(10s));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(values, ::testing::ElementsAre("296", "299"));
}

TEST_F(RecoveryTest, AReaderGivesUpAtItsDeadlineWhenTheBrokerIsAway) {
  auto reader = LogReader::open(options_, "ticks");
  ASSERT_TRUE(reader);
  ASSERT_TRUE((*reader)->offsets(3, in(10s)));
  rd_kafka_mock_broker_set_down(kafka_.cluster(), 1);
  const SteadyTime since = SteadyClock::now();
  const auto ends = (*reader)->offsets(3, in(1s));
  EXPECT_FALSE(ends);
  EXPECT_LT(SteadyClock::now() - since, 4s);
}

}  // namespace
}  // namespace tickbridge::sink
