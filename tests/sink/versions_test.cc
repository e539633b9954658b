#include "sink/versions.h"

#include <gtest/gtest.h>

namespace tickbridge::sink {
namespace {

TEST(Versions, TakesTheBaseLineAndWhatIsAdvised) {
  for (const int version : {0x020002ff, 0x020100ff, 0x020500ff, 0x020a01ff, 0x020c01ff}) {
    const auto answer = check_library_version(version, Delivery::kExactlyOnce);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(*answer, "");
  }
}

TEST(Versions, RefusesBrokenOnesForExactlyOnceAndWarnsForAtLeastOnce) {
  for (const int version : {0x020200ff, 0x020300ff, 0x020400ff, 0x020a00ff}) {
    EXPECT_FALSE(check_library_version(version, Delivery::kExactlyOnce)) << std::hex << version;
    EXPECT_FALSE(check_library_version(version, Delivery::kTransactional)) << std::hex << version;
    EXPECT_NE(check_library_version(version, Delivery::kAtLeastOnce).value(), "") << std::hex << version;
    EXPECT_NE(check_library_version(version, Delivery::kAtMostOnce).value(), "") << std::hex << version;
  }
}

TEST(Versions, RefusesWhatIsOlderThanTheBaseLine) {
  EXPECT_FALSE(check_library_version(0x020000ff, Delivery::kAtMostOnce));
}

}  // namespace
}  // namespace tickbridge::sink
