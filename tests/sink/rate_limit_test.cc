#include "sink/rate_limit.h"

#include <gtest/gtest.h>

namespace tickbridge::sink {
namespace {

using namespace std::chrono_literals;

TEST(RateLimit, LetsAFewOfAKindPassAndCountsTheRest) {
  RateLimit limit{2, 10s};
  const SteadyTime start{};
  EXPECT_TRUE(limit.ask("FAIL", start).pass);
  EXPECT_TRUE(limit.ask("FAIL", start).pass);
  EXPECT_FALSE(limit.ask("FAIL", start + 9s).pass);
  EXPECT_FALSE(limit.ask("FAIL", start + 9s).pass);
  EXPECT_TRUE(limit.ask("OTHER", start + 9s).pass);
  const auto answer = limit.ask("FAIL", start + 10s);
  EXPECT_TRUE(answer.pass);
  EXPECT_EQ(answer.left_out, 2U);
  EXPECT_EQ(limit.ask("FAIL", start + 10s).left_out, 0U);
}

}  // namespace
}  // namespace tickbridge::sink
