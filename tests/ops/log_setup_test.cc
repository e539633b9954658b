#include "ops/log_setup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <cstdio>
#include <string>

#include "base/log.h"

namespace tickbridge::ops {
namespace {

using namespace std::chrono_literals;

TEST(LogSetup, KnowsTheLevelWords) {
  for (const auto word : {"trace", "debug", "info", "warn", "error", "critical", "off"}) {
    const auto level = parse_level(word);
    ASSERT_TRUE(level) << word;
    EXPECT_EQ(level_word(*level), word);
  }
  EXPECT_FALSE(parse_level("warning"));
  EXPECT_FALSE(parse_level(""));
}

TEST(LogSetup, SeesTheJournalOnlyWhereItIs) {
  struct stat status{};
  ASSERT_EQ(fstat(fileno(stderr), &status), 0);
  const std::string here = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  EXPECT_TRUE(is_journal(here.c_str(), fileno(stderr)));
  EXPECT_FALSE(is_journal((here + "1").c_str(), fileno(stderr))) << "inherited by a process that was redirected";
  for (const char* const other : {"", ":", "1", "x:y"}) EXPECT_FALSE(is_journal(other, fileno(stderr)));
  EXPECT_FALSE(is_journal(nullptr, fileno(stderr)));
  EXPECT_FALSE(is_journal(here.c_str(), -1));
}

TEST(LogSetup, ChoosesTheStyle) {
  EXPECT_EQ(choose_style(LogFormat::kText, false), LogStyle::kText);
  EXPECT_EQ(choose_style(LogFormat::kText, true), LogStyle::kJournal);
  EXPECT_EQ(choose_style(LogFormat::kJson, false), LogStyle::kJson);
  EXPECT_EQ(choose_style(LogFormat::kJson, true), LogStyle::kJournalJson);
}

/// What is logged so, under these options.
template <class Function>
std::string logged(const LogOptions& options, Function&& function) {
  testing::internal::CaptureStderr();
  set_up_logging(options);
  function();
  end_log();
  return testing::internal::GetCapturedStderr();
}

TEST(LogSetup, TakesAnUnknownLevelAsInfo) {
  const std::string text = logged({.level = "loud", .format = LogFormat::kJson, .burst = 20, .interval = 10s}, [] {
    log_event(Event::kConnected, of_feed("a"), "debug");
    log_event(Event::kLoggedIn, of_feed("a"), "info");
  });
  EXPECT_EQ(boost::json::parse(text).as_object().at("event").as_string(), "logged-in") << text;
}

TEST(LogSetup, TakesOverLevelAndLimit) {
  const std::string text = logged({.level = "info", .format = LogFormat::kText, .burst = 20, .interval = 10s}, [] {
    adjust_logging({.level = "warn", .format = LogFormat::kText, .burst = 1, .interval = 10s});
    log_event(Event::kLoggedIn, of_feed("a"), "nobody reads this");
    for (int i = 0; i < 5; ++i) log_event(Event::kGap, of_feed("a"), "gap");
  });
  EXPECT_EQ(text.find("nobody"), std::string::npos) << text;
  EXPECT_NE(text.find("feed a: gap [gap]"), std::string::npos) << text;
  EXPECT_NE(text.find("feed a: 4 more lines of this event were held back [gap]"), std::string::npos) << text;
}

}  // namespace
}  // namespace tickbridge::ops
