#include "codec/packet.h"

#include <algorithm>

namespace tickbridge::codec {

namespace {

constexpr std::size_t kLargestSoupPacket = 2 + 65535;

Packet bad(const char* problem) noexcept {
  Packet packet;
  packet.status = Packet::Status::kBad;
  packet.problem = problem;
  return packet;
}

}  // namespace

PacketCutter::PacketCutter(const Options& options) : transport_{options.transport}, frames_{options.frames} {}

std::size_t PacketCutter::max_packet_bytes() const noexcept {
  return transport_ == Transport::kSoupBinTcp ? kLargestSoupPacket : frames_.max_packet_bytes;
}

// False only if bytes that are there already differ: a wrong magic shows before the header is whole.
bool PacketCutter::magic_holds(Bytes bytes) const noexcept {
  if (bytes.size() <= frames_.magic_offset) return true;
  const Bytes there = bytes.subspan(frames_.magic_offset);
  const std::size_t n = std::min(there.size(), frames_.magic.size());
  return std::equal(there.begin(), there.begin() + static_cast<std::ptrdiff_t>(n), as_bytes(frames_.magic).begin());
}

std::int64_t PacketCutter::read_length(Bytes bytes) const noexcept {
  const std::size_t at = frames_.length_offset;
  switch (frames_.length_bytes) {
    case 1:
      return std::to_integer<std::int64_t>(bytes[at]);
    case 2:
      return frames_.big_endian ? load_be<std::uint16_t>(bytes, at) : load_le<std::uint16_t>(bytes, at);
    default:
      return frames_.big_endian ? load_be<std::uint32_t>(bytes, at) : load_le<std::uint32_t>(bytes, at);
  }
}

Packet PacketCutter::cut_frame(Bytes bytes) const noexcept {
  if (!magic_holds(bytes)) return bad("a frame without its magic");
  const std::int64_t length_end = static_cast<std::int64_t>(frames_.length_offset) + frames_.length_bytes;
  if (static_cast<std::int64_t>(bytes.size()) < length_end) return {};
  const std::int64_t counted = read_length(bytes) + frames_.length_adjust;
  const std::int64_t size = frames_.length_counts_packet ? counted : length_end + counted;
  const std::int64_t magic_end = static_cast<std::int64_t>(frames_.magic_offset + frames_.magic.size());
  const std::int64_t header =
      std::max<std::int64_t>({frames_.header_bytes, length_end, frames_.magic.empty() ? 0 : magic_end});
  if (size < header) return bad("a frame whose length is shorter than its header");
  if (size > frames_.max_packet_bytes) return bad("a frame longer than max_packet_bytes");
  if (static_cast<std::int64_t>(bytes.size()) < size) return {};
  Packet packet;
  packet.status = Packet::Status::kWhole;
  packet.size = static_cast<std::uint32_t>(size);
  packet.payload_offset = frames_.header_bytes;
  packet.payload_size = packet.size - frames_.header_bytes;
  return packet;
}

}  // namespace tickbridge::codec
