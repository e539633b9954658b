// TICKBRIDGE_UPDATE_DOCS=1 metrics_tests writes docs/metrics.md anew.
#include "metrics/page.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace tickbridge::metrics {
namespace {

TEST(MetricsPage, IsWhatTheTableSays) {
  const std::string path = TICKBRIDGE_SOURCE_DIR "/docs/metrics.md";
  const std::string page = render_metrics_page();
  if (std::getenv("TICKBRIDGE_UPDATE_DOCS") != nullptr) std::ofstream{path} << page;
  std::ifstream file{path};
  const std::string checked_in{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_TRUE(checked_in == page) << "docs/metrics.md is old: run metrics_tests with TICKBRIDGE_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace tickbridge::metrics
