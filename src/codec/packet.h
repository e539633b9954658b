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
  char type = 'S';                    ///< SoupBinTCP's packet type; frames: always 'S' (sequenced data)
  const char* problem = nullptr;      ///< kBad: what is wrong, for the log
  std::uint32_t size = 0;             ///< bytes on the wire, header included
  std::uint32_t payload_offset = 0;
  std::uint32_t payload_size = 0;
};

/// Cuts a byte stream into packets. Pure, stateless, thread-safe.
class PacketCutter {
 public:
  explicit PacketCutter(const Options& options);

  [[nodiscard]] Packet cut(Bytes bytes) const noexcept;

  /// The largest packet that cut() can accept, bytes on the wire.
  [[nodiscard]] std::size_t max_packet_bytes() const noexcept;

 private:
  Transport transport_;
  FramesOptions frames_;
};

}  // namespace tickbridge::codec
