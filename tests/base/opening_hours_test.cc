#include "base/opening_hours.h"

#include <gmock/gmock.h>

namespace tickbridge {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;

OpenRange range(int from_h, int from_m, int to_h, int to_m) {
  return {hours{from_h} + minutes{from_m}, hours{to_h} + minutes{to_m}};
}

TEST(OpeningHours, AreRangesOfTheDay) {
  EXPECT_THAT(parse_open_ranges("09:30-16:00").value(), ElementsAre(range(9, 30, 16, 0)));
  EXPECT_THAT(parse_open_ranges("09:00-11:30,13:00-15:00").value(),
              ElementsAre(range(9, 0, 11, 30), range(13, 0, 15, 0)));
  EXPECT_THAT(parse_open_ranges("18:00-17:00").value(), ElementsAre(range(18, 0, 41, 0)));
  EXPECT_THAT(parse_open_ranges("00:00-24:00").value(), ElementsAre(range(0, 0, 24, 0)));
  EXPECT_THAT(parse_open_ranges("10:00:05-10:00:06").value(),
              ElementsAre(OpenRange{hours{10} + std::chrono::seconds{5}, hours{10} + std::chrono::seconds{6}}));
  EXPECT_TRUE(parse_open_ranges("closed").value().empty());
}

TEST(OpeningHours, AreRefusedWhereTheyAreNotWrittenSo) {
  for (const char* const text :
       {"", "9:30-16:00", "09:30", "09:30-", "-16:00", "09:30-25:00", "09:60-16:00", "09:30-16:00,",
        "10:00-12:00,11:00-13:00", "13:00-15:00,09:00-11:00", "24:00-01:00", "open", "20:00-19:00,19:30-19:40",
        "09:30 - 16:00", "-9:30-16:00", "09:30-16:00-17:00"}) {
    EXPECT_FALSE(parse_open_ranges(text)) << text;
  }
}

TEST(Weekdays, AreNamesAndStretches) {
  EXPECT_EQ(parse_weekdays("mon-fri"), Weekdays{0b0111110});
  EXPECT_EQ(parse_weekdays("sun-thu"), Weekdays{0b0011111});
  EXPECT_EQ(parse_weekdays("sat-mon"), Weekdays{0b1000011});
  EXPECT_EQ(parse_weekdays("mon,wed-fri"), Weekdays{0b0111010});
  EXPECT_EQ(parse_weekdays("sun-sat"), kEveryDay);
  for (const char* const text : {"", "Mon", "mon-", "mon,", "monday", "mon fri"})
    EXPECT_FALSE(parse_weekdays(text)) << text;
}

TEST(Days, AreDates) {
  using namespace std::chrono;
  EXPECT_EQ(parse_day("2026-12-25"), year{2026} / December / 25);
  for (const char* const text : {"2026-02-30", "2026-13-01", "26-12-25", "2026/12/25", "2026-12-2x"})
    EXPECT_FALSE(parse_day(text)) << text;
}

}  // namespace
}  // namespace tickbridge
