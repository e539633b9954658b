// Input: nine bytes of settings, then a byte stream. Packets are cut without gaps, and a prefix decides as the whole
// does.
#include "codec/packet.h"
#include "fuzz/bytes.h"

namespace {

using namespace tickbridge;
using codec::Packet;
using fuzz::must;

codec::Options read_options(fuzz::Input& input) {
  codec::Options options;
  const unsigned flags = input.byte();
  options.transport = (flags & 1U) != 0 ? codec::Transport::kFrames : codec::Transport::kSoupBinTcp;
  codec::FramesOptions& frames = options.frames;
  frames.big_endian = (flags & 2U) != 0;
  frames.length_counts_packet = (flags & 4U) != 0;
  frames.length_bytes = 1U << ((flags >> 3U) % 3U);
  frames.length_offset = input.byte();
  frames.length_adjust = input.byte() - 128;
  frames.header_bytes = input.byte();
  frames.magic_offset = input.byte();
  frames.magic = as_text(input.take(input.byte() % 5U));
  frames.max_packet_bytes = 1U + input.byte() * 16U;
  return options;
}

void cut_all(const codec::PacketCutter& cutter, Bytes bytes) {
  for (;;) {
    const Packet packet = cutter.cut(bytes);
    must((packet.status == Packet::Status::kBad) == (packet.problem != nullptr), "bad packets say why, others do not");
    if (packet.status != Packet::Status::kWhole) return;
    must(packet.size != 0 && packet.size <= bytes.size() && packet.size <= cutter.max_packet_bytes(), "size");
    must(packet.payload_offset + packet.payload_size == packet.size, "the payload ends the packet");
    const Packet again = cutter.cut(bytes.first(packet.size));
    must(again.status == Packet::Status::kWhole && again.size == packet.size, "the bytes behind do not matter");
    must(cutter.cut(bytes.first(packet.size - 1)).status == Packet::Status::kPartial, "less is a part");
    bytes = bytes.subspan(packet.size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input{data, size};
  const codec::PacketCutter cutter{read_options(input)};
  cut_all(cutter, input.rest());
  return 0;
}
