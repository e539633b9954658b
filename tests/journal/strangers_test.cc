#include "journal/strangers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>

#include "support/seed.h"

namespace tickbridge::journal {
namespace {

using testing::ElementsAre;

TEST(StrangersTest, NeighboursBecomeOneRange) {
  Strangers strangers;
  for (const std::int64_t offset : {7, 9, 8, 20}) strangers.add(1, offset);
  strangers.add(0, 10);
  EXPECT_THAT(strangers.ranges(),
              ElementsAre(StrangerRange{0, 10, 10}, StrangerRange{1, 7, 9}, StrangerRange{1, 20, 20}));
}

TEST(StrangersTest, ForgetsWhatLiesFarBackAndKeepsTheOtherPartitions) {
  Strangers strangers;
  strangers.add({0, 100, 200});
  strangers.add({0, 150'000, 150'001});
  strangers.add({1, 100, 200});
  strangers.trim(0, 100'200, 2);
  EXPECT_FALSE(strangers.contains(0, 200));
  EXPECT_TRUE(strangers.contains(0, 150'000));
  EXPECT_TRUE(strangers.contains(1, 200));
  strangers.trim(1, 100'199, 2);
  EXPECT_TRUE(strangers.contains(1, 200)) << "one offset nearer than the limit";
  strangers.trim(0, 1'000'000, 2);
  strangers.trim(1, 1'000'000, 2);
  EXPECT_TRUE(strangers.empty());
}

TEST(StrangersTest, BeyondAPartitionsShareTheOldestBecomeOneWithAllBetween) {
  Strangers strangers;
  for (std::int64_t n = 0; n < 10; ++n) strangers.add(3, 2 * n);
  strangers.trim(3, 20, 256);
  EXPECT_THAT(strangers.ranges(), ElementsAre(StrangerRange{3, 0, 12}, StrangerRange{3, 14, 14},
                                              StrangerRange{3, 16, 16}, StrangerRange{3, 18, 18}));
  strangers.trim(3, 20, 100'000);
  EXPECT_THAT(strangers.ranges(), ElementsAre(StrangerRange{3, 0, 18})) << "one range at least";
}

TEST(StrangersTest, EqualsASetOfOffsets) {
  std::mt19937_64 dice{tests::seed()};
  for (int round = 0; round < 200; ++round) {
    Strangers strangers;
    std::set<std::int64_t> offsets;
    for (int n = 0; n < 30; ++n) {
      const auto first = static_cast<std::int64_t>(dice() % 60);
      const auto last = first + static_cast<std::int64_t>(dice() % 4);
      strangers.add({0, first, last});
      for (std::int64_t offset = first; offset <= last; ++offset) offsets.insert(offset);
      for (std::int64_t offset = -1; offset < 66; ++offset) {
        ASSERT_EQ(strangers.contains(0, offset), offsets.contains(offset)) << "round " << round << ", " << offset;
      }
    }
    std::int64_t before = -2;  // no two touch
    for (const StrangerRange& range : strangers.ranges()) {
      ASSERT_GT(range.first, before + 1);
      before = range.last;
    }
  }
}

}  // namespace
}  // namespace tickbridge::journal
