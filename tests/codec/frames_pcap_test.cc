// Real TCP segments of eight length-prefixed protocols, cut with the settings of docs/wire/frames.md.
#include <gtest/gtest.h>

#include <map>

#include "codec/packet.h"
#include "codec/pcap.h"
#include "codec/real_data.h"
#include "codec/soup.h"

namespace tickbridge::codec {
namespace {

struct Market {
  const char* folder;
  Transport transport;
  FramesOptions frames;
  std::size_t files;
  std::size_t packets;
  std::size_t left_over;  // bytes of a last packet that goes on in a segment that was not captured
};

std::vector<Market> markets() {
  const auto frames = Transport::kFrames;
  return {
      {"B3",
       frames,
       {.big_endian = false, .length_counts_packet = true, .header_bytes = 4, .magic = "\x50\xEB", .magic_offset = 2},
       8,
       8,
       0},
      {"Cme",
       frames,
       {.big_endian = false, .length_counts_packet = true, .header_bytes = 4, .magic = "\xFE\xCA", .magic_offset = 2},
       4,
       6,
       353},
      {"Cboe",
       frames,
       {.length_offset = 2,
        .big_endian = false,
        .length_counts_packet = true,
        .length_adjust = 2,
        .header_bytes = 4,
        .magic = "\xBA\xBA"},
       13,
       13,
       0},
      {"Nyse",
       frames,
       {.length_offset = 2, .big_endian = false, .length_counts_packet = true, .header_bytes = 4},
       1,
       1,
       0},
      {"Coinbase",
       frames,
       {.length_offset = 2,
        .big_endian = false,
        .length_counts_packet = true,
        .header_bytes = 4,
        .magic = std::string{"\xF1\0", 2}},
       14,
       39,
       0},
      {"Eurex",
       frames,
       {.length_bytes = 4, .big_endian = false, .length_counts_packet = true, .header_bytes = 4},
       4,
       4,
       0},
      {"Miax", frames, {.big_endian = false}, 13, 41, 0},
      {"Jnx", Transport::kSoupBinTcp, {}, 5, 5, 0},
  };
}

/// All that the file's segments carry: they are in order and of one direction.
std::string stream_of(const std::filesystem::path& path) {
  std::string stream;
  for (const std::string& payload : tests::pcap_payloads(tests::read_file(path))) stream += payload;
  return stream;
}

/// Cuts all of it; gives the packets' types.
std::string cut_all(const Options& options, std::string_view& bytes) {
  const PacketCutter cutter{options};
  std::string types;
  for (;;) {
    const Packet packet = cutter.cut(as_bytes(bytes));
    EXPECT_NE(packet.status, Packet::Status::kBad) << packet.problem;
    if (packet.status != Packet::Status::kWhole) return types;
    types += packet.type;
    bytes.remove_prefix(packet.size);
  }
}

TEST(RealFrames, AreCutIntoWholePackets) {
  TICKBRIDGE_NEEDS_REAL_DATA();
  for (const Market& market : markets()) {
    SCOPED_TRACE(market.folder);
    Options options;
    options.transport = market.transport;
    options.frames = market.frames;
    std::size_t files = 0;
    std::size_t packets = 0;
    std::size_t left_over = 0;
    const auto folder = tests::real_data() / "framing-pcaps" / market.folder;
    ASSERT_TRUE(std::filesystem::exists(folder));
    for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
      if (entry.path().extension() != ".pcap") continue;
      const std::string stream = stream_of(entry.path());
      EXPECT_FALSE(stream.empty()) << entry.path();
      std::string_view rest = stream;
      packets += cut_all(options, rest).size();
      left_over += rest.size();
      ++files;
    }
    EXPECT_EQ(files, market.files);
    EXPECT_EQ(packets, market.packets);
    EXPECT_EQ(left_over, market.left_over);
  }
}

TEST(RealSoupPackets, HaveTheirTypes) {
  TICKBRIDGE_NEEDS_REAL_DATA();
  const auto folder = tests::real_data() / "framing-pcaps/Jnx/JnxEquities.Pts.Ouch.v1.11";
  const std::map<std::string, std::string> expected{{"LoginRequestPacket", "L"},
                                                    {"LoginAcceptedPacket", "A"},
                                                    {"EnterOrderMessage", "U"},
                                                    {"ReplaceOrderMessage", "U"},
                                                    {"OrderAcceptedMessage", "S"}};
  for (const auto& [file, types] : expected) {
    const std::string stream = stream_of(folder / (file + ".pcap"));
    std::string_view rest = stream;
    EXPECT_EQ(cut_all({}, rest), types) << file;
  }
}

TEST(RealSoupPackets, TellSessionAndSequenceInTheLoginsAnswer) {
  TICKBRIDGE_NEEDS_REAL_DATA();
  const std::string stream =
      stream_of(tests::real_data() / "framing-pcaps/Jnx/JnxEquities.Pts.Ouch.v1.11/LoginAcceptedPacket.pcap");
  const Packet packet = PacketCutter{Options{}}.cut(as_bytes(stream));
  ASSERT_EQ(packet.status, Packet::Status::kWhole);
  const auto accepted = soup::parse_accepted(as_bytes(stream).subspan(packet.payload_offset, packet.payload_size));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->session, "1689192121");
  EXPECT_EQ(accepted->sequence, 135U);
}

}  // namespace
}  // namespace tickbridge::codec
