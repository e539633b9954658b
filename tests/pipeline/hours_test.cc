#include "pipeline/hours.h"

#include <gtest/gtest.h>

#include <time.h>

#include <cstdint>
#include <string>

namespace tickbridge::pipeline {
namespace {

/// "2026-03-08 14:30" UTC in nanoseconds.
std::int64_t utc(const char* text) {
  tm time{};
  EXPECT_NE(strptime(text, "%Y-%m-%d %H:%M", &time), nullptr) << text;
  return std::int64_t{timegm(&time)} * 1'000'000'000;
}

Hours made(FeedPolicies policies) {
  auto hours = Hours::create(policies);
  EXPECT_TRUE(hours) << (hours ? "" : hours.error().message);
  return *hours;
}

FeedPolicies new_york(const std::string& hours, const std::string& days = "mon-fri") {
  FeedPolicies policies;
  policies.hours = hours;
  policies.days = days;
  return policies;
}

std::string next(const Hours& hours, const char* now) {
  const auto change = hours.next_change_ms(utc(now));
  return change ? hours.local(*change) : "never";
}

TEST(Hours, AreAlwaysOpenUnlessSaid) {
  const Hours hours = made({});
  EXPECT_TRUE(hours.open(utc("2026-11-22 00:00")));
  EXPECT_EQ(next(hours, "2026-11-22 00:00"), "never");
}

TEST(Hours, FollowTheZonesClockInWinterAndSummer) {
  const Hours hours = made(new_york("09:30-16:00"));
  EXPECT_FALSE(hours.open(utc("2026-01-05 14:29")));  // a Monday, UTC-5
  EXPECT_TRUE(hours.open(utc("2026-01-05 14:30")));
  EXPECT_TRUE(hours.open(utc("2026-01-05 20:59")));
  EXPECT_FALSE(hours.open(utc("2026-01-05 21:00")));
  EXPECT_TRUE(hours.open(utc("2026-07-06 13:30")));  // UTC-4
  EXPECT_FALSE(hours.open(utc("2026-07-06 20:00")));
  EXPECT_FALSE(hours.open(utc("2026-07-05 15:00")));                      // a Sunday
  EXPECT_EQ(next(hours, "2026-03-06 22:00"), "2026-03-09 09:30:00 EDT");  // over the change of the clocks
  EXPECT_EQ(next(hours, "2026-10-30 21:00"), "2026-11-02 09:30:00 EST");
}

TEST(Hours, MayLieOverMidnight) {
  const Hours hours = made(new_york("18:00-17:00", "sun-thu"));  // as futures trade
  EXPECT_FALSE(hours.open(utc("2026-01-03 12:00")));             // Saturday
  EXPECT_TRUE(hours.open(utc("2026-01-04 23:00")));              // Sunday, 18:00
  EXPECT_TRUE(hours.open(utc("2026-01-09 21:59")));              // Friday, 16:59: Thursday's
  EXPECT_FALSE(hours.open(utc("2026-01-09 22:00")));
  EXPECT_EQ(next(hours, "2026-01-09 22:00"), "2026-01-11 18:00:00 EST");
}

TEST(Hours, MayHaveABreak) {
  FeedPolicies policies = new_york("09:00-11:30,12:30-15:30");
  policies.time_zone = "Asia/Tokyo";
  const Hours hours = made(policies);
  EXPECT_TRUE(hours.open(utc("2026-01-05 02:29")));
  EXPECT_FALSE(hours.open(utc("2026-01-05 02:30")));
  EXPECT_TRUE(hours.open(utc("2026-01-05 03:30")));
  EXPECT_EQ(next(hours, "2026-01-05 02:30"), "2026-01-05 12:30:00 JST");
}

TEST(Hours, HolidaysAndEarlyClosesWinOverTheWeek) {
  FeedPolicies policies = new_york("09:30-16:00");
  policies.hours_on = {{"2026-12-25", "closed"}, {"2026-11-27", "09:30-13:00"}, {"2026-11-28", "10:00-11:00"}};
  const Hours hours = made(policies);
  EXPECT_FALSE(hours.open(utc("2026-12-25 15:00")));
  EXPECT_EQ(next(hours, "2026-12-24 21:00"), "2026-12-28 09:30:00 EST");
  EXPECT_FALSE(hours.open(utc("2026-11-27 18:00")));
  EXPECT_TRUE(hours.open(utc("2026-11-28 15:30")));  // a Saturday
}

// 02:30 does not exist on the day the clocks go forward; 01:30 comes twice on the day they go back.
TEST(Hours, AChangeOfTheClocksNeitherHidesNorShortensThem) {
  const Hours hours = made(new_york("01:30-02:30", "sun-sat"));
  EXPECT_TRUE(hours.open(utc("2026-03-08 06:59")));   // 01:59 EST
  EXPECT_FALSE(hours.open(utc("2026-03-08 07:00")));  // 03:00 EDT
  EXPECT_FALSE(hours.open(utc("2026-11-01 05:29")));  // 01:29 EDT
  EXPECT_TRUE(hours.open(utc("2026-11-01 05:30")));   // 01:30 EDT
  EXPECT_TRUE(hours.open(utc("2026-11-01 06:30")));   // 01:30 EST
  EXPECT_FALSE(hours.open(utc("2026-11-01 07:30")));
}

TEST(Hours, DaysThatTouchAreOneStretch) {
  const Hours hours = made(new_york("00:00-24:00"));
  EXPECT_EQ(next(hours, "2026-01-05 12:00"), "2026-01-10 00:00:00 EST");
  EXPECT_EQ(next(hours, "2026-01-10 12:00"), "2026-01-12 00:00:00 EST");
}

TEST(Hours, MayNeverOpen) {
  const Hours hours = made(new_york("closed"));
  EXPECT_FALSE(hours.open(utc("2026-01-05 15:00")));
  EXPECT_EQ(next(hours, "2026-01-05 15:00"), "never");
}

}  // namespace
}  // namespace tickbridge::pipeline
