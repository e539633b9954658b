#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tickbridge {
namespace {

using std::chrono::seconds;
using testing::EndsWith;

struct Line {
  spdlog::level::level_enum level;
  std::string text;
  std::string event;
  std::string feed;
  std::uint64_t held_back;
  std::string file;
};

class Keeper final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::vector<Line> lines;

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const LogFields* const fields = current_fields();
    ASSERT_NE(fields, nullptr);
    lines.push_back({message.level, std::string{message.payload.data(), message.payload.size()},
                     std::string{row_of(fields->event).name}, std::string{fields->source.feed}, fields->held_back,
                     fields->where.file_name()});
  }
  void flush_() override {}
};

class Log : public testing::Test {
 protected:
  Log() {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", keeper_));
    limit_log(20, seconds{10});
  }
  ~Log() override { end_log(); }  // nothing held back stays for the next test

  const std::vector<Line>& lines() { return keeper_->lines; }

 private:
  std::shared_ptr<Keeper> keeper_ = std::make_shared<Keeper>();
};

TEST_F(Log, GivesALineItsEventsLevelAndItsFields) {
  log_event(Event::kGap, of_feed("a"), "{} of {}", 1, 2);
  log_event(Event::kStarting, "up");
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_EQ(lines()[0].text, "feed a: 1 of 2");
  EXPECT_EQ(lines()[0].level, spdlog::level::warn);
  EXPECT_EQ(lines()[0].event, "gap");
  EXPECT_EQ(lines()[0].feed, "a");
  EXPECT_THAT(lines()[0].file, EndsWith("tests/base/log_test.cc"));
  EXPECT_EQ(lines()[1].text, "up");
  EXPECT_EQ(lines()[1].level, spdlog::level::info);
  EXPECT_EQ(current_fields(), nullptr);
}

TEST_F(Log, NamesTheFeedOnce) {
  log_event(Event::kGap, of_feed("a"), "{}; going on", "feed a: gap");
  EXPECT_EQ(lines()[0].text, "feed a: gap; going on");
}

TEST_F(Log, TakesBytesFromOutsideAsTheyAre) {
  log_event(Event::kGap, of_feed("a"), "{}", "{} {0} %s");
  EXPECT_EQ(lines()[0].text, "feed a: {} {0} %s");
}

TEST_F(Log, HoldsBackByEventAndTellsHowManyThoughNoMoreCome) {
  limit_log(2, seconds{10});
  const LogCounts before = log_counts();
  for (int i = 0; i < 10; ++i) log_event(Event::kGap, of_feed("a"), "{}", i);
  log_event(Event::kGap, of_feed("b"), "another");
  ASSERT_EQ(lines().size(), 3U);
  tell_held_back(SteadyClock::now());
  ASSERT_EQ(lines().size(), 3U) << "the interval is not over";
  tell_held_back(SteadyClock::now() + seconds{10});
  ASSERT_EQ(lines().size(), 4U);
  EXPECT_EQ(lines()[3].text, "feed a: 8 more lines of this event were held back");
  EXPECT_EQ(lines()[3].event, "gap");
  EXPECT_EQ(lines()[3].held_back, 8U);
  EXPECT_EQ(lines()[3].level, spdlog::level::warn);
  EXPECT_EQ(log_counts().held_back - before.held_back, 8U);
  EXPECT_EQ(log_counts().warn - before.warn, 4U);
}

TEST_F(Log, TellsTheNextLineHowManyWereHeldBack) {
  limit_log(1, milliseconds{1});
  std::uint64_t told = 0;
  int tries = 0;
  for (; told == 0 && tries < 10'000'000; ++tries) {
    log_event(Event::kGap, of_feed("a"), "x");
    told = lines().back().held_back;
  }
  ASSERT_GT(told, 0U);
  EXPECT_EQ(lines().back().text, fmt::format("feed a: x ({} more lines of this event were held back before)", told));
}

TEST_F(Log, NeverHoldsBackWhatEndsAFeed) {
  limit_log(1, seconds{10});
  for (int i = 0; i < 30; ++i) log_event(Event::kFeedStopped, of_feed("a"), "{}", i);
  EXPECT_EQ(lines().size(), 30U);
}

TEST_F(Log, TellsAtTheEndWhatWasHeldBack) {
  limit_log(1, seconds{10});
  for (int i = 0; i < 3; ++i) log_event(Event::kKafkaError, Source{.feed = {}, .facility = "_TRANSPORT"}, "Kafka");
  end_log();
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_EQ(lines()[1].text, "2 more lines of this event were held back, of _TRANSPORT");
  end_log();
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(Log, NeitherCountsNorLimitsWhatTheLevelLeavesOut) {
  limit_log(1, seconds{10});
  const LogCounts before = log_counts();
  for (int i = 0; i < 5; ++i) log_event(Event::kConnected, of_feed("a"), "x");
  EXPECT_TRUE(lines().empty());
  EXPECT_EQ(log_counts().held_back, before.held_back);
  EXPECT_EQ(log_counts().debug, before.debug);
}

TEST_F(Log, KeepsTheFieldsOfEachThreadApart) {
  limit_log(1'000'000, seconds{10});
  {
    std::vector<std::jthread> threads;
    for (const char* const feed : {"a", "b", "c"}) {
      threads.emplace_back([feed] {
        for (int i = 0; i < 1000; ++i) log_event(Event::kGap, of_feed(feed), "x");
      });
    }
  }
  ASSERT_EQ(lines().size(), 3000U);
  for (const Line& line : lines()) EXPECT_EQ(line.text, fmt::format("feed {}: x", line.feed));
}

TEST(Events, HaveNamesByWhichTheyAreFound) {
  EXPECT_EQ(row_of(Event::kGap).name, "gap");
  EXPECT_EQ(row_of(Event::kFeedStopped).name, "feed-stopped");
  EXPECT_EQ(kEventRows.size(), static_cast<std::size_t>(Event::kCount));
}

}  // namespace
}  // namespace tickbridge
