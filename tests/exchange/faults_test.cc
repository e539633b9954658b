#include "exchange/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tickbridge::exchange {
namespace {

using testing::HasSubstr;

Faults parsed(std::initializer_list<const char*> texts) {
  Faults faults;
  for (const char* text : texts) EXPECT_EQ(add_fault(faults, text), std::nullopt) << text;
  return faults;
}

TEST(Faults, ReadsNumbersAndPlaces) {
  const Faults faults = parsed({"cut:100", "slice", "end@9", "invalid:7", "truncate-zlib@5", "bomb@6", "debug:3"});
  EXPECT_EQ(faults.cut_packets, 100U);
  EXPECT_EQ(faults.slice_bytes, 64U);
  EXPECT_EQ(faults.end_after, 9U);
  EXPECT_EQ(faults.invalid_every, 7U);
  EXPECT_EQ(faults.truncated_zlib, 5U);
  EXPECT_EQ(faults.bomb, 6U);
  EXPECT_EQ(faults.debug_every, 3U);
}

TEST(Faults, TakesPartsOfSecondsForAStall) {
  const Faults faults = parsed({"stall:0.25@12"});
  ASSERT_EQ(faults.breaks.size(), 1U);
  EXPECT_EQ(faults.breaks[0].amount, 250U);
  EXPECT_EQ(faults.breaks[0].after, 12U);
}

TEST(Faults, CountsRejections) {
  EXPECT_EQ(parsed({"reject:S"}).rejections, kAlways);
  const Faults faults = parsed({"reject:S:3"});
  EXPECT_EQ(faults.rejections, 3U);
  EXPECT_EQ(faults.rejection, 'S');
}

TEST(Faults, TellsRepeatsOfEveryLoginFromOneAtAPlace) {
  EXPECT_EQ(parsed({"repeat:5"}).repeat, 5U);
  const Faults faults = parsed({"repeat:5@100"});
  EXPECT_EQ(faults.repeat, 0U);
  ASSERT_EQ(faults.breaks.size(), 1U);
  EXPECT_EQ(faults.breaks[0].after, 100U);
}

TEST(Faults, RefusesWhatItDoesNotKnowAndSaysWhatItKnows) {
  Faults faults;
  EXPECT_THAT(add_fault(faults, "explode").value_or(""), HasSubstr("stall:SECONDS"));
  for (const char* text : {"cut", "cut:x", "cut:0", "cut:-1", "stall", "stall:no", "reject:B", "reject:A:0", "end",
                           "end@", "bomb:5", "repeat@5", "invalid:1x"}) {
    EXPECT_THAT(add_fault(faults, text).value_or(""), HasSubstr("must be")) << text;
  }
}

}  // namespace
}  // namespace tickbridge::exchange
