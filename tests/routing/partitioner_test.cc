#include "routing/partitioner.h"

#include <gmock/gmock.h>

namespace tickbridge::routing {
namespace {

Options options(PartitionerKind kind, std::map<std::string, std::int32_t> partitions = {}) {
  return {.key = Key::kSymbol, .partitioner = kind, .partitions = std::move(partitions)};
}

// What Java's client answers for these keys (its own Utils.murmur2, run; tests/routing/java/ asks it for many more).
TEST(Murmur2, AgreesWithKnownVectors) {
  EXPECT_EQ(murmur2("kafka"), 0xd067cf64U);
  EXPECT_EQ(murmur2("giberish123456789"), 0x8f552b0cU);
  EXPECT_EQ(murmur2("1234"), 0x9fc97b14U);
  EXPECT_EQ(murmur2("234"), 0xe7c009caU);
  EXPECT_EQ(murmur2("34"), 0x873930daU);
  EXPECT_EQ(murmur2("4"), 0x5a4b5ca1U);
  EXPECT_EQ(murmur2(""), 0x106e08d9U);
}

TEST(Crc32, AgreesWithTheStandardCheckValue) {
  EXPECT_EQ(crc32("123456789"), 0xcbf43926U);
  EXPECT_EQ(crc32(""), 0U);
}

TEST(Partitioner, Murmur2DropsTheSignBitBeforeTheModulo) {
  const Partitioner partitioner(options(PartitionerKind::kMurmur2), 12);
  EXPECT_EQ(partitioner.of_key("kafka"), static_cast<std::int32_t>((0xd067cf64U & 0x7fffffffU) % 12));
}

TEST(Partitioner, Crc32TakesTheModuloWithoutSign) {
  const Partitioner partitioner(options(PartitionerKind::kCrc32), 12);
  EXPECT_EQ(partitioner.of_key("123456789"), static_cast<std::int32_t>(0xcbf43926U % 12));
}

TEST(Partitioner, SendsMessagesWithoutKeyToPartitionZero) {
  for (const auto kind : {PartitionerKind::kMurmur2, PartitionerKind::kCrc32, PartitionerKind::kExplicit}) {
    Partitioner partitioner(options(kind), 12);
    EXPECT_EQ(partitioner.without_key(), 0);
    EXPECT_EQ(partitioner.without_key(), 0);
  }
}

TEST(Partitioner, RoundRobinTakesEachPartitionInTurn) {
  Partitioner partitioner(options(PartitionerKind::kRoundRobin), 3);
  for (const std::int32_t expected : {0, 1, 2, 0, 1}) EXPECT_EQ(partitioner.without_key(), expected);
  partitioner.restart();
  EXPECT_EQ(partitioner.without_key(), 0);
}

TEST(Partitioner, ExplicitMapDecidesAndStarTakesTheRest) {
  Partitioner partitioner(options(PartitionerKind::kExplicit, {{"AAPL", 3}, {"*", 1}}), 4);
  EXPECT_EQ(partitioner.of_key("AAPL"), 3);
  EXPECT_EQ(partitioner.of_key("MSFT"), 1);
  EXPECT_EQ(partitioner.without_key(), 1);
}

TEST(Partitioner, ExplicitMapWithoutStarSendsTheRestToPartitionZero) {
  Partitioner partitioner(options(PartitionerKind::kExplicit, {{"AAPL", 3}}), 4);
  EXPECT_EQ(partitioner.of_key("MSFT"), 0);
  EXPECT_EQ(partitioner.without_key(), 0);
}

TEST(Partitioner, NeverNamesAPartitionThatDoesNotExist) {
  Partitioner partitioner(options(PartitionerKind::kExplicit, {{"AAPL", 4}, {"MSFT", -1}, {"*", 9}}), 4);
  EXPECT_EQ(partitioner.of_key("AAPL"), 0);
  EXPECT_EQ(partitioner.of_key("MSFT"), 0);
  EXPECT_EQ(partitioner.without_key(), 0);
}

TEST(CheckPartitions, NamesTheKeyWhosePartitionTheTopicLacks) {
  const auto checked = check_partitions(options(PartitionerKind::kExplicit, {{"AAPL", 4}, {"*", 0}}), 4);
  ASSERT_TRUE(checked.has_error());
  EXPECT_EQ(checked.error().code, ExitCode::kConfig);
  EXPECT_THAT(checked.error().message, testing::HasSubstr("\"AAPL\" is to go to partition 4"));
}

TEST(CheckPartitions, IsContentWithAMapThatFits) {
  EXPECT_TRUE(check_partitions(options(PartitionerKind::kExplicit, {{"AAPL", 3}}), 4).has_value());
  EXPECT_TRUE(check_partitions(options(PartitionerKind::kMurmur2, {{"AAPL", 99}}), 4).has_value());
}

}  // namespace
}  // namespace tickbridge::routing
