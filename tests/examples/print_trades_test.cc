#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "trades.h"

namespace {

using testing::Eq;
using testing::Optional;

/// Builds messages field by field, at 09:30:00.000000001.
class Bytes {
 public:
  explicit Bytes(char type) : bytes_(1, type) { number<2>(13).number<2>(0).number<6>(34'200'000'000'001); }
  template <int Size>
  Bytes& number(std::uint64_t value) {
    for (int i = Size; i-- > 0;) bytes_ += static_cast<char>(value >> (8 * i));
    return *this;
  }
  Bytes& text(std::string_view value) {
    bytes_ += value;
    return *this;
  }
  operator std::string() const { return bytes_; }

 private:
  std::string bytes_;
};

std::string add(std::uint64_t reference, std::uint32_t shares, std::uint32_t price) {
  return Bytes('A').number<8>(reference).text("B").number<4>(shares).text("AAPL    ").number<4>(price);
}
std::string executed(std::uint64_t reference, std::uint32_t shares) {
  return Bytes('E').number<8>(reference).number<4>(shares).number<8>(17);
}
std::string executed_at(std::uint64_t reference, char printable, std::uint32_t price) {
  return Bytes('C').number<8>(reference).number<4>(100).number<8>(17).text({&printable, 1}).number<4>(price);
}

class PrintTrades : public testing::Test {
 protected:
  auto line(const std::string& value) { return trades_.line("AAPL", value); }
  void quiet(const std::string& value) { EXPECT_EQ(line(value), std::nullopt); }
  Trades trades_;
};

TEST_F(PrintTrades, ShowsATrade) {
  const std::string trade =
      Bytes('P').number<8>(0).text("B").number<4>(100).text("MSFT    ").number<4>(3'205'676).number<8>(5);
  EXPECT_THAT(line(trade), Optional(Eq("09:30:00.000000001 MSFT           100 @    320.5676 trade #5")));
}

TEST_F(PrintTrades, ShowsACrossButNotAnEmptyOne) {
  const auto cross = [](std::uint64_t shares) -> std::string {
    return Bytes('Q').number<8>(shares).text("AAPL    ").number<4>(3'200'000).number<8>(6).text("O");
  };
  EXPECT_THAT(line(cross(123'456)), Optional(Eq("09:30:00.000000001 AAPL        123456 @    320.0000 cross #6")));
  quiet(cross(0));
}

TEST_F(PrintTrades, ShowsAnExecutionWithItsOrdersPrice) {
  quiet(add(1, 300, 3'205'676));
  EXPECT_THAT(line(executed(1, 100)),
              Optional(Eq("09:30:00.000000001 AAPL           100 @    320.5676 execution #17")));
}

TEST_F(PrintTrades, ShowsAnExecutionOfAnOrderThatItHasNotSeen) {
  EXPECT_THAT(line(executed(9, 100)), Optional(testing::HasSubstr("100 @           ? execution")));
}

TEST_F(PrintTrades, FollowsAnOrderThatWasReplaced) {
  quiet(add(1, 300, 10'000));
  quiet(Bytes('U').number<8>(1).number<8>(2).number<4>(300).number<4>(20'000));
  EXPECT_THAT(line(executed(2, 1)), Optional(testing::HasSubstr("2.0000 execution")));
  EXPECT_THAT(line(executed(1, 1)), Optional(testing::HasSubstr("? execution")));
}

TEST_F(PrintTrades, ForgetsAnOrderThatHasLeftTheBook) {
  quiet(add(1, 300, 10'000));
  quiet(Bytes('X').number<8>(1).number<4>(100));
  EXPECT_THAT(line(executed(1, 100)), Optional(testing::HasSubstr("1.0000")));
  EXPECT_THAT(line(executed(1, 100)), Optional(testing::HasSubstr("1.0000")));
  EXPECT_THAT(line(executed(1, 100)), Optional(testing::HasSubstr("?")));
  quiet(add(2, 300, 10'000));
  quiet(Bytes('D').number<8>(2));
  EXPECT_THAT(line(executed(2, 100)), Optional(testing::HasSubstr("?")));
}

TEST_F(PrintTrades, TellsExecutionsInACross) {
  EXPECT_THAT(line(executed_at(1, 'Y', 10'000)), Optional(testing::HasSubstr("1.0000 execution #17")));
  EXPECT_THAT(line(executed_at(1, 'N', 10'000)), Optional(testing::HasSubstr("1.0000 execution in a cross #17")));
}

TEST_F(PrintTrades, PassesOverWhatIsNoMessage) {
  quiet("");
  quiet("E");
  quiet("zzzzzzzzzzzzzz");
  quiet(executed(1, 1) + ' ');
}

std::vector<std::string> messages_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> messages;
  for (std::size_t at = 0; at + 2 <= bytes.size();) {
    const auto length = static_cast<unsigned char>(bytes[at]) * 256U + static_cast<unsigned char>(bytes[at + 1]);
    messages.push_back(bytes.substr(at + 2, length));
    at += 2 + length;
  }
  return messages;
}

TEST_F(PrintTrades, KnowsThePriceOfEveryExecutionOfARealDay) {
  const std::filesystem::path data = TICKBRIDGE_SOURCE_DIR "/../shared/data";
  if (!std::filesystem::exists(data)) GTEST_SKIP() << "skipped: no real data";
  int executions = 0;
  for (const std::string& message : messages_of(data / "nasdaq-20200130-aapl.itch")) {
    const auto shown = line(message);
    if (!shown || message[0] != 'E') continue;
    ++executions;
    EXPECT_THAT(*shown, testing::Not(testing::HasSubstr("?")));
  }
  EXPECT_GT(executions, 0);
}

}  // namespace
