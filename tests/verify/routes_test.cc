#include "routes.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "hash.h"

namespace tickbridge::verify {
namespace {

std::string message(char type, std::size_t length, unsigned instrument) {
  std::string bytes(length, '\0');
  bytes[0] = type;
  bytes[1] = static_cast<char>(instrument >> 8U);
  bytes[2] = static_cast<char>(instrument);
  return bytes;
}

std::string directory(unsigned instrument, const std::string& symbol) {
  std::string bytes = message('R', 39, instrument);
  bytes.replace(11, 8, (symbol + std::string(8, ' ')).substr(0, 8));
  bytes.replace(27, 2, "Z ");
  return bytes;
}

std::pair<std::string, int> route(Routes& routes, const std::string& bytes) {
  const auto found = routes.of(look_at_itch(bytes), bytes);
  return {std::string(found.key), found.partition};
}

TEST(Murmur2, AgreesWithKafkasOwnTest) {
  const std::pair<const char*, std::int32_t> known[] = {{"21", -973932308},
                                                        {"foobar", -790332482},
                                                        {"a-little-bit-long-string", -985981536},
                                                        {"a-little-bit-longer-string", -1486304829},
                                                        {"abc", 479470107}};
  for (const auto& [text, hash] : known) EXPECT_EQ(static_cast<std::int32_t>(murmur2(text)), hash) << text;
}

TEST(Routes, LearnsSymbolsFromDirectoryMessages) {
  Routes routes({}, 1000);
  EXPECT_EQ(route(routes, directory(7, "abc")).second, 479470107 % 1000);
  EXPECT_EQ(route(routes, message('D', 19, 7)).first, "abc");
  EXPECT_EQ(route(routes, directory(7, "foobar")).first, "foobar");
  EXPECT_EQ(route(routes, message('D', 19, 7)).first, "foobar");
  EXPECT_EQ(route(routes, message('S', 12, 0)), (std::pair<std::string, int>("", 0)));
}

TEST(Routes, AnInstrumentUsedBeforeItIsKnownKeepsItsNumber) {
  Routes routes({}, 12);
  EXPECT_EQ(route(routes, message('D', 19, 300)).first, "#300");
  EXPECT_EQ(route(routes, directory(300, "ABC")).first, "ABC");
  EXPECT_EQ(route(routes, message('D', 19, 300)).first, "#300");
}

TEST(Routes, ObeysTheRules) {
  Routes numbers({.key = KeyKind::kInstrument}, 12);
  EXPECT_EQ(route(numbers, directory(300, "ABC")).first, "300");
  Routes in_turn({.key = KeyKind::kNone, .partitioner = PartitionKind::kRoundRobin}, 2);
  for (const int partition : {0, 1, 0}) EXPECT_EQ(route(in_turn, message('D', 19, 1)).second, partition);
  Routes by_map({.partitioner = PartitionKind::kExplicit, .partitions = {{"ABC", 3}, {"*", 5}}}, 12);
  EXPECT_EQ(route(by_map, directory(1, "ABC")).second, 3);
  EXPECT_EQ(route(by_map, directory(2, "XYZ")).second, 5);
  EXPECT_EQ(route(by_map, message('S', 12, 0)).second, 5);
  Routes crc({.partitioner = PartitionKind::kCrc32}, 1000);
  EXPECT_EQ(route(crc, directory(1, "12345678")).second, 0x9ae0daaf % 1000);
}

TEST(Itch, TellsInvalidFromUnknown) {
  EXPECT_TRUE(look_at_itch("").invalid);
  EXPECT_TRUE(look_at_itch(message('D', 18, 1)).invalid);
  EXPECT_FALSE(look_at_itch(message('D', 19, 1)).invalid);
  EXPECT_TRUE(look_at_itch(message('z', 4, 1)).unknown);
  EXPECT_EQ(look_at_itch(message('z', 4, 1)).instrument, 0);
  EXPECT_EQ(look_at_itch(message('z', 11, 258)).instrument, 258);
  auto late = message('D', 19, 1);
  late[5] = '\x7f';
  EXPECT_TRUE(look_at_itch(late).invalid);
  EXPECT_TRUE(look_at_itch(message('H', 25, 1)).invalid);  // zeros for text
  EXPECT_TRUE(look_at_itch(message('C', 36, 1)).unknown);  // zero for a code
  EXPECT_FALSE(look_at_itch(message('C', 36, 1)).invalid);
}

}  // namespace
}  // namespace tickbridge::verify
