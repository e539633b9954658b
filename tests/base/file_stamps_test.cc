#include "base/file_stamps.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace tickbridge {
namespace {

struct FileStampsTest : testing::Test {
  ~FileStampsTest() override {
    std::remove(a.c_str());
    std::remove(b.c_str());
  }
  static void write(const std::string& path, const std::string& text) { std::ofstream{path} << text; }
  std::string a = testing::TempDir() + "/file_stamps_a";
  std::string b = testing::TempDir() + "/file_stamps_b";
};

TEST_F(FileStampsTest, TellsEachChangeOnce) {
  write(a, "one");
  FileStamps stamps{{a, "", b}};
  EXPECT_FALSE(stamps.changed());
  write(a, "longer");
  EXPECT_TRUE(stamps.changed());
  EXPECT_FALSE(stamps.changed());
  write(b, "it is there now");
  EXPECT_TRUE(stamps.changed());
  std::rename(b.c_str(), a.c_str());  // as certificates are replaced
  EXPECT_TRUE(stamps.changed());
  std::remove(a.c_str());
  EXPECT_TRUE(stamps.changed());
  EXPECT_FALSE(stamps.changed());
}

}  // namespace
}  // namespace tickbridge
