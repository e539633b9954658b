#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "exchange/faults.h"
#include "exchange/generator.h"
#include "exchange/stream.h"

namespace tickbridge::exchange {

enum class Transport : std::uint8_t { kSoupBinTcp, kFrames };
enum class SoupVersion : std::uint8_t { k300, k400, k410 };
enum class Compression : std::uint8_t { kNone, kZlib, kZlibAuto, kZlibStream };
enum class CompressionStart : std::uint8_t { kFirstByte, kAfterLogin };
enum class PayloadFormat : std::uint8_t { kMessage, kBlock, kMoldUdp64 };
enum class ByteOrder : std::uint8_t { kBig, kLittle };
enum class LengthCounts : std::uint8_t { kRest, kPacket };

/// How a frame says its length: the daemon's [feed.*.frames], from the sender's side.
struct FramesOptions {
  std::uint32_t length_offset = 0;
  std::uint32_t length_bytes = 2;  ///< 1, 2 or 4
  ByteOrder byte_order = ByteOrder::kBig;
  LengthCounts length_counts = LengthCounts::kRest;
  std::int32_t length_adjust = 0;  ///< the reader adds it to the length it reads, so the writer takes it off
  std::uint32_t header_bytes = 2;
  std::string magic{};  ///< raw bytes
  std::uint32_t magic_offset = 0;
  std::uint32_t max_packet_bytes = 1048576;
};

/// What shapes the bytes of a session, apart from its messages.
struct WireOptions {
  Transport transport = Transport::kSoupBinTcp;
  SoupVersion soup_version = SoupVersion::k300;
  Compression compression = Compression::kNone;
  CompressionStart compression_starts = CompressionStart::kFirstByte;
  PayloadFormat payload = PayloadFormat::kMessage;
  FramesOptions frames{};
  std::uint32_t packet_messages = 0;  ///< in a block or moldudp64 packet; 0: 1 to 20, by the seed
  std::uint64_t seed = 1;
  std::string session = "1000000001";  ///< at most 10 characters
};

/// Everything the command line says.
struct Options {
  std::string file;
  GeneratorOptions generate;
  std::string save;
  bool serve = true;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  WireOptions wire;
  std::uint64_t rate = 0;  ///< messages a second; 0: as fast as the client reads
  double pace = 0;         ///< times the file's own time; 0: as fast as the client reads
  std::uint32_t loop = 1;
  std::uint32_t sessions = 1;
  std::string username;
  std::string password;
  TlsOptions tls;
  bool exit_when_served = false;
  bool encode_first = false;  ///< before listening, as far as memory is kept for it
  Faults faults;
};

}  // namespace tickbridge::exchange
