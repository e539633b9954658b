// Every message of the real files is valid, and no code in it is unknown.
#include <gtest/gtest.h>

#include <algorithm>

#include "codec/protocol.h"
#include "codec/real_data.h"

namespace tickbridge::codec {
namespace {

struct File {
  const char* name;
  const char* protocol;
  std::size_t messages;
};

class RealItch : public ::testing::TestWithParam<File> {};

TEST_P(RealItch, IsValidWithoutUnknownTypesOrCodes) {
  TICKBRIDGE_NEEDS_REAL_DATA();
  const auto messages = tests::read_messages(tests::real_data() / GetParam().name);
  EXPECT_EQ(messages.size(), GetParam().messages);
  const Protocol* const protocol = Protocol::find(GetParam().protocol);
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Checked checked = protocol->check(as_bytes(messages[i]));
    ASSERT_EQ(checked.verdict, Verdict::kValid) << "message " << i << " of type " << messages[i][0];
    if (std::string_view{GetParam().name}.find("-types") != std::string_view::npos) continue;  // a selection
    ASSERT_GE(checked.time_ns, last) << "message " << i << ": times of a day rise";
    last = checked.time_ns;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, RealItch,
                         ::testing::Values(File{"nasdaq-20200130-start-of-day.itch", "itch50", 35'536},
                                           File{"nasdaq-20200130-aapl.itch", "itch50", 10'001},
                                           File{"nasdaq-20230822-open.itch", "itch50", 269},
                                           File{"nasdaq-20230822-types.itch", "itch50", 117},
                                           File{"bx-20230822-types.itch", "itch50-bx", 59},
                                           File{"psx-20230822-types.itch", "itch50-psx", 51}),
                         [](const auto& test) {
                           std::string name = test.param.name;
                           std::replace_if(name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

TEST(RealItchFiles, AreAllCoveredHere) {
  TICKBRIDGE_NEEDS_REAL_DATA();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{tests::real_data()}) {
    if (entry.path().extension() == ".itch") ++files;
  }
  EXPECT_EQ(files, 6U);
}

}  // namespace
}  // namespace tickbridge::codec
