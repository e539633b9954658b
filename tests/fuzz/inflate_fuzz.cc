// Input: a byte of limits, a byte each for how the stream is cut and how much room it gets, then what is inflated.
#include <string>
#include <vector>

#include "codec/inflate.h"
#include "fuzz/bytes.h"

namespace {

using namespace tickbridge;
using codec::Reason;
using fuzz::must;

/// As a packet: libdeflate.
std::pair<Reason, std::string> whole(Bytes packet, codec::InflateLimits limits) {
  codec::PacketInflater inflater{limits};
  std::vector<std::byte> out(limits.max_bytes);
  const codec::Inflated inflated = inflater.inflate(packet, out);
  must(inflated.size <= limits.max_bytes && inflated.size <= packet.size() * limits.max_ratio, "limits hold");
  must(inflated.reason == Reason::kNone || inflated.size == 0, "whole or nothing");
  return {inflated.reason, std::string{as_text(Bytes{out}.first(inflated.size))}};
}

struct Streamed {
  bool ended = false;
  bool all_taken = false;
  std::string text;
};

/// As a stream: zlib. Stops at an error, at the end, or beyond `limit` bytes.
Streamed in_pieces(Bytes stream, std::size_t piece, std::size_t room, std::size_t limit) {
  codec::StreamInflater inflater{0};
  std::vector<std::byte> out(room);
  Streamed result;
  while (result.text.size() <= limit) {
    const Bytes in = stream.first(std::min(piece, stream.size()));
    const auto step = inflater.step(in, out);
    must(step.taken <= in.size() && step.given <= out.size(), "a step stays within its bounds");
    result.text += as_text(Bytes{out}.first(step.given));
    stream = stream.subspan(step.taken);
    result.ended = step.ended;
    result.all_taken = stream.empty();
    if (step.reason != Reason::kNone || step.ended) break;
    if (step.taken == 0 && step.given == 0) break;
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input{data, size};
  const codec::InflateLimits limits{.max_bytes = 65'536, .max_ratio = 2U + input.byte()};
  const std::size_t piece = 1U + input.byte();
  const std::size_t room = 1U + input.byte() * 8U;
  const Bytes packet = input.rest();
  const auto [reason, text] = whole(packet, limits);
  const Streamed streamed = in_pieces(packet, piece, room, limits.max_bytes);
  if (streamed.ended && streamed.all_taken) {
    must(reason != Reason::kInflate, "what zlib takes libdeflate takes");
    must(reason != Reason::kNone || streamed.text == text, "both give the same");
  } else if (reason == Reason::kNone) {
    // libdeflate takes the length codes 286 and 287, which zlib refuses, as 285; the checksum still holds.
    must(text.starts_with(streamed.text), "both give the same as far as zlib goes");
  }
  return 0;
}
