#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tickbridge::codec {

enum class Transport : std::uint8_t { kSoupBinTcp, kFrames };
enum class Compression : std::uint8_t { kNone, kZlib, kZlibAuto, kZlibStream };
enum class CompressionStart : std::uint8_t { kFirstByte, kAfterLogin };
enum class PayloadFormat : std::uint8_t { kMessage, kBlock, kMoldUdp64 };
enum class SoupVersion : std::uint8_t { k300, k400, k410 };

/// How `transport = "frames"` finds a packet's length (docs/wire/frames.md).
struct FramesOptions {
  std::uint32_t length_offset = 0;  ///< bytes from the packet's start
  std::uint32_t length_bytes = 2;   ///< 1, 2 or 4
  bool big_endian = true;
  bool length_counts_packet = false;  ///< true: the whole packet; false: what follows the length field
  std::int32_t length_adjust = 0;     ///< added to the length read
  std::uint32_t header_bytes = 2;     ///< bytes before the payload
  std::string magic = {};             ///< raw bytes (not hex); empty: none
  std::uint32_t magic_offset = 0;     ///< bytes from the packet's start
  std::uint32_t max_packet_bytes = 1048576;
};

/// How bytes become messages.
struct Options {
  Transport transport = Transport::kSoupBinTcp;
  SoupVersion soup_version = SoupVersion::k300;
  FramesOptions frames;
  Compression compression = Compression::kNone;
  CompressionStart compression_starts = CompressionStart::kFirstByte;
  std::size_t max_inflated_bytes = 1048576;  ///< a packet
  std::size_t max_inflate_ratio = 200;
  PayloadFormat payload = PayloadFormat::kMessage;
  std::string protocol = "itch50";  ///< name of a message table
};

}  // namespace tickbridge::codec
