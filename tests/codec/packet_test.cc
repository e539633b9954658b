#include "codec/packet.h"

#include <gtest/gtest.h>

#include <random>

#include "pipeline/wire.h"
#include "support/seed.h"

namespace tickbridge::codec {
namespace {

namespace wire = tests::wire;
using Status = Packet::Status;

Packet cut(const Options& options, std::string_view bytes) { return PacketCutter{options}.cut(as_bytes(bytes)); }
std::string_view payload_of(const Packet& packet, std::string_view bytes) {
  return bytes.substr(packet.payload_offset, packet.payload_size);
}
Options frames(FramesOptions frames) {
  Options options;
  options.transport = Transport::kFrames;
  options.frames = std::move(frames);
  return options;
}

/// Any prefix is a part of the packet, and what follows it does not matter.
void expect_whole(const Options& options, const std::string& bytes, std::string_view payload) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(cut(options, std::string_view{bytes}.substr(0, size)).status, Status::kPartial) << size;
  }
  for (const std::string& all : {bytes, bytes + "x", bytes + bytes}) {
    const Packet packet = cut(options, all);
    ASSERT_EQ(packet.status, Status::kWhole);
    EXPECT_EQ(packet.size, bytes.size());
    EXPECT_EQ(payload_of(packet, all), payload);
  }
}
void expect_bad(const Options& options, std::string_view bytes) {
  const Packet packet = cut(options, bytes);
  EXPECT_EQ(packet.status, Status::kBad);
  ASSERT_NE(packet.problem, nullptr);
}

TEST(SoupPacket, IsCutByItsLength) {
  expect_whole({}, wire::soup('S', "payload"), "payload");
  expect_whole({}, wire::soup('H'), "");
  const std::string largest(65534, 'x');
  const std::string packet = wire::soup('S', largest);
  EXPECT_EQ(cut({}, packet).size, PacketCutter{Options{}}.max_packet_bytes());
  EXPECT_EQ(payload_of(cut({}, packet), packet), largest);
}

TEST(SoupPacket, NamesItsType) {
  for (const char type : {'+', 'A', 'J', 'S', 'U', 'H', 'Z', '\0', '\xFF'}) {
    EXPECT_EQ(cut({}, wire::soup(type, "x")).type, type);
  }
}

TEST(SoupPacket, IsBadWithLengthZero) { expect_bad({}, std::string_view{"\0\0", 2}); }

TEST(Frame, IsCutByALengthOfWhatFollows) {
  expect_whole(frames({}), wire::block("payload"), "payload");
  expect_whole(frames({}), wire::block(""), "");
}

TEST(Frame, ReadsLengthsOfOneTwoAndFourBytesInBothOrders) {
  const std::string payload = "four";
  expect_whole(frames({.length_bytes = 1, .header_bytes = 1}), "\4" + payload, payload);
  expect_whole(frames({.length_bytes = 1, .big_endian = false, .header_bytes = 1}), "\4" + payload, payload);
  expect_whole(frames({}), std::string{"\0\4", 2} + payload, payload);
  expect_whole(frames({.big_endian = false}), std::string{"\4\0", 2} + payload, payload);
  expect_whole(frames({.length_bytes = 4, .header_bytes = 4}), std::string{"\0\0\0\4", 4} + payload, payload);
  expect_whole(frames({.length_bytes = 4, .big_endian = false, .header_bytes = 4}),
               std::string{"\4\0\0\0", 4} + payload, payload);
}

TEST(Frame, CountsTheWholePacketAndAddsTheAdjustment) {
  expect_whole(frames({.length_counts_packet = true}), std::string{"\0\6four", 6}, "four");
  expect_whole(frames({.length_counts_packet = true, .length_adjust = 2}), std::string{"\0\4four", 6}, "four");
  expect_whole(frames({.length_adjust = -2}), std::string{"\0\6four", 6}, "four");
  expect_whole(frames({.length_offset = 3, .header_bytes = 6}), std::string{"abc\0\5-four", 10}, "four");
}

TEST(Frame, IsBadWithAWrongMagicAsSoonAsAByteOfItDiffers) {
  const Options options = frames({.length_offset = 2, .header_bytes = 4, .magic = "\xBA\xBA"});
  expect_whole(options, std::string{"\xBA\xBA\0\4four", 8}, "four");
  expect_bad(options, "\xBB");
  expect_bad(options, "\xBA\xBB");
}

TEST(Frame, FindsAMagicBehindTheLength) {
  const Options options =
      frames({.length_counts_packet = true, .header_bytes = 4, .magic = "\x50\xEB", .magic_offset = 2});
  expect_whole(options,
               std::string{"\0\x08\x50\xEB"
                           "four",
                           8},
               "four");
  EXPECT_EQ(cut(options, std::string_view{"\0\x08\x50", 3}).status, Status::kPartial);
  expect_bad(options, std::string_view{"\0\x08\x51", 3});
  expect_bad(options, std::string_view{"\0\x02", 2});  // no room for the magic
}

TEST(Frame, IsBadWhenLongerThanTheLimit) {
  const Options options = frames({.length_bytes = 4, .header_bytes = 4, .max_packet_bytes = 100});
  expect_whole(options, wire::be(std::uint32_t{96}) + std::string(96, 'x'), std::string(96, 'x'));
  expect_bad(options, wire::be(std::uint32_t{97}));
  expect_bad(options, wire::be(std::uint32_t{0xFFFFFFFF}));
  EXPECT_EQ(PacketCutter{options}.max_packet_bytes(), 100U);
}

TEST(Frame, IsBadWhenShorterThanItsHeader) {
  expect_bad(frames({.length_counts_packet = true}), std::string_view{"\0\1", 2});
  expect_bad(frames({.length_counts_packet = true}), std::string_view{"\0\0", 2});
  expect_bad(frames({.length_adjust = -100}), std::string_view{"\0\x05", 2});
  expect_bad(frames({.header_bytes = 8}), std::string_view{"\0\x05", 2});
  expect_whole(frames({.header_bytes = 8}), std::string{"\0\6abcdef", 8}, "");
}

TEST(Frame, CannotStandStill) {
  expect_bad(frames({.length_counts_packet = true, .header_bytes = 0}), std::string_view{"\0\0", 2});
  expect_whole(frames({.header_bytes = 0}), std::string{"\0\1x", 3}, (std::string_view{"\0\1x", 3}));
}

Options any_options(std::mt19937_64& random) {
  Options options;
  options.transport = random() % 4 == 0 ? Transport::kSoupBinTcp : Transport::kFrames;
  FramesOptions& frames = options.frames;
  frames.length_offset = static_cast<std::uint32_t>(random() % 6);
  frames.length_bytes = 1U << (random() % 3);
  frames.big_endian = random() % 2 == 0;
  frames.length_counts_packet = random() % 2 == 0;
  frames.length_adjust = static_cast<std::int32_t>(random() % 9) - 4;
  frames.header_bytes = static_cast<std::uint32_t>(random() % 12);
  frames.magic = random() % 2 == 0 ? "" : std::string(1 + random() % 3, '\1');
  frames.magic_offset = static_cast<std::uint32_t>(random() % 8);
  frames.max_packet_bytes = 64;
  return options;
}

// Whatever comes: what is said of a prefix stays true of what it begins.
TEST(PacketCutter, NeverChangesItsMindWhenMoreBytesCome) {
  std::mt19937_64 random{tests::seed()};
  for (int i = 0; i < 30'000; ++i) {
    const Options options = any_options(random);
    std::string bytes(random() % 48, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 8 == 0 ? random() : random() % 3);
    const Packet all = cut(options, bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Packet packet = cut(options, std::string_view{bytes}.substr(0, size));
      if (packet.status == Status::kPartial) continue;
      ASSERT_EQ(packet.status, all.status);
      ASSERT_EQ(packet.size, all.size);
    }
    if (all.status != Status::kWhole) continue;
    ASSERT_GT(all.size, 0U);
    ASSERT_LE(all.size, bytes.size());
    ASSERT_EQ(all.payload_offset + all.payload_size, all.size);
  }
}

}  // namespace
}  // namespace tickbridge::codec
