#include "exchange/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace tickbridge::exchange {
namespace {

/// Lengths of the 23 types, from the specification, apart from the generator's own.
const std::map<char, std::size_t> kLengths = {{'S', 12}, {'R', 39}, {'H', 25}, {'Y', 20}, {'L', 26}, {'V', 35},
                                              {'W', 12}, {'K', 28}, {'J', 35}, {'h', 21}, {'A', 36}, {'F', 40},
                                              {'E', 31}, {'C', 36}, {'X', 23}, {'D', 19}, {'U', 35}, {'P', 44},
                                              {'Q', 40}, {'B', 19}, {'I', 50}, {'N', 20}, {'O', 48}};

std::vector<std::byte> session(const GeneratorOptions& options) {
  Generator generator{options};
  std::vector<std::byte> all;
  std::vector<std::byte> piece(10'000);
  while (const std::size_t size = generator.fill(piece)) {
    all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(size));
  }
  return all;
}

std::vector<Bytes> split(Bytes records) {
  std::vector<Bytes> messages;
  while (!records.empty()) {
    const std::size_t size = load_be<std::uint16_t>(records, 0);
    messages.push_back(records.subspan(2, size));
    records = records.subspan(2 + size);
  }
  return messages;
}

char type_of(Bytes message) { return static_cast<char>(message[0]); }
std::uint64_t time_of(Bytes message) { return load_be48(message, 5); }

std::map<char, std::uint64_t> count_types(const std::vector<Bytes>& messages) {
  std::map<char, std::uint64_t> counts;
  for (const Bytes message : messages) ++counts[type_of(message)];
  return counts;
}

std::uint64_t fnv1a(Bytes bytes) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const std::byte byte : bytes) hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001B3U;
  return hash;
}

/// A day's orders, followed as a consumer of the feed would.
class Replay {
 public:
  void apply(Bytes message) {
    switch (type_of(message)) {
      case 'A':
      case 'F':
        return add(message, load_be<std::uint64_t>(message, 11), load_be<std::uint32_t>(message, 20));
      case 'E':
      case 'C':
      case 'X':
        return reduce(message, load_be<std::uint32_t>(message, 19));
      case 'D':
        return remove(message);
      case 'U':
        remove(message);
        return add(message, load_be<std::uint64_t>(message, 19), load_be<std::uint32_t>(message, 27));
      default:
        return;
    }
  }
  std::uint64_t wrong = 0;

 private:
  struct Open {
    std::uint16_t locate;
    std::uint32_t shares;
  };
  static std::uint16_t locate_of(Bytes message) { return load_be<std::uint16_t>(message, 1); }
  void add(Bytes message, std::uint64_t reference, std::uint32_t shares) {
    if (reference <= last_ || shares == 0) ++wrong;
    last_ = reference;
    open_[reference] = {locate_of(message), shares};
    const auto [found, first] = remainder_.try_emplace(locate_of(message), reference % 4);
    if (!first && found->second != reference % 4) ++wrong;
  }
  void reduce(Bytes message, std::uint32_t shares) {
    const auto found = open_.find(load_be<std::uint64_t>(message, 11));
    if (found == open_.end() || found->second.locate != locate_of(message) || shares == 0 ||
        shares > found->second.shares) {
      ++wrong;
      return;
    }
    found->second.shares -= shares;
    if (found->second.shares == 0) open_.erase(found);
  }
  void remove(Bytes message) {
    const auto found = open_.find(load_be<std::uint64_t>(message, 11));
    if (found == open_.end() || found->second.locate != locate_of(message)) ++wrong;
    if (found != open_.end()) open_.erase(found);
  }
  std::unordered_map<std::uint64_t, Open> open_;
  std::unordered_map<std::uint16_t, std::uint64_t> remainder_;
  std::uint64_t last_ = 0;
};

TEST(Generator, GivesTheSameBytesForTheSameSeedOnEveryMachine) {
  EXPECT_EQ(fnv1a(session({.messages = 20'000, .seed = 7, .symbols = 100})), 4390106319624104106U);
  EXPECT_NE(session({.messages = 2'000, .seed = 7}), session({.messages = 2'000, .seed = 8}));
}

TEST(Generator, GivesExactlyTheMessagesAskedFor) {
  for (const std::uint64_t messages : {1U, 2U, 10U, 63U, 64U, 65U, 100U, 1'000U, 12'345U}) {
    EXPECT_EQ(split(session({.messages = messages})).size(), messages);
  }
}

TEST(Generator, HasEachOfThe23TypesInItsLengthEvenInASmallSession) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    for (const std::uint64_t messages : {64U, 200U, 5'000U}) {
      const auto records = session({.messages = messages, .seed = seed});
      std::set<char> seen;
      for (const Bytes message : split(records)) {
        ASSERT_TRUE(kLengths.contains(type_of(message))) << type_of(message);
        ASSERT_EQ(message.size(), kLengths.at(type_of(message)));
        seen.insert(type_of(message));
      }
      EXPECT_EQ(seen.size(), kLengths.size()) << "seed " << seed << " messages " << messages;
    }
  }
}

TEST(Generator, LeavesNoOrderReferenceDangling) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Replay replay;
    const auto records = session({.messages = 100'000, .seed = seed, .symbols = 300});
    for (const Bytes message : split(records)) replay.apply(message);
    EXPECT_EQ(replay.wrong, 0U) << "seed " << seed;
  }
}

TEST(Generator, KeepsTheMixOfARealDay) {
  const auto records = session({.messages = 1'000'000, .seed = 3, .symbols = 1'000});
  auto counts = count_types(split(records));
  const std::map<char, double> shares = {{'A', 47}, {'D', 44}, {'E', 3.7}, {'U', 3.6}, {'P', 0.9}, {'X', 0.5}};
  double trading = 0;
  for (const auto& [type, share] : shares) trading += static_cast<double>(counts[type]);
  for (const auto& [type, share] : shares) {
    EXPECT_NEAR(100 * static_cast<double>(counts[type]) / trading, share, 0.05 * share + 0.1) << type;
  }
}

TEST(Generator, ListsEveryInstrumentOnceBeforeItsFirstOrder) {
  const auto records = session({.messages = 50'000, .symbols = 500});
  std::map<std::uint16_t, std::string> names;
  std::set<std::string> unique;
  for (const Bytes message : split(records)) {
    const auto locate = load_be<std::uint16_t>(message, 1);
    if (type_of(message) == 'R') {
      EXPECT_TRUE(names.emplace(locate, as_text(message.subspan(11, 8))).second);
      EXPECT_TRUE(unique.emplace(as_text(message.subspan(11, 8))).second);
    } else if (type_of(message) == 'A') {
      ASSERT_EQ(names[locate], as_text(message.subspan(24, 8)));
    }
  }
  EXPECT_EQ(names.size(), 500U);
}

TEST(Generator, SpendsAtMostAQuarterOnTheDirectory) {
  const auto records = session({.messages = 1'600, .symbols = 8'000});
  const auto counts = count_types(split(records));
  EXPECT_EQ(counts.at('R'), 100U);
}

TEST(Generator, NeverGoesBackInTimeAndStaysWithinTheDay) {
  const auto records = session({.messages = 100'000});
  std::uint64_t last = 0;
  for (const Bytes message : split(records)) {
    EXPECT_GE(time_of(message), last);
    last = time_of(message);
  }
  EXPECT_LT(last, 86'400 * kNanosecondsPerSecond);
}

TEST(Generator, OpensWithABurst) {
  const auto records = session({.messages = 100'000});
  std::uint64_t burst = 0;
  std::uint64_t dense = 0;
  for (const Bytes message : split(records)) {
    const std::uint64_t time = time_of(message);
    if (type_of(message) == 'S' || time < kOpeningBell || time > kOpeningBell + kBurstNanoseconds) continue;
    ++burst;
    if (time >= kOpeningBell + 700'000 && time < kOpeningBell + 1'700'000) ++dense;
  }
  EXPECT_NEAR(static_cast<double>(burst), 1'000, 5);
  EXPECT_NEAR(static_cast<double>(dense), 480, 5);
}

TEST(Generator, HoldsTheSystemEventsInTheirOrder) {
  const auto records = session({.messages = 1'000});
  std::string events;
  for (const Bytes message : split(records)) {
    if (type_of(message) == 'S') events.push_back(static_cast<char>(message[11]));
  }
  EXPECT_EQ(events, "OSQMEC");
}

TEST(Generator, GivesFewInstrumentsMostOfTheOrders) {
  const auto records = session({.messages = 200'000, .symbols = 1'000});
  std::map<std::uint16_t, std::uint64_t> orders;
  std::uint64_t all = 0;
  for (const Bytes message : split(records)) {
    if (type_of(message) != 'A') continue;
    ++orders[load_be<std::uint16_t>(message, 1)];
    ++all;
  }
  std::vector<std::uint64_t> sorted;
  for (const auto& [locate, count] : orders) sorted.push_back(count);
  std::ranges::sort(sorted, std::greater<>{});
  EXPECT_NEAR(static_cast<double>(sorted[0]) / static_cast<double>(all), 1 / 7.485, 0.01);  // 1 / H(1000)
  EXPECT_NEAR(static_cast<double>(sorted[1]) / static_cast<double>(sorted[0]), 0.5, 0.06);
}

}  // namespace
}  // namespace tickbridge::exchange
