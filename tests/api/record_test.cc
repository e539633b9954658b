#include <gmock/gmock.h>
#include <tickbridge/record.h>
#include <tickbridge/version.h>

#include "codec/protocol.h"

namespace tickbridge::record {
namespace {

TEST(RecordReasons, AreThoseThatTheDaemonWrites) {
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    EXPECT_EQ(kReasons[i], codec::name(static_cast<codec::Reason>(i + 1)));  // its 0 is "none"
    EXPECT_EQ(reason(kReasons[i]), static_cast<Reason>(i));
  }
  EXPECT_EQ(kReasons.size() + 1, static_cast<std::size_t>(codec::Reason::kCount));
}

TEST(RecordReasons, OfALaterVersionAreNothing) {
  EXPECT_FALSE(reason("moon_phase"));
  EXPECT_FALSE(reason(""));
  EXPECT_FALSE(reason("none"));
}

TEST(RecordDecimal, IsDigitsAndNothingElse) {
  EXPECT_EQ(decimal("0"), 0U);
  EXPECT_EQ(decimal("18446744073709551615"), UINT64_MAX);
  for (const auto* bad : {"", " 1", "1 ", "-1", "+1", "0x10", "1.5", "18446744073709551616"})
    EXPECT_FALSE(decimal(bad)) << bad;
}

TEST(RecordKey, OfAnInstrumentWithoutSymbolNamesItsNumber) {
  EXPECT_EQ(unnamed_instrument("#7"), 7);
  EXPECT_EQ(unnamed_instrument("#65535"), 65535);
  for (const auto* symbol : {"", "#", "AAPL", "7", "#65536", "#7A", "7#"})
    EXPECT_FALSE(unnamed_instrument(symbol)) << symbol;
}

TEST(CheckpointKey, IsFeedAndEpoch) {
  const auto key = checkpoint_key("nasdaq/12");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->feed, "nasdaq");
  EXPECT_EQ(key->epoch, 12U);
  EXPECT_EQ(checkpoint_key("a/b/3")->feed, "a/b");
  for (const auto* bad : {"", "/", "nasdaq", "nasdaq/", "/3", "nasdaq/x", "nasdaq/-1"})
    EXPECT_FALSE(checkpoint_key(bad)) << bad;
}

TEST(Version, IsTheBuilds) {
  EXPECT_STREQ(TICKBRIDGE_VERSION, TICKBRIDGE_BUILD_VERSION);
  EXPECT_EQ(std::to_string(TICKBRIDGE_VERSION_MAJOR) + '.' + std::to_string(TICKBRIDGE_VERSION_MINOR) + '.' +
                std::to_string(TICKBRIDGE_VERSION_PATCH),
            TICKBRIDGE_VERSION);
}

}  // namespace
}  // namespace tickbridge::record
