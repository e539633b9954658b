#include "ops/log_format.h"

#include <gtest/gtest.h>
#include <spdlog/details/log_msg.h>

#include <boost/json/parse.hpp>
#include <string>

namespace tickbridge::ops {
namespace {

const spdlog::log_clock::time_point kTime{std::chrono::microseconds{1'606'000'000'000'042}};

std::string format(LogStyle style, spdlog::level::level_enum level, std::string_view text) {
  spdlog::details::log_msg message{kTime, spdlog::source_loc{}, "tickbridge", level, {text.data(), text.size()}};
  message.thread_id = 77;
  spdlog::memory_buf_t line;
  make_formatter(style)->clone()->format(message, line);
  return {line.data(), line.size()};
}

TEST(LogFormat, WritesTextWithTimeAndLevel) {
  EXPECT_EQ(format(LogStyle::kText, spdlog::level::info, "up"), "2020-11-21T23:06:40.000042Z info  up\n");
  EXPECT_EQ(format(LogStyle::kText, spdlog::level::err, "down"), "2020-11-21T23:06:40.000042Z error down\n");
}

TEST(LogFormat, WritesPrioritiesForTheJournal) {
  EXPECT_EQ(format(LogStyle::kJournal, spdlog::level::critical, "x"), "<2>x\n");
  EXPECT_EQ(format(LogStyle::kJournal, spdlog::level::err, "x"), "<3>x\n");
  EXPECT_EQ(format(LogStyle::kJournal, spdlog::level::warn, "x"), "<4>x\n");
  EXPECT_EQ(format(LogStyle::kJournal, spdlog::level::info, "x"), "<6>x\n");
  EXPECT_EQ(format(LogStyle::kJournal, spdlog::level::debug, "x"), "<7>x\n");
  EXPECT_EQ(format(LogStyle::kJournalJson, spdlog::level::warn, "x").substr(0, 4), "<4>{");
}

TEST(LogFormat, NeverMakesTwoLinesOfOne) {
  for (const auto style : {LogStyle::kText, LogStyle::kJournal, LogStyle::kJson, LogStyle::kJournalJson}) {
    const std::string line = format(style, spdlog::level::info, "a\nb\r\x1b[2J");
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(line.find_first_of("\r\x1b"), std::string::npos);
  }
}

TEST(LogFormat, WritesJsonThatGivesTheMessageBack) {
  const std::string text = "quote \" backslash \\ line\nnull\1 Z\xc3\xbcrich";
  const auto line = boost::json::parse(format(LogStyle::kJson, spdlog::level::warn, text)).as_object();
  EXPECT_EQ(line.at("message").as_string(), text);
  EXPECT_EQ(line.at("level").as_string(), "warn");
  EXPECT_EQ(line.at("thread").as_int64(), 77);
  EXPECT_EQ(line.at("time").as_string(), "2020-11-21T23:06:40.000042Z");
}

TEST(LogFormat, WritesJsonOfBytesThatAreNoText) {
  const auto line = boost::json::parse(format(LogStyle::kJson, spdlog::level::info, "\xff\xfe")).as_object();
  EXPECT_EQ(line.at("message").as_string(), "\xef\xbf\xbd\xef\xbf\xbd");
}

}  // namespace
}  // namespace tickbridge::ops
