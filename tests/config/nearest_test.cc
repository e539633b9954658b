#include "config/nearest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace tickbridge::config {
namespace {

TEST(EditDistance, CountsLettersPutInLeftOutExchangedAndSwapped) {
  EXPECT_EQ(edit_distance("topic", "topic"), 0U);
  EXPECT_EQ(edit_distance("topc", "topic"), 1U);
  EXPECT_EQ(edit_distance("topicc", "topic"), 1U);
  EXPECT_EQ(edit_distance("tupic", "topic"), 1U);
  EXPECT_EQ(edit_distance("tpoic", "topic"), 1U);
  EXPECT_EQ(edit_distance("", "topic"), 5U);
  EXPECT_EQ(edit_distance("ca", "abc"), 3U);
}

TEST(EditDistance, IgnoresCase) { EXPECT_EQ(edit_distance("Linger.MS", "linger.ms"), 0U); }

TEST(EditDistance, BoundsItsWork) { EXPECT_LE(edit_distance(std::string(1'000'000, 'a'), "topic"), 200U); }

TEST(Nearest, FindsTheNameThatWasMeant) {
  constexpr std::array<std::string_view, 4> kNames{"topic", "payload", "pipeline.workers", "protocol"};
  EXPECT_EQ(nearest("topik", kNames), "topic");
  EXPECT_EQ(nearest("paylod", kNames), "payload");
  EXPECT_EQ(nearest("protocoll", kNames), "protocol");
}

TEST(Nearest, PrefersTheSameNameInAnotherTable) {
  constexpr std::array<std::string_view, 3> kNames{"markers", "pipeline.workers", "worker"};
  EXPECT_EQ(nearest("workers", kNames), "pipeline.workers");
}

TEST(Nearest, HasNothingToSayWithoutNames) { EXPECT_EQ(nearest("topic", {}), ""); }

}  // namespace
}  // namespace tickbridge::config
