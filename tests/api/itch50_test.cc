#include <gmock/gmock.h>
#include <tickbridge/itch50.h>

#include <random>
#include <string>
#include <type_traits>
#include <utility>

#include "codec/message_table.h"

namespace tickbridge::itch50 {
namespace {

using std::chrono::nanoseconds;

// Written out by hand from the specification.
std::string trade_of_aapl() {
  using namespace std::string_literals;
  return "P"s + "\x00\x0d"s + "\x00\x02"s + "\x1f\x1a\xce\xd9\xf0\x00"s +  // 34,200 s
         "\x00\x00\x00\x00\x00\x00\x00\x00"s + "B"s + "\x00\x00\x00\x64"s + "AAPL    "s + "\x00\x30\xea\x2c"s +
         "\x00\x00\x00\x00\x00\x00\x12\x34"s;
}

template <class Check, class... Types>
void for_each_type(TypeList<Types...>, Check check) {
  (check(std::type_identity<Types>{}), ...);
}

std::string blank(char type, std::size_t size) {
  std::string bytes(size, ' ');
  if (!bytes.empty()) bytes[0] = type;
  return bytes;
}

TEST(Itch50Views, ReadTheFieldsOfAMessage) {
  const std::string bytes = trade_of_aapl();
  const auto trade = Trade::from(bytes);
  ASSERT_TRUE(trade);
  EXPECT_EQ(trade->stock_locate(), 13);
  EXPECT_EQ(trade->tracking_number(), 2);
  EXPECT_EQ(trade->timestamp(), std::chrono::seconds(34'200));
  EXPECT_EQ(trade->buy_sell_indicator(), 'B');
  EXPECT_EQ(trade->shares(), 100U);
  EXPECT_EQ(trade->stock(), "AAPL");
  EXPECT_EQ(trade->price().text(), "320.5676");
  EXPECT_EQ(trade->match_number(), 0x1234U);
  EXPECT_EQ(trade->bytes(), bytes);
}

TEST(Itch50Views, RefuseEveryOtherLength) {
  for_each_type(Messages{}, []<class Type>(std::type_identity<Type>) {
    for (std::size_t size = 0; size < 100; ++size) {
      EXPECT_EQ(Type::from(blank(Type::kType, size)).has_value(), size == Type::kSize) << Type::kType << ' ' << size;
    }
  });
}

TEST(Itch50Views, RefuseEveryOtherType) {
  for_each_type(Messages{}, []<class Type>(std::type_identity<Type>) {
    for (int type = 0; type < 256; ++type) {
      const char first = static_cast<char>(type);
      EXPECT_EQ(Type::from(blank(first, Type::kSize)).has_value(), first == Type::kType);
    }
  });
}

TEST(Itch50Views, HaveTheTypesAndLengthsOfTheMessageTable) {
  std::map<char, std::size_t> views;
  for_each_type(Messages{}, [&]<class Type>(std::type_identity<Type>) { views[Type::kType] = Type::kSize; });
  std::map<char, std::size_t> table;
  for (const codec::MessageType& row : codec::itch50_types()) table[row.type] = row.length;
  EXPECT_EQ(views, table);
}

TEST(Itch50Visit, CallsTheVisitorWithTheMessageOfItsType) {
  for_each_type(Messages{}, []<class Type>(std::type_identity<Type>) {
    char called_with = 0;
    const auto note = [&]<class Seen>(const Seen&) { called_with = Seen::kType; };
    EXPECT_EQ(visit(blank(Type::kType, Type::kSize), note), Visited::kTaken);
    EXPECT_EQ(called_with, Type::kType);
  });
}

TEST(Itch50Visit, PassesOverTypesThatTheVisitorDoesNotTake) {
  const auto fails = [](const OrderDelete&) { FAIL(); };
  EXPECT_EQ(visit(trade_of_aapl(), fails), Visited::kPassedOver);
}

TEST(Itch50Visit, TellsUnknownTypesFromWrongLengths) {
  const auto fails = [](const auto&) { FAIL(); };
  EXPECT_EQ(visit("", fails), Visited::kUnknownType);
  EXPECT_EQ(visit(nullptr, 0, fails), Visited::kUnknownType);
  EXPECT_EQ(visit("z234567890123", fails), Visited::kUnknownType);
  EXPECT_EQ(visit(trade_of_aapl() + ' ', fails), Visited::kWrongLength);
  EXPECT_EQ(visit("P", fails), Visited::kWrongLength);
}

TEST(Itch50Visit, TakesAnyBytes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes(random() % 60, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    (void)visit(bytes, [&](const auto& message) { EXPECT_EQ(message.bytes(), bytes); });
  }
}

TEST(Itch50Price, ShowsAllItsDecimals) {
  EXPECT_EQ(Price(0).text(), "0.0000");
  EXPECT_EQ(Price(7).text(), "0.0007");
  EXPECT_EQ(Price(1'706'300).text(), "170.6300");
  EXPECT_EQ(Price(0xffffffff).text(), "429496.7295");
  EXPECT_EQ(LevelPrice(312'345'678'901).text(), "3123.45678901");
  EXPECT_EQ(Price(1'706'300).whole(), 170U);
  EXPECT_EQ(Price(1'706'300).fraction(), 6'300U);
}

TEST(Itch50Price, ComparesExactly) {
  EXPECT_LT(Price(1), Price(2));
  EXPECT_EQ(Price(2), Price(2));
  EXPECT_NE(Price(1), Price(2));
}

TEST(Itch50Text, LosesItsPaddingOnly) {
  std::string bytes = blank('Y', RegShoRestriction::kSize);
  EXPECT_EQ(RegShoRestriction::from(bytes)->stock(), "");
  bytes.replace(11, 8, " A B    ");
  EXPECT_EQ(RegShoRestriction::from(bytes)->stock(), " A B");
  bytes.replace(11, 8, "ABCDEFGH");
  EXPECT_EQ(RegShoRestriction::from(bytes)->stock(), "ABCDEFGH");
}

}  // namespace
}  // namespace tickbridge::itch50
