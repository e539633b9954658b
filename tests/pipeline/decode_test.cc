#include "pipeline/decode.h"

#include <gtest/gtest.h>

#include <random>

#include "codec/sample.h"
#include "pipeline/wire.h"
#include "support/seed.h"

namespace tickbridge::pipeline {
namespace {

namespace wire = tests::wire;
using codec::PayloadFormat;
using codec::Reason;
using Kind = Record::Kind;

/// Decodes sequenced packets of a feed with compression = "zlib-auto".
class ZlibAuto {
 public:
  explicit ZlibAuto(PayloadFormat payload, const char* protocol = "itch50")
      : options_{options(payload)},
        decoder_{options_, *codec::Protocol::find(protocol)},
        task_{1000, decoder_.arena_bytes(4096), decoder_.inflate_limits()},
        ring_{std::move(ring::ByteRing::create(1U << 18U, 4096).value())} {}

  /// What became of one packet. Points into this object until the next call.
  std::span<const Record> decode(std::string_view payload) {
    const std::string packet = wire::soup('S', payload);
    std::copy_n(as_bytes(packet).begin(), packet.size(), ring_.writable().begin());
    ring_.wrote(packet.size());
    ring_.publish(packet.size(), 1);
    task_.begin(ring_.claim(packet.size()));
    decoder_.decode(task_, ring_);
    EXPECT_TRUE(task_.finished());
    EXPECT_EQ(task_.packets, 1U);
    static_cast<void>(ring_.release(task_.claim.end));
    return task_.found();
  }
  /// The one record of a packet.
  Record only(std::string_view payload) {
    const auto found = decode(payload);
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? Record{} : found[0];
  }

 private:
  static codec::Options options(PayloadFormat payload) {
    codec::Options options;
    options.compression = codec::Compression::kZlibAuto;
    options.payload = payload;
    return options;
  }
  codec::Options options_;
  Decoder decoder_;
  Task task_;
  ring::ByteRing ring_;
};

bool looks_like_zlib(std::string_view bytes) { return codec::PacketInflater::looks_like_zlib(as_bytes(bytes)); }

// ITCH's H, X and h begin like zlib streams for some instruments: 48 0D, 58 09, 68 05 and others.
TEST(ZlibAuto, TakesEachPlainMessageOfEachInstrument) {
  ZlibAuto feed{PayloadFormat::kMessage};
  int alike = 0;
  for (const codec::MessageType& type : codec::itch50_types()) {
    for (unsigned high = 0; high < 256; ++high) {
      const std::string message = tests::sample(type, static_cast<std::uint16_t>(high * 256 + 7));
      if (looks_like_zlib(message)) ++alike;
      const Record record = feed.only(message);
      ASSERT_EQ(record.kind, type.type == 'R' ? Kind::kDirectory : Kind::kMessage) << type.name << " " << high;
      ASSERT_EQ(as_text(record.bytes()), message);
    }
  }
  EXPECT_GT(alike, 8) << "else this test tests nothing";
}

TEST(ZlibAuto, InflatesWhatIsCompressed) {
  ZlibAuto feed{PayloadFormat::kMessage};
  for (const codec::MessageType& type : codec::itch50_types()) {
    const std::string message = tests::sample(type, 0x0D07);
    EXPECT_EQ(as_text(feed.only(wire::zlib(message)).bytes()), message);
  }
}

TEST(ZlibAuto, TakesAPlainMessageWithAnUnknownCode) {
  ZlibAuto feed{PayloadFormat::kMessage};
  std::string message = tests::sample('H', 0x0D07);
  message[19] = '?';
  ASSERT_TRUE(looks_like_zlib(message));
  EXPECT_EQ(feed.only(message).kind, Kind::kUnknownCode);
}

void expect_dead(ZlibAuto& feed, std::string_view packet, Reason reason) {
  const Record record = feed.only(packet);
  EXPECT_EQ(record.kind, Kind::kBadPacket);
  EXPECT_EQ(codec::name(record.reason), codec::name(reason));
  EXPECT_EQ(as_text(record.bytes()), packet) << "the packet as it came";
}

TEST(ZlibAuto, MakesATruncatedPacketADeadLetter) {
  const std::string block = wire::block(tests::sample('A')) + wire::block(tests::sample('D'));
  const std::pair<PayloadFormat, std::string> payloads[] = {{PayloadFormat::kMessage, tests::sample('A')},
                                                            {PayloadFormat::kBlock, block},
                                                            {PayloadFormat::kMoldUdp64, wire::mold("S", 1, 2, block)}};
  for (const auto& [format, payload] : payloads) {
    ZlibAuto feed{format};
    const std::string packet = wire::zlib(payload);
    for (std::size_t size = 8; size < packet.size(); ++size)
      expect_dead(feed, packet.substr(0, size), Reason::kInflate);
  }
}

TEST(ZlibAuto, MakesABombADeadLetter) {
  ZlibAuto feed{PayloadFormat::kMessage};
  expect_dead(feed, wire::zlib(std::string(1'000'000, '\0')), Reason::kInflateLimit);
}

TEST(ZlibAuto, TakesPlainBlocksAndDatagramsThatBeginLikeZlib) {
  ZlibAuto block{PayloadFormat::kBlock, "raw"};
  const std::string large = wire::block(std::string(0x1819, 'x')) + wire::block("y");
  ASSERT_TRUE(looks_like_zlib(large));
  EXPECT_EQ(block.decode(large).size(), 2U);
  ZlibAuto mold{PayloadFormat::kMoldUdp64};
  const std::string datagram = wire::mold("HK", 1, 1, wire::block(tests::sample('D')));
  ASSERT_TRUE(looks_like_zlib(datagram));
  const auto found = mold.decode(datagram);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].kind, Kind::kMessage);
}

// Without a table nothing tells a plain message from what is left of a stream: nothing is lost as a dead letter.
TEST(ZlibAuto, KeepsRawMessagesThatBeginLikeZlibAsDeadLetters) {
  ZlibAuto feed{PayloadFormat::kMessage, "raw"};
  expect_dead(feed, "\x48\x0D plain", Reason::kInflate);
  EXPECT_EQ(feed.only("plain").kind, Kind::kMessage);
}

TEST(ZlibAuto, TakesNoMessageFromDamagedStreams) {
  std::mt19937_64 random{tests::seed()};
  ZlibAuto feed{PayloadFormat::kMessage};
  for (int i = 0; i < 20'000; ++i) {
    std::string text(1 + random() % 60, '\0');
    for (char& byte : text) byte = static_cast<char>(random());
    std::string packet = wire::zlib(text);
    packet.resize(8 + random() % (packet.size() - 8));
    ASSERT_EQ(feed.only(packet).kind, Kind::kBadPacket);
  }
}

}  // namespace
}  // namespace tickbridge::pipeline
