// Input: a payload, read as a block and as a MoldUDP64 datagram.
#include "codec/payload.h"
#include "fuzz/bytes.h"

namespace {

using namespace tickbridge;
using fuzz::must;

/// Reads all messages; gives their number.
std::size_t read_all(Bytes block) {
  codec::BlockReader reader{block};
  Bytes message;
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (reader.next(message)) {
    ++count;
    bytes += 2 + message.size();
    must(message.data() >= block.data() && message.data() + message.size() <= block.data() + block.size(), "inside");
  }
  must(bytes + reader.rest().size() == block.size(), "nothing skipped");
  must(codec::splits(block) == reader.rest().empty(), "splits() says what the reader finds");
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes payload = fuzz::Input{data, size}.rest();
  read_all(payload);
  const auto header = codec::parse_mold_header(payload);
  must(header.has_value() == (size >= codec::MoldHeader::kSize), "a header needs 20 bytes and nothing else");
  const bool splits = codec::splits_mold(payload);
  if (!splits) return 0;
  const std::size_t count = read_all(payload.subspan(codec::MoldHeader::kSize));
  must(count == (header->count == codec::MoldHeader::kEndOfSession ? 0 : header->count), "as many as it says");
  return 0;
}
