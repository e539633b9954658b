#include "ops/events_page.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace tickbridge::ops {
namespace {

TEST(EventsPage, IsTheCheckedInOne) {
  std::ifstream file{TICKBRIDGE_SOURCE_DIR "/docs/events.md", std::ios::binary};
  const std::string checked_in{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_TRUE(checked_in == render_events_page())
      << "run build/release/bin/tickbridge-docs write . in the project's root";
}

}  // namespace
}  // namespace tickbridge::ops
