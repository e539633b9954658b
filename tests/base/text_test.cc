#include "base/text.h"

#include <gtest/gtest.h>

namespace tickbridge {
namespace {

const std::string kReplaced = "\xef\xbf\xbd";

TEST(ValidUtf8, LeavesWellFormedTextAlone) {
  for (const std::string text : {"", "plain\n", "\x7f", "\xc2\x80\xdf\xbf", "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80",
                                 "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(ValidUtf8, ReplacesWhatIsNone) {
  EXPECT_EQ(valid_utf8("a\xff"
                       "b"),
            "a" + kReplaced + "b");
  EXPECT_EQ(valid_utf8("\xc0\x80"), kReplaced + kReplaced) << "overlong";
  EXPECT_EQ(valid_utf8("\xe0\x9f\xbf"), kReplaced + kReplaced + kReplaced) << "overlong";
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), kReplaced + kReplaced + kReplaced) << "surrogate";
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), kReplaced + kReplaced + kReplaced + kReplaced) << "past U+10FFFF";
  EXPECT_EQ(valid_utf8("x\xe2\x82"), "x" + kReplaced + kReplaced) << "cut off";
  EXPECT_EQ(valid_utf8("\xe2\x82x"), kReplaced + kReplaced + "x");
}

TEST(OneLine, ShowsControlCharactersAsText) {
  EXPECT_EQ(one_line("a\nb\tc\rd\x1b[31m\x7f"), "a\\nb\\tc\\x0dd\\x1b[31m\\x7f");
  EXPECT_EQ(one_line(std::string_view{"\0", 1}), "\\x00");
  EXPECT_EQ(one_line("Z\xc3\xbcrich \xff"), "Z\xc3\xbcrich " + kReplaced);
}

}  // namespace
}  // namespace tickbridge
