#include "routing/directory.h"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

namespace tickbridge::routing {
namespace {

constexpr std::int32_t kPartitions = 12;

Options keyed_by(Key key, PartitionerKind partitioner = PartitionerKind::kMurmur2) {
  return {.key = key, .partitioner = partitioner, .partitions = {}};
}

std::int32_t partition_of(std::string_view key) { return Partitioner(keyed_by(Key::kSymbol), kPartitions).of_key(key); }

testing::Matcher<const Route&> IsKeyed(std::string_view key) {
  return testing::AllOf(testing::Field("key", &Route::key, key),
                        testing::Field("partition", &Route::partition, partition_of(key)));
}

testing::Matcher<const Route&> HasNoKey(std::int32_t partition = 0) {
  return testing::AllOf(testing::Field("key", &Route::key, ""),
                        testing::Field("partition", &Route::partition, partition));
}

class SymbolDirectory : public testing::Test {
 protected:
  Directory directory_{keyed_by(Key::kSymbol), kPartitions};
};

TEST_F(SymbolDirectory, KeysAnInstrumentByItsSymbolWithoutTrailingSpaces) {
  EXPECT_THAT(directory_.learn(13, "AAPL    "), IsKeyed("AAPL"));
  EXPECT_THAT(directory_.route(13), IsKeyed("AAPL"));
  EXPECT_THAT(directory_.route(13), IsKeyed("AAPL"));
}

TEST_F(SymbolDirectory, KeepsSpacesThatAreNotTrailing) { EXPECT_THAT(directory_.learn(1, " A B "), IsKeyed(" A B")); }

TEST_F(SymbolDirectory, TheLastSymbolWins) {
  EXPECT_THAT(directory_.learn(13, "OLD"), IsKeyed("OLD"));
  EXPECT_THAT(directory_.route(13), IsKeyed("OLD"));
  EXPECT_THAT(directory_.learn(13, "NEW"), IsKeyed("NEW"));
  EXPECT_THAT(directory_.route(13), IsKeyed("NEW"));
}

TEST_F(SymbolDirectory, AnInstrumentUsedBeforeItIsKnownKeepsItsNumber) {
  EXPECT_THAT(directory_.route(7), IsKeyed("#7"));
  EXPECT_THAT(directory_.learn(7, "AAPL"), IsKeyed("AAPL"));
  EXPECT_THAT(directory_.route(7), IsKeyed("#7"));
  EXPECT_THAT(directory_.learn(7, "MSFT"), IsKeyed("MSFT"));
  EXPECT_THAT(directory_.route(7), IsKeyed("#7"));
}

TEST_F(SymbolDirectory, ANewSessionForgetsSymbolsAndNumbersThatStuck) {
  EXPECT_THAT(directory_.route(7), IsKeyed("#7"));
  EXPECT_THAT(directory_.learn(8, "MSFT"), IsKeyed("MSFT"));
  directory_.new_session();
  EXPECT_THAT(directory_.route(8), IsKeyed("#8"));
  EXPECT_THAT(directory_.learn(7, "AAPL"), IsKeyed("AAPL"));
  EXPECT_THAT(directory_.route(7), IsKeyed("AAPL"));
}

TEST_F(SymbolDirectory, ABlankSymbolIsTakenAsTheNumber) {
  EXPECT_THAT(directory_.learn(9, "        "), IsKeyed("#9"));
  EXPECT_THAT(directory_.route(9), IsKeyed("#9"));
  EXPECT_THAT(directory_.learn(10, "A"), IsKeyed("A"));
  EXPECT_THAT(directory_.learn(10, ""), IsKeyed("#10"));
  EXPECT_THAT(directory_.route(10), IsKeyed("#10"));
}

TEST_F(SymbolDirectory, AMessageThatConcernsNoInstrumentHasNoKey) { EXPECT_THAT(directory_.route(0), HasNoKey()); }

TEST_F(SymbolDirectory, ADirectoryMessageOfNoInstrumentIsKeyedButTeachesNothing) {
  EXPECT_THAT(directory_.learn(0, "AAPL    "), IsKeyed("AAPL"));
  EXPECT_THAT(directory_.route(0), HasNoKey());
  EXPECT_THAT(directory_.learn(0, "        "), HasNoKey());
}

TEST_F(SymbolDirectory, TwoInstrumentsOfOneSymbolShareItsKey) {
  const Route first = directory_.learn(1, "AAPL");
  const Route second = directory_.learn(2, "AAPL  ");
  EXPECT_EQ(first.key.data(), second.key.data());
}

TEST_F(SymbolDirectory, KeysStayValidWhateverComesLater) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<std::pair<Route, std::string>> handed_out;
  for (int i = 0; i < 100'000; ++i) {
    const auto instrument = static_cast<std::uint16_t>(random() % 65535 + 1);
    const std::string symbol(random() % 40 + 1, static_cast<char>('A' + random() % 26));
    handed_out.emplace_back(directory_.learn(instrument, symbol), symbol);
    if (i % 10'000 == 0) directory_.new_session();
    const Route number = directory_.route(instrument);
    handed_out.emplace_back(number, std::string(number.key));
  }
  for (const auto& [route, key] : handed_out) ASSERT_EQ(route.key, key);
}

TEST(Directory, KeepsAKeyLargerThanAChunk) {
  Directory directory(keyed_by(Key::kSymbol), kPartitions);
  const std::string large(200'000, 'x');
  EXPECT_EQ(directory.learn(1, large).key, large);
  EXPECT_EQ(directory.learn(2, "AAPL").key, "AAPL");
  EXPECT_EQ(directory.route(1).key, large);
}

TEST(Directory, HoldsAllInstrumentsThatSixteenBitsCanName) {
  Directory directory(keyed_by(Key::kSymbol), kPartitions);
  for (unsigned i = 1; i <= 65535; ++i) {
    ASSERT_EQ(directory.route(static_cast<std::uint16_t>(i)).key, "#" + std::to_string(i));
  }
  EXPECT_EQ(directory.route(65535).key, "#65535");
}

std::string symbol_of(unsigned i) {
  std::string symbol(8, 'A');
  for (char& c : symbol) c = static_cast<char>('A' + i % 26), i /= 26;
  return symbol;
}

TEST_F(SymbolDirectory, RemembersABoundedNumberOfEverNewSymbols) {
  EXPECT_THAT(directory_.learn(13, "AAPL"), IsKeyed("AAPL"));
  EXPECT_THAT(directory_.route(7), IsKeyed("#7"));
  for (unsigned i = 0; i < 300'000; ++i) {
    if (i % 1000 == 0) directory_.forget_unused_keys();
    ASSERT_EQ(directory_.learn(static_cast<std::uint16_t>(100 + i % 3), symbol_of(i)).key, symbol_of(i));
    ASSERT_LE(directory_.key_count(), 2U * 65536 + 1000);
  }
  EXPECT_THAT(directory_.route(13), IsKeyed("AAPL"));
  EXPECT_THAT(directory_.route(7), IsKeyed("#7"));
  EXPECT_THAT(directory_.route(100 + 299'999 % 3), IsKeyed(symbol_of(299'999)));
}

TEST_F(SymbolDirectory, KeepsTheKeysOfAllInstrumentsThereCanBe) {
  for (unsigned i = 1; i < 65536; ++i) (void)directory_.learn(static_cast<std::uint16_t>(i), symbol_of(i));
  for (unsigned i = 0; i < 200'000; ++i) {
    if (i % 1000 == 0) directory_.forget_unused_keys();
    (void)directory_.learn(0, symbol_of(1'000'000 + i));  // teaches nothing, but is keyed
  }
  for (unsigned i = 1; i < 65536; ++i) ASSERT_EQ(directory_.route(static_cast<std::uint16_t>(i)).key, symbol_of(i));
}

TEST(Directory, KeyedByInstrumentUsesTheDecimalNumberAndLearnsNothing) {
  Directory directory(keyed_by(Key::kInstrument), kPartitions);
  EXPECT_THAT(directory.route(42), IsKeyed("42"));
  EXPECT_THAT(directory.learn(42, "AAPL"), IsKeyed("42"));
  EXPECT_THAT(directory.learn(43, "MSFT"), IsKeyed("43"));
  EXPECT_THAT(directory.route(43), IsKeyed("43"));
  EXPECT_THAT(directory.route(0), HasNoKey());
  EXPECT_THAT(directory.learn(0, "AAPL"), HasNoKey());
}

TEST(Directory, WithoutKeysGoesToPartitionZero) {
  Directory directory(keyed_by(Key::kNone), kPartitions);
  EXPECT_THAT(directory.learn(42, "AAPL"), HasNoKey());
  EXPECT_THAT(directory.route(42), HasNoKey());
}

TEST(Directory, WithoutKeysAndRoundRobinTakesThePartitionsInTurnDirectoryMessagesIncluded) {
  Directory directory(keyed_by(Key::kNone, PartitionerKind::kRoundRobin), 3);
  EXPECT_THAT(directory.route(42), HasNoKey(0));
  EXPECT_THAT(directory.learn(42, "AAPL"), HasNoKey(1));
  EXPECT_THAT(directory.route(0), HasNoKey(2));
  EXPECT_THAT(directory.route(42), HasNoKey(0));
  directory.new_session();
  EXPECT_THAT(directory.route(42), HasNoKey(0));
}

TEST(Directory, ExplicitMapAppliesToSymbolsAndToTheRest) {
  Directory directory({.key = Key::kSymbol,
                       .partitioner = PartitionerKind::kExplicit,
                       .partitions = {{"AAPL", 3}, {"#5", 2}, {"*", 1}}},
                      4);
  EXPECT_EQ(directory.learn(13, "AAPL  ").partition, 3);
  EXPECT_EQ(directory.route(13).partition, 3);
  EXPECT_EQ(directory.route(5).partition, 2);
  EXPECT_THAT(directory.route(0), HasNoKey(1));
}

}  // namespace
}  // namespace tickbridge::routing
