#include "codec/payload.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "codec/pcap.h"
#include "codec/real_data.h"
#include "pipeline/wire.h"
#include "support/seed.h"

namespace tickbridge::codec {
namespace {

namespace wire = tests::wire;

std::vector<std::string> read_all(std::string_view block) {
  std::vector<std::string> messages;
  BlockReader reader{as_bytes(block)};
  Bytes message;
  while (reader.next(message)) messages.emplace_back(as_text(message));
  return messages;
}

TEST(Block, GivesItsMessagesInOrder) {
  const std::string block = wire::block("one") + wire::block("") + wire::block(std::string(65535, 'x'));
  EXPECT_EQ(read_all(block), (std::vector<std::string>{"one", "", std::string(65535, 'x')}));
  EXPECT_TRUE(splits(as_bytes(block)));
}

TEST(Block, IsEmptyWithoutMessages) {
  EXPECT_TRUE(read_all("").empty());
  EXPECT_TRUE(splits({}));
}

TEST(Block, DoesNotSplitWhenItIsCutAnywhereInAMessage) {
  const std::string block = wire::block("one") + wire::block("three");
  for (std::size_t size = 0; size <= block.size(); ++size) {
    const bool boundary = size == 0 || size == 5 || size == block.size();
    EXPECT_EQ(splits(as_bytes(block).first(size)), boundary) << size;
  }
}

TEST(Block, LeavesWhatPassesTheEnd) {
  const std::string block = wire::block("one") + std::string{"\0\5four", 6};
  BlockReader reader{as_bytes(block)};
  Bytes message;
  EXPECT_TRUE(reader.next(message));
  EXPECT_FALSE(reader.next(message));
  EXPECT_EQ(reader.rest().size(), 6U);
}

TEST(Mold, ReadsItsHeader) {
  const std::string payload = wire::mold("000010059B", 14'757'701, 2, wire::block("a") + wire::block("bc"));
  const auto header = parse_mold_header(as_bytes(payload));
  ASSERT_TRUE(header);
  EXPECT_EQ(std::string_view(header->session.data(), header->session.size()), "000010059B");
  EXPECT_EQ(header->sequence, 14'757'701U);
  EXPECT_EQ(header->count, 2);
  EXPECT_TRUE(splits_mold(as_bytes(payload)));
}

TEST(Mold, NeedsAWholeHeader) {
  const std::string payload = wire::mold("S", 1, 0, "");
  for (std::size_t size = 0; size < MoldHeader::kSize; ++size) {
    EXPECT_FALSE(parse_mold_header(as_bytes(payload).first(size)));
    EXPECT_FALSE(splits_mold(as_bytes(payload).first(size)));
  }
}

TEST(Mold, SplitsOnlyWithAsManyMessagesAsItSays) {
  const std::string two = wire::block("a") + wire::block("b");
  for (const std::uint16_t count : std::initializer_list<std::uint16_t>{0, 1, 2, 3, 0xFFFF}) {
    EXPECT_EQ(splits_mold(as_bytes(wire::mold("S", 1, count, two))), count == 2) << count;
  }
  EXPECT_FALSE(splits_mold(as_bytes(wire::mold("S", 1, 2, two + "x"))));
}

TEST(Mold, HasNoMessagesInAHeartbeatAndAnEndOfSession) {
  EXPECT_TRUE(splits_mold(as_bytes(wire::mold("S", 9, 0, ""))));
  EXPECT_TRUE(splits_mold(as_bytes(wire::mold("S", 9, MoldHeader::kEndOfSession, ""))));
}

TEST(Mold, SplitsRealPacketsIntoTheRealMessages) {
  TICKBRIDGE_NEEDS_REAL_DATA();
  const auto packets = tests::pcap_payloads(tests::read_file(tests::real_data() / "nasdaq-20230822-moldudp64.pcap"));
  EXPECT_EQ(packets.size(), 100U);
  std::vector<std::string> messages;
  std::uint64_t next = 0;
  for (const std::string& packet : packets) {
    ASSERT_TRUE(splits_mold(as_bytes(packet)));
    const auto header = parse_mold_header(as_bytes(packet));
    EXPECT_EQ(std::string_view(header->session.data(), 10), "000010059B");
    EXPECT_TRUE(next == 0 || header->sequence == next);
    next = header->sequence + header->count;
    for (std::string& message : read_all(std::string_view{packet}.substr(MoldHeader::kSize))) {
      messages.push_back(std::move(message));
    }
  }
  EXPECT_EQ(messages, tests::read_messages(tests::real_data() / "nasdaq-20230822-open.itch"));
}

// What splits() promises is what the reader then finds.
TEST(Block, SplitsExactlyWhenNothingIsLeftOver) {
  std::mt19937_64 random{tests::seed()};
  for (int i = 0; i < 100'000; ++i) {
    std::string block(random() % 40, '\0');
    for (char& byte : block) byte = static_cast<char>(random() % 3 == 0 ? random() : random() % 4);
    BlockReader reader{as_bytes(block)};
    Bytes message;
    std::uint32_t count = 0;
    while (reader.next(message)) ++count;
    ASSERT_EQ(splits(as_bytes(block)), reader.rest().empty());
    const std::string packet = wire::mold("S", 1, static_cast<std::uint16_t>(count), block);
    ASSERT_EQ(splits_mold(as_bytes(packet)), reader.rest().empty());
  }
}

}  // namespace
}  // namespace tickbridge::codec
