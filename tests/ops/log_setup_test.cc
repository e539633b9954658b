#include "ops/log_setup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <cstdio>
#include <string>

namespace tickbridge::ops {
namespace {

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

TEST(LogSetup, TellsAnUnknownLevelAndTakesInfo) {
  testing::internal::CaptureStderr();
  set_up_logging({.level = "loud", .format = LogFormat::kJson});
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("log.level"), std::string::npos) << told;
  EXPECT_NO_THROW((void)boost::json::parse(told));
}

}  // namespace
}  // namespace tickbridge::ops
