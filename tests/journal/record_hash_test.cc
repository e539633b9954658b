#include "journal/record_hash.h"

#include <gtest/gtest.h>

namespace tickbridge::journal {
namespace {

TEST(RecordHash, TellsKeysAndValuesApart) {
  EXPECT_EQ(record_hash("AAPL", as_bytes("x")), record_hash("AAPL", as_bytes("x")));
  EXPECT_NE(record_hash("AAPL", as_bytes("x")), record_hash("AAPL", as_bytes("y")));
  EXPECT_NE(record_hash("AAPL", as_bytes("x")), record_hash("MSFT", as_bytes("x")));
}

TEST(RecordHash, SeesAByteThatMovesFromTheKeyToTheValue) {
  EXPECT_NE(record_hash("AB", as_bytes("C")), record_hash("A", as_bytes("BC")));
  EXPECT_NE(record_hash("ABC", as_bytes("")), record_hash("", as_bytes("ABC")));
}

TEST(RecordHash, IsTheSameInEveryBuild) {  // it lies in checkpoints: XXH3 of the value, seeded with XXH3 of the key
  EXPECT_EQ(record_hash("", as_bytes("")), 0x2D06800538D394C2U);
  EXPECT_EQ(record_hash({}, as_bytes("tick")), record_hash("", as_bytes("tick")));
}

}  // namespace
}  // namespace tickbridge::journal
