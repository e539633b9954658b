#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "codec/options.h"

namespace tickbridge::codec {

/// Where the first packet of a run of bytes lies.
struct Packet {
  enum class Status : std::uint8_t {
    kWhole,    ///< size, payload_offset, payload_size and type are set
    kPartial,  ///< more bytes are needed
    kBad,      ///< no packet can begin so: the connection cannot be read any further
  };
  Status status = Status::kPartial;
  char type = 'S';                ///< SoupBinTCP's packet type; frames: always 'S' (sequenced data)
  const char* problem = nullptr;  ///< kBad: what is wrong, for the log
  std::uint32_t size = 0;         ///< bytes on the wire, header included
  std::uint32_t payload_offset = 0;
  std::uint32_t payload_size = 0;
};

/// Cuts a byte stream into packets (docs/wire/soupbintcp.md, docs/wire/frames.md). Pure, stateless, thread-safe.
class PacketCutter {
 public:
  explicit PacketCutter(const Options& options);

  /// The packet that `bytes` begin with.
  [[nodiscard]] Packet cut(Bytes bytes) const noexcept {
    return transport_ == Transport::kSoupBinTcp ? cut_soup(bytes) : cut_frame(bytes);
  }

  /// The largest packet that cut() can accept, bytes on the wire.
  [[nodiscard]] std::size_t max_packet_bytes() const noexcept;

 private:
  [[nodiscard]] static Packet cut_soup(Bytes bytes) noexcept {
    Packet packet;
    if (bytes.size() < 2) return packet;
    const std::uint32_t length = load_be<std::uint16_t>(bytes, 0);
    if (length == 0) [[unlikely]] {
      packet.status = Packet::Status::kBad;
      packet.problem = "a SoupBinTCP packet of length 0";
      return packet;
    }
    if (bytes.size() < 2 + length) return packet;
    packet.status = Packet::Status::kWhole;
    packet.type = static_cast<char>(bytes[2]);
    packet.size = 2 + length;
    packet.payload_offset = 3;
    packet.payload_size = length - 1;
    return packet;
  }
  [[nodiscard]] Packet cut_frame(Bytes bytes) const noexcept;
  [[nodiscard]] bool magic_holds(Bytes bytes) const noexcept;
  [[nodiscard]] std::int64_t read_length(Bytes bytes) const noexcept;

  Transport transport_;
  FramesOptions frames_;
};

}  // namespace tickbridge::codec
