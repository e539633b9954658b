#include "codec/payload.h"

#include <algorithm>

namespace tickbridge::codec {

bool splits(Bytes block) noexcept {
  while (block.size() >= 2) {
    const std::size_t whole = 2U + load_be<std::uint16_t>(block, 0);
    if (block.size() < whole) return false;
    block = block.subspan(whole);
  }
  return block.empty();
}

std::optional<MoldHeader> parse_mold_header(Bytes payload) noexcept {
  if (payload.size() < MoldHeader::kSize) return std::nullopt;
  MoldHeader header;
  std::copy_n(as_text(payload).begin(), header.session.size(), header.session.begin());
  header.sequence = load_be<std::uint64_t>(payload, 10);
  header.count = load_be<std::uint16_t>(payload, 18);
  return header;
}

bool splits_mold(Bytes payload) noexcept {
  const auto header = parse_mold_header(payload);
  if (!header) return false;
  const std::uint32_t count = header->count == MoldHeader::kEndOfSession ? 0 : header->count;
  BlockReader reader{payload.subspan(MoldHeader::kSize)};
  Bytes message;
  std::uint32_t found = 0;
  while (reader.next(message)) ++found;
  return reader.rest().empty() && found == count;
}

}  // namespace tickbridge::codec
