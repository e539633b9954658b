// The session's packets: packets.h, image.h, login.h, invalid.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/image.h"
#include "exchange/invalid.h"
#include "exchange/login.h"
#include "exchange/packets.h"

namespace tickbridge::exchange {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

/// `count` BinaryFILE records "m1", "m2", ….
std::vector<std::byte> numbered(int count) {
  std::vector<std::byte> records;
  for (int n = 1; n <= count; ++n) {
    const std::string text = "m" + std::to_string(n);
    records.push_back(std::byte{0});
    records.push_back(static_cast<std::byte>(text.size()));
    records.insert(records.end(), as_bytes(text).begin(), as_bytes(text).end());
  }
  return records;
}

std::string frame(const FramesOptions& options, std::string_view payload) {
  std::vector<std::byte> out;
  append_frame(options, as_bytes(payload), out);
  return std::string{as_text(out)};
}

using namespace std::string_literals;

TEST(Frames, AreTheFormatsOfRealProtocols) {
  FramesOptions sofh{.length_bytes = 4, .length_counts = LengthCounts::kPacket, .header_bytes = 6};
  EXPECT_EQ(frame(sofh, "abc"), "\0\0\0\x09\0\0abc"s);
  FramesOptions b3{.byte_order = ByteOrder::kLittle,
                   .length_counts = LengthCounts::kPacket,
                   .header_bytes = 4,
                   .magic = "\x50\xEB"s,
                   .magic_offset = 2};
  EXPECT_EQ(frame(b3, "abc"),
            "\x07\0\x50\xEB"
            "abc"s);
  FramesOptions boe{.length_offset = 2,
                    .byte_order = ByteOrder::kLittle,
                    .length_counts = LengthCounts::kPacket,
                    .length_adjust = 2,
                    .header_bytes = 4,
                    .magic = "\xBA\xBA"s};
  EXPECT_EQ(frame(boe, "abc"),
            "\xBA\xBA\x05\0"
            "abc"s);
  FramesOptions eti{
      .length_bytes = 4, .byte_order = ByteOrder::kLittle, .length_counts = LengthCounts::kPacket, .header_bytes = 4};
  EXPECT_EQ(frame(eti, "abc"), "\x07\0\0\0abc"s);
  EXPECT_EQ(frame({}, "abc"),
            "\0\x03"
            "abc"s);
  FramesOptions one{.length_bytes = 1, .header_bytes = 3};
  EXPECT_EQ(frame(one, "abc"), "\x05\0\0abc"s);
}

TEST(Frames, KnowTheLargestPayloadTheirLengthCanSay) {
  WireOptions options{.transport = Transport::kFrames};
  options.frames.length_bytes = 1;
  options.frames.header_bytes = 1;
  EXPECT_EQ(max_payload(options), 255U);
  options.frames.length_counts = LengthCounts::kPacket;
  EXPECT_EQ(max_payload(options), 254U);
}

TEST(Login, IsReadInBothLengths) {
  const std::string text = "user  password  SESSION   " + std::string(17, ' ') + "135";
  const auto request = parse_login(SoupVersion::k300, as_bytes(text));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->username, "user");
  EXPECT_EQ(request->password, "password");
  EXPECT_EQ(request->session, "SESSION");
  EXPECT_EQ(request->sequence, 135U);
  EXPECT_FALSE(parse_login(SoupVersion::k410, as_bytes(text)));
  const std::string timed = text + "02000";
  EXPECT_EQ(parse_login(SoupVersion::k410, as_bytes(timed)).value().timeout_ms, 2000U);
  EXPECT_FALSE(parse_login(SoupVersion::k400, as_bytes(timed)));
}

TEST(Login, IsRefusedWithoutANumber) {
  const std::string text = std::string(45, ' ') + "x";
  EXPECT_FALSE(parse_login(SoupVersion::k300, as_bytes(text)));
}

TEST(Login, IsAnsweredInTheBytesOfTheSpecification) {
  std::vector<std::byte> out;
  append_accepted("1689192121", 135, out);
  EXPECT_EQ(as_text(out), "\0\x1F"s + "A1689192121" + std::string(17, ' ') + "135");
  out.clear();
  append_rejected('S', out);
  EXPECT_EQ(as_text(out), "\0\x02JS"s);
}

TEST(Packets, AreTheSameFromEveryPlace) {
  const auto records = numbered(500);
  const Faults faults{.invalid_every = 7, .unsequenced_every = 3, .debug_every = 4};
  PacketWriter writer{
      records, 2, {.compression = Compression::kZlibAuto, .payload = PayloadFormat::kMoldUdp64}, faults};
  std::vector<std::vector<std::byte>> packets;
  std::vector<Place> places;
  for (Place place; !writer.at_end(place);) {
    places.push_back(place);
    writer.append(place, packets.emplace_back());
  }
  for (std::size_t n = packets.size(); n-- > 0;) {
    std::vector<std::byte> again;
    writer.append(places[n], again);
    ASSERT_EQ(again, packets[n]) << n;
  }
}

TEST(Packets, GoOnCountingThroughTheLoops) {
  const auto records = numbered(3);
  PacketWriter writer{records, 2, {}, Faults{}};
  std::vector<std::byte> out;
  Place place;
  while (!writer.at_end(place)) writer.append(place, out);
  EXPECT_EQ(place.packet, 6U);
  EXPECT_EQ(as_text(out), "\0\3Sm1\0\3Sm2\0\3Sm3\0\3Sm1\0\3Sm2\0\3Sm3"s);
}

TEST(Packets, PutMessagesIntoMoldUdp64Packets) {
  const auto records = numbered(3);
  PacketWriter writer{
      records, 1, {.payload = PayloadFormat::kMoldUdp64, .packet_messages = 2, .session = "DAY"}, Faults{}};
  std::vector<std::byte> out;
  Place place;
  while (!writer.at_end(place)) writer.append(place, out);
  EXPECT_EQ(as_text(out),
            "\0\x1DS       DAY\0\0\0\0\0\0\0\1\0\2\0\2m1\0\2m2"
            "\0\x19S       DAY\0\0\0\0\0\0\0\3\0\1\0\2m3"s);
}

TEST(Packets, HaveInvalidMessagesBesidesTheValidOnes) {
  const auto records = numbered(4);
  const Faults faults{.invalid_every = 2};
  PacketWriter writer{records, 1, {}, faults};
  Place place;
  std::vector<std::size_t> sizes;
  while (!writer.at_end(place)) {
    std::vector<std::byte> out;
    writer.append(place, out);
    sizes.push_back(out.size() - 3);
  }
  EXPECT_THAT(sizes, testing::ElementsAre(2, 2, 32, 2, 2));
  EXPECT_EQ(place.messages, 4U);
}

TEST(Packets, EndWhereTheFaultSaysSo) {
  const auto records = numbered(10);
  const Faults faults{.end_after = 4};
  Image image{records, 1, {}, faults};
  EXPECT_EQ(image.last_up_to(100), 4U);
}

TEST(Packets, RefuseAMessageThatFitsIntoNone) {
  auto records = bytes_of("\1\0"s + std::string(256, 'x'));
  WireOptions options{.transport = Transport::kFrames};
  options.frames.length_bytes = 1;
  PacketWriter writer{records, 1, options, Faults{}};
  Place place;
  std::vector<std::byte> out;
  EXPECT_THROW(writer.append(place, out), std::runtime_error);
}

TEST(Packets, HoldABombBesidesTheOthers) {
  const auto records = numbered(4);
  const Faults faults{.bomb = 2};
  PacketWriter writer{records, 1, {.compression = Compression::kZlib}, faults};
  Place place;
  std::vector<std::size_t> sizes;
  while (!writer.at_end(place)) {
    std::vector<std::byte> out;
    writer.append(place, out);
    sizes.push_back(out.size());
  }
  ASSERT_EQ(sizes.size(), 5U);
  EXPECT_LT(sizes[2], (8U << 20U) / 900);
}

TEST(Image, FindsPacketsInAnyOrder) {
  const auto records = numbered(200'000);
  Image image{records, 1, {}, Faults{}};
  for (const std::uint64_t packet : {150'000U, 1U, 200'000U, 99'999U}) {
    const auto chunk = image.find(packet);
    ASSERT_TRUE(chunk);
    const Bytes bytes =
        Bytes{chunk->bytes}.subspan(chunk->begin_of(packet), chunk->begin_of(packet + 1) - chunk->begin_of(packet));
    EXPECT_EQ(as_text(bytes.subspan(3)), "m" + std::to_string(packet));
  }
  EXPECT_FALSE(image.find(200'001));
  EXPECT_FALSE(image.find(0));
}

TEST(Image, CountsThePacketsOfSoManyMessages) {
  const auto records = numbered(1'000);
  Image image{records, 1, {.payload = PayloadFormat::kBlock, .packet_messages = 10}, Faults{}};
  EXPECT_EQ(image.packets_within(0), 0U);
  EXPECT_EQ(image.packets_within(9), 0U);
  EXPECT_EQ(image.packets_within(10), 1U);
  EXPECT_EQ(image.packets_within(999), 99U);
  EXPECT_FALSE(image.all_within(999));
  EXPECT_EQ(image.packets_within(5'000), 100U);
  EXPECT_TRUE(image.all_within(5'000));
}

TEST(InvalidMessage, ComesInFourKinds) {
  EXPECT_EQ(invalid_message(0).size(), 35U);
  EXPECT_EQ(invalid_message(1).size(), 32U);
  EXPECT_GE(load_be48(invalid_message(2), 5), 86'400'000'000'000U);
  EXPECT_EQ(std::to_integer<int>(invalid_message(3)[13]), 1);
  EXPECT_EQ(invalid_message(3).size(), 39U);
}

}  // namespace
}  // namespace tickbridge::exchange
