#include "config/values.h"

#include <gtest/gtest.h>

#include <random>

namespace tickbridge::config {
namespace {

using std::chrono::milliseconds;

TEST(Duration, NeedsANumberAndAUnit) {
  EXPECT_EQ(parse_duration("250ms"), milliseconds{250});
  EXPECT_EQ(parse_duration("5s"), milliseconds{5'000});
  EXPECT_EQ(parse_duration("1m"), milliseconds{60'000});
  EXPECT_EQ(parse_duration("2 h"), milliseconds{7'200'000});
  EXPECT_EQ(parse_duration("0"), milliseconds{0});
  for (const char* const text :
       {"", "5", "s", "-1s", "1.5s", "5sec", "5s ", "+5s", "99999999999999999999s", "9223372036854775807h", "1s2"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, IsWrittenAsItIsRead) {
  EXPECT_EQ(format_duration(milliseconds{60'000}), "60s");
  EXPECT_EQ(format_duration(milliseconds{120'000}), "2m");
  EXPECT_EQ(format_duration(milliseconds{1'500}), "1500ms");
  EXPECT_EQ(format_duration(milliseconds{0}), "0s");
  std::mt19937_64 random{std::random_device{}()};
  for (int i = 0; i < 10'000; ++i) {
    const milliseconds duration{static_cast<std::int64_t>(random() >> (1 + random() % 62))};
    ASSERT_EQ(parse_duration(format_duration(duration)), duration) << duration.count();
  }
}

TEST(Size, IsANumberOrHasAUnit) {
  EXPECT_EQ(parse_size("4096"), 4096);
  EXPECT_EQ(parse_size("64KiB"), 65'536);
  EXPECT_EQ(parse_size("64 MiB"), 67'108'864);
  EXPECT_EQ(parse_size("1GiB"), 1'073'741'824);
  EXPECT_EQ(parse_size("2MB"), 2'000'000);
  for (const char* const text : {"", "MiB", "-1", "1.5GiB", "1TB", "9223372036854775807GiB", "64mib"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Address, IsAHostAndAPort) {
  EXPECT_EQ(parse_address("10.1.1.1:9000")->host, "10.1.1.1");
  EXPECT_EQ(parse_address("exchange.example:1")->port, 1);
  EXPECT_EQ(parse_address("[::1]:65535")->host, "::1");
  for (const char* const text :
       {"", "a", "a:", ":1", "a:0", "a:65536", "a:1x", "::1:9000", "[]:1", "a b:1", "[::1:1", "a:-1", "a/b:1"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(Address, IsWrittenAsItIsRead) {
  for (const char* const text : {"10.1.1.1:9000", "[::1]:9000", "exchange.example:65535"}) {
    EXPECT_EQ(format_address(*parse_address(text)), text);
  }
}

TEST(Hex, IsTwoDigitsAByte) {
  EXPECT_EQ(parse_hex("50EB"), "\x50\xeb");
  EXPECT_EQ(parse_hex(""), "");
  EXPECT_FALSE(parse_hex("5"));
  EXPECT_FALSE(parse_hex("5g"));
  EXPECT_EQ(format_hex("\x50\xeb"), "50eb");
}

TEST(Quotes, HideWhatTomlWouldRead) { EXPECT_EQ(in_quotes("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\u0001\""); }

}  // namespace
}  // namespace tickbridge::config
