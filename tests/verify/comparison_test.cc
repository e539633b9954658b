#include "comparison.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "hash.h"

namespace tickbridge::verify {
namespace {

struct Record {
  std::int32_t partition;
  std::string key;
  std::string value;
};
using Records = std::vector<Record>;

std::vector<Stream> streams_of(const Records& records) {
  std::vector<Stream> streams;
  for (const auto& record : records) {
    auto at = std::find_if(streams.begin(), streams.end(),
                           [&](const Stream& s) { return s.partition == record.partition && s.key == record.key; });
    if (at == streams.end()) at = streams.insert(at, {record.partition, record.key, {}});
    at->hashes.push_back(content_hash(record.value));
  }
  return streams;
}

Verdict compare(const Records& expected, const Records& found) {
  const Expectation expectation(streams_of(expected));
  Comparison comparison(expectation);
  std::int64_t offset = 0;
  for (const auto& record : found) comparison.take(record.partition, record.key, record.value, offset++);
  return comparison.finish();
}

/// "lost duplicated out_of_order altered"
std::string counts(const Verdict& v) {
  return std::to_string(v.lost) + ' ' + std::to_string(v.duplicated) + ' ' + std::to_string(v.out_of_order) + ' ' +
         std::to_string(v.altered);
}

/// One stream, one record a letter.
Records letters(const std::string& text) {
  Records records;
  for (const char c : text) records.push_back({0, "K", std::string(1, c)});
  return records;
}

Records numbered(int count, int keys, int values = 1 << 30) {
  Records records;
  for (int i = 0; i < count; ++i) {
    const int key = i % keys;
    records.push_back({key % 3, "K" + std::to_string(key), "value " + std::to_string(i % values)});
  }
  return records;
}

std::string counts(const std::string& expected, const std::string& found) {
  return counts(compare(letters(expected), letters(found)));
}

TEST(Comparison, FindsNothingWrongWithEqualStreams) {
  const auto records = numbered(10000, 7);
  const auto verdict = compare(records, records);
  EXPECT_TRUE(verdict.clean());
  EXPECT_EQ(verdict.line(), "expected 10000 found 10000 lost 0 duplicated 0 out_of_order 0 altered 0");
}

TEST(Comparison, NamesSmallFaultsExactly) {
  EXPECT_EQ(counts("abcdef", "abdef"), "1 0 0 0");
  EXPECT_EQ(counts("abcdef", "cdef"), "2 0 0 0");
  EXPECT_EQ(counts("abcdef", "abcd"), "2 0 0 0");
  EXPECT_EQ(counts("abcdef", ""), "6 0 0 0");
  EXPECT_EQ(counts("abcdef", "abccdef"), "0 1 0 0");
  EXPECT_EQ(counts("abcdef", "abcdbcdef"), "0 3 0 0");
  EXPECT_EQ(counts("abcdef", "abcdefabcdef"), "0 6 0 0");
  EXPECT_EQ(counts("abcdef", "acbdef"), "0 0 1 0");
  EXPECT_EQ(counts("abcdef", "bcdefa"), "0 0 1 0");
  EXPECT_EQ(counts("abcdef", "abXdef"), "0 0 0 1");
  EXPECT_EQ(counts("abcdef", "abcdefX"), "0 0 0 1");
  EXPECT_EQ(counts("abcdef", "abXYdef"), "0 0 0 2");
}

TEST(Comparison, CountsEqualValuesByTheirNumber) {
  EXPECT_EQ(counts("aaaa", "aaa"), "1 0 0 0");
  EXPECT_EQ(counts("aaaa", "aaaaa"), "0 1 0 0");
  EXPECT_EQ(counts("abab", "abb"), "1 0 0 0");
  EXPECT_EQ(counts("aab", "aba"), "0 0 1 0");
}

TEST(Comparison, TellsAWrongKeyFromALoss) {
  auto expected = numbered(1000, 4);
  auto found = expected;
  found[500].key = "K3";
  EXPECT_EQ(counts(compare(expected, found)), "0 0 0 1");
  found = expected;
  found[500].partition = 9;
  const auto verdict = compare(expected, found);
  EXPECT_EQ(counts(verdict), "0 0 0 1");
  ASSERT_EQ(verdict.faults.size(), 1U);
  EXPECT_EQ(verdict.faults[0].offset, 500);
  EXPECT_EQ(verdict.faults[0].partition, 9);
  EXPECT_EQ(verdict.faults[0].what, "wrong key or partition; belongs to");
  found = expected;
  found.push_back({7, "K0", expected[0].value});
  EXPECT_EQ(counts(compare(expected, found)), "0 0 0 1");
}

TEST(Comparison, OneLostRecordIsNotThousandsOutOfOrder) {
  const auto expected = numbered(100000, 1);
  auto found = expected;
  found.erase(found.begin() + 10);
  EXPECT_EQ(counts(compare(expected, found)), "1 0 0 0");
}

TEST(Comparison, OneLostRecordAmongRepeatedValuesIsOne) {
  const auto expected = numbered(20000, 1, 100);  // each value 200 times, as a file served in a loop
  auto found = expected;
  found.erase(found.begin() + 10);
  EXPECT_EQ(counts(compare(expected, found)), "1 0 0 0");
  found = expected;
  found.insert(found.begin() + 5000, expected.begin() + 4900, expected.begin() + 5000);
  EXPECT_EQ(counts(compare(expected, found)), "0 100 0 0");
}

TEST(Comparison, FindsItsPlaceAgainBehindALongGap) {
  const auto expected = numbered(200000, 2);
  auto found = expected;
  found.erase(found.begin() + 1000, found.begin() + 61000);
  const auto verdict = compare(expected, found);
  EXPECT_EQ(counts(verdict), "60000 0 0 0");
  ASSERT_EQ(verdict.faults.size(), 2U);  // one stretch in each stream
  EXPECT_EQ(verdict.faults[0].count, 30000U);
}

TEST(Comparison, ALateRecordIsOutOfOrderHoweverLate) {
  const auto expected = numbered(50000, 1);
  auto found = expected;
  std::rotate(found.begin() + 100, found.begin() + 101, found.begin() + 40000);
  EXPECT_EQ(counts(compare(expected, found)), "0 0 1 0");
}

TEST(Comparison, ResentStretchIsDuplicated) {
  const auto expected = numbered(50000, 5);
  auto found = expected;
  found.insert(found.begin() + 30000, expected.begin() + 20000, expected.begin() + 30000);
  EXPECT_EQ(counts(compare(expected, found)), "0 10000 0 0");
}

TEST(Comparison, AllValuesEqualTakesNoTime) {
  const auto expected = numbered(100000, 1, 1);
  auto found = expected;
  found.resize(99990);
  EXPECT_EQ(counts(compare(expected, found)), "10 0 0 0");
  found = expected;
  found.insert(found.begin(), 20, found[0]);
  EXPECT_EQ(counts(compare(expected, found)), "0 20 0 0");
}

/// Faults far apart, made at random, are all found and nothing else.
TEST(Comparison, CountsManyFaultsOfAllKinds) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto expected = numbered(60000, 8);
  Records found;
  std::uint64_t lost = 0, duplicated = 0, altered = 0, swapped = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto what = i % 500 == 250 ? random() % 5 : 0;
    if (what == 1 && ++lost) continue;
    found.push_back(expected[i]);
    if (what == 2 && ++duplicated) found.push_back(expected[i]);
    if (what == 3 && ++altered) found.back().value += "!";
    if (what == 4 && ++swapped) std::swap(found.back(), found[found.size() - 9]);  // 8 keys: the same key's last
  }
  const auto verdict = compare(expected, found);
  EXPECT_EQ(verdict.lost, lost);
  EXPECT_EQ(verdict.duplicated, duplicated);
  EXPECT_EQ(verdict.altered, altered);
  EXPECT_EQ(verdict.out_of_order, swapped);
}

}  // namespace
}  // namespace tickbridge::verify
