#include "journal/jump.h"

#include <gtest/gtest.h>

namespace tickbridge::journal {
namespace {

using Kind = Stranger::Kind;

class SetApart : public ::testing::Test {
 protected:
  std::vector<Stranger> strangers{{Kind::kForeign, 0, 9},  {Kind::kForeign, 0, 10}, {Kind::kDouble, 0, 11},
                                  {Kind::kForeign, 0, 12}, {Kind::kForeign, 0, 13}, {Kind::kForeign, 1, 10}};
};

TEST_F(SetApart, NothingWhereAllOfOursIsKnown) {
  EXPECT_EQ(set_apart(strangers, {.partition = 0, .begin = 10, .end = 13, .own = 0}), 0U);
  EXPECT_EQ(strangers.size(), 6U);
}

TEST_F(SetApart, WhatMayBeOurs) {
  EXPECT_EQ(set_apart(strangers, {.partition = 0, .begin = 10, .end = 13, .own = 2}), 0U) << "both are ours";
  ASSERT_EQ(strangers.size(), 4U) << "what lies outside, another partition's, a double";
  EXPECT_EQ(strangers[1].kind, Kind::kDouble);
}

TEST_F(SetApart, CountsWhatCannotBe) {
  EXPECT_EQ(set_apart(strangers, {.partition = 0, .begin = 9, .end = 14, .own = 1}), 3U);
  EXPECT_EQ(strangers.size(), 2U);
}

TEST_F(SetApart, NothingTwice) {
  EXPECT_EQ(set_apart(strangers, {.partition = 0, .begin = 9, .end = 12, .own = 1}), 1U);
  EXPECT_EQ(set_apart(strangers, {.partition = 0, .begin = 12, .end = 14, .own = 1}), 1U);
}

}  // namespace
}  // namespace tickbridge::journal
