#include "doctor/sheet.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace tickbridge::doctor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<Section> mixed() {
  return {{"config", {ok("configuration", "is sound")}},
          {"Kafka",
           {skipped("rights", "nobody to ask"), warning("topic ticks", "one replica; use three"),
            failure("topic dead", ExitCode::kConfig, "is compacted; run: x"),
            failure("cluster", ExitCode::kUnavailable, "no answer")}}};
}

TEST(Sheet, AlignsLevelsAndNamesTheSection) {
  EXPECT_EQ(to_text(mixed()[1], false),
            "Kafka\n"
            "  skip  rights: nobody to ask\n"
            "  warn  topic ticks: one replica; use three\n"
            "  FAIL  topic dead: is compacted; run: x\n"
            "  FAIL  cluster: no answer\n");
}

TEST(Sheet, HasColourOnlyWhereItIsWanted) {
  EXPECT_THAT(to_text(mixed()[1], true), HasSubstr("\x1b[1;31mFAIL\x1b[0m  topic dead"));
  EXPECT_THAT(to_text(mixed()[1], false) + summary(mixed(), false), Not(HasSubstr("\x1b")));
}

TEST(Sheet, KeepsAFindingInOneLineWhoeverWroteItsText) {
  const Section section{"s", {ok("a\nb", "\x1b[2Jgone\nok    forged: line")}};
  EXPECT_EQ(to_text(section, false), "s\n  ok    a\\nb: \\x1b[2Jgone\\nok    forged: line\n");
}

TEST(Finding, NamesItsSubjectOnce) {
  EXPECT_EQ(warning("topic a", "topic a has one replica").text, "has one replica");
  EXPECT_EQ(failure("feed a", ExitCode::kData, "feed a: lost").text, "lost");
  EXPECT_EQ(failure("feed a", ExitCode::kData, "feed ab: lost").text, "feed ab: lost");
}

TEST(Sheet, SumsUpAndSaysWhatTheDaemonWouldEndWith) {
  EXPECT_EQ(summary(mixed(), false),
            "1 ok, 1 warning(s), 2 failure(s), 1 not checked; the daemon would end with code 78\n");
  EXPECT_EQ(summary({{"a", {ok("b", "c")}}}, false), "1 ok, 0 warning(s), 0 failure(s), 0 not checked\n");
}

TEST(Sheet, EndsWithTheWorstCodeAsTheDaemonDoes) {
  EXPECT_EQ(worst(mixed()), ExitCode::kConfig);
  EXPECT_EQ(worst({{"a", {warning("b", "c"), skipped("d", "e")}}}), ExitCode::kOk);
  EXPECT_EQ(worst({{"a", {failure("b", ExitCode::kConfig, "")}}, {"c", {failure("d", ExitCode::kData, "")}}}),
            ExitCode::kData);
  for (const ExitCode code : {ExitCode::kUsage, ExitCode::kData, ExitCode::kUnavailable, ExitCode::kInternal,
                              ExitCode::kUnacknowledged, ExitCode::kProtocol, ExitCode::kConfig}) {
    EXPECT_EQ(worst({{"a", {failure("b", code, "")}}}), code) << static_cast<int>(code);
  }
}

TEST(Sheet, TellsProgramsTheSame) {
  const boost::json::value all = boost::json::parse(to_json(mixed(), "1.2.3"));
  EXPECT_EQ(all.at("version").as_string(), "1.2.3");
  EXPECT_EQ(all.at("code").as_int64(), 78);
  EXPECT_EQ(all.at("ok").to_number<int>(), 1);
  EXPECT_EQ(all.at("warnings").to_number<int>(), 1);
  EXPECT_EQ(all.at("failures").to_number<int>(), 2);
  EXPECT_EQ(all.at("not_checked").to_number<int>(), 1);
  ASSERT_EQ(all.at("checks").as_array().size(), 5U);
  const boost::json::value& third = all.at("checks").at(3);
  EXPECT_EQ(third, (boost::json::value{{"section", "Kafka"},
                                       {"level", "FAIL"},
                                       {"check", "topic dead"},
                                       {"text", "is compacted; run: x"},
                                       {"code", 78}}));
}

}  // namespace
}  // namespace tickbridge::doctor
