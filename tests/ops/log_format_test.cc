#include "ops/log_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <boost/json/parse.hpp>
#include <memory>
#include <sstream>
#include <string>

#include "base/log.h"

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

/// What a line of the front, with fields, looks like.
std::string told(LogStyle style, const Source& source, std::string_view text) {
  std::ostringstream out;
  auto logger = std::make_shared<spdlog::logger>("t", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  logger->set_formatter(make_formatter(style));
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(logger);
  log_event(Event::kProtocolBroken, source, "{}", text);
  spdlog::set_default_logger(before);
  return out.str();
}

TEST(LogFormat, NamesTheEventInText) {
  EXPECT_THAT(told(LogStyle::kText, of_feed("n"), "bad"), testing::EndsWith(" warn  feed n: bad [protocol-broken]\n"));
  EXPECT_EQ(told(LogStyle::kJournal, of_feed("n"), "bad"), "<4>feed n: bad [protocol-broken]\n");
}

TEST(LogFormat, WritesEventAndSourceAsJsonFields) {
  const auto line = boost::json::parse(told(LogStyle::kJson, of_feed("n\"\n"), "bad")).as_object();
  EXPECT_EQ(line.at("event").as_string(), "protocol-broken");
  EXPECT_EQ(line.at("feed").as_string(), "n\"\n");
  EXPECT_FALSE(line.contains("facility") || line.contains("held_back"));
  const auto library =
      boost::json::parse(told(LogStyle::kJson, Source{.feed = {}, .facility = "FAIL"}, "bad")).as_object();
  EXPECT_EQ(library.at("facility").as_string(), "FAIL");
  EXPECT_FALSE(library.contains("feed"));
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
