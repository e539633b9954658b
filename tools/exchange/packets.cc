#include "exchange/packets.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string>

#include "exchange/invalid.h"
#include "exchange/random.h"

namespace tickbridge::exchange {
namespace {

constexpr std::size_t kSoupHeader = 3;
constexpr std::size_t kMoldHeader = 20;
constexpr std::size_t kBombBytes = 8U << 20U;

void append(Bytes bytes, std::vector<std::byte>& out) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append_mold_header(const std::string& session, const Place& place, std::vector<std::byte>& out) {
  out.resize(kMoldHeader, std::byte{' '});
  std::ranges::copy(as_bytes(session), out.begin() + static_cast<std::ptrdiff_t>(10 - session.size()));
  store_be<std::uint64_t>(out, 10, place.sequence);
}

void store_length(const FramesOptions& options, std::uint32_t value, MutableBytes header) {
  for (std::uint32_t i = 0; i < options.length_bytes; ++i) {
    const std::uint32_t shift = 8 * (options.byte_order == ByteOrder::kBig ? options.length_bytes - 1 - i : i);
    header[options.length_offset + i] = static_cast<std::byte>(value >> shift);
  }
}

/// Bytes of the packet that its length does not count.
std::int64_t uncounted(const FramesOptions& options) {
  const std::int64_t before =
      options.length_counts == LengthCounts::kRest ? options.length_offset + options.length_bytes : 0;
  return before + options.length_adjust;
}

std::size_t max_frame_payload(const FramesOptions& options) noexcept {
  const std::int64_t sayable = (std::int64_t{1} << (8 * options.length_bytes)) - 1 + uncounted(options);
  const std::int64_t whole = std::min<std::int64_t>(sayable, options.max_packet_bytes);
  return static_cast<std::size_t>(std::max<std::int64_t>(0, whole - options.header_bytes));
}

}  // namespace

std::size_t max_payload(const WireOptions& options) noexcept {
  const std::size_t room = options.transport == Transport::kFrames ? max_frame_payload(options.frames) : 0xFFFFU - 1;
  if (options.compression != Compression::kZlib && options.compression != Compression::kZlibAuto) return room;
  return room - std::min(room, room / 64 + 32);  // what does not compress grows a little
}

void append_soup(char type, Bytes payload, std::vector<std::byte>& out) {
  const std::size_t start = out.size();
  out.resize(start + kSoupHeader + payload.size());
  store_be<std::uint16_t>(out, start, static_cast<std::uint16_t>(payload.size() + 1));
  out[start + 2] = static_cast<std::byte>(type);
  if (!payload.empty()) std::memcpy(out.data() + start + kSoupHeader, payload.data(), payload.size());
}

void append_frame(const FramesOptions& options, Bytes payload, std::vector<std::byte>& out) {
  const std::size_t start = out.size();
  out.resize(start + options.header_bytes);
  const MutableBytes header = MutableBytes{out}.subspan(start);
  const auto whole = static_cast<std::int64_t>(options.header_bytes + payload.size());
  store_length(options, static_cast<std::uint32_t>(whole - uncounted(options)), header);
  std::ranges::copy(as_bytes(options.magic), header.begin() + options.magic_offset);
  append(payload, out);
}

PacketWriter::PacketWriter(Bytes records, std::uint32_t loops, const WireOptions& options, const Faults& faults)
    : records_{records}, loops_{loops}, options_{options}, faults_{faults}, max_payload_{max_payload(options)} {}

bool PacketWriter::at_end(const Place& place) const noexcept {
  return records_.empty() || place.loop >= loops_ || place.packet >= faults_.end_after;
}

void PacketWriter::append(Place& place, std::vector<std::byte>& out, bool dry) {
  ready_made_ = false;
  if (faults_.truncated_zlib > 0 && place.packet == faults_.truncated_zlib) {
    make_truncated(place);
  } else if (faults_.bomb > 0 && place.packet == faults_.bomb) {
    make_bomb();
  } else {
    gather(place);
  }
  if (ready_made_) raw_ = payload_;
  ++place.packet;
  if (dry) return;
  const Bytes payload = ready_made_ ? raw_ : compress(place.packet);
  if (options_.transport == Transport::kFrames) return append_frame(options_.frames, payload, out);
  append_soup('S', payload, out);
  append_extras(place.packet, out);
}

void PacketWriter::gather(Place& place) {
  if (options_.payload == PayloadFormat::kMessage) {
    raw_ = next_message(place);
    if (raw_.size() > max_payload_)
      throw std::runtime_error("a message of " + std::to_string(raw_.size()) + " bytes fits into no packet");
    return;
  }
  payload_.clear();
  if (options_.payload == PayloadFormat::kMoldUdp64) append_mold_header(options_.session, place, payload_);
  gather_messages(place, max_payload_);
  raw_ = payload_;
}

/// Takes as many messages as the packet is to hold, or fewer where they do not fit.
void PacketWriter::gather_messages(Place& place, std::size_t limit) {
  const std::uint32_t wanted = messages_in(place.packet + 1);
  std::uint32_t count = 0;
  for (; count < wanted && !at_end(place); ++count) {
    const Place before = place;
    const Bytes message = next_message(place);
    if (payload_.size() + 2 + message.size() > limit) {
      place = before;
      break;
    }
    const std::size_t start = payload_.size();
    payload_.resize(start + 2);
    store_be<std::uint16_t>(payload_, start, static_cast<std::uint16_t>(message.size()));
    exchange::append(message, payload_);
  }
  if (count == 0) throw std::runtime_error("a message fits into no packet");
  if (options_.payload == PayloadFormat::kMoldUdp64)
    store_be<std::uint16_t>(payload_, 18, static_cast<std::uint16_t>(count));
}

Bytes PacketWriter::next_message(Place& place) {
  ++place.sequence;
  if (invalid_due(place)) {
    place.invalid_done = true;
    invalid_ = invalid_message(place.messages / faults_.invalid_every);
    return invalid_;
  }
  const std::size_t length = load_be<std::uint16_t>(records_, place.offset);
  const Bytes message = records_.subspan(place.offset + 2, length);
  place.offset += 2 + length;
  ++place.messages;
  place.invalid_done = false;
  if (place.offset < records_.size()) return message;
  place.offset = 0;
  ++place.loop;
  return message;
}

bool PacketWriter::invalid_due(const Place& place) const noexcept {
  return faults_.invalid_every > 0 && place.messages > 0 && !place.invalid_done &&
         place.messages % faults_.invalid_every == 0;
}

std::uint32_t PacketWriter::messages_in(std::uint64_t packet) const noexcept {
  if (options_.packet_messages > 0) return options_.packet_messages;
  return 1 + static_cast<std::uint32_t>(mix64(options_.seed * 0x10001 + packet) % 20);
}

/// What would come next, deflated, but only half of it.
void PacketWriter::make_truncated(const Place& place) {
  Place copy = place;
  gather(copy);
  deflater_.whole(raw_, compressed_);
  compressed_.resize(compressed_.size() / 2);
  payload_ = compressed_;
  ready_made_ = true;
}

void PacketWriter::make_bomb() {
  Deflater{9}.whole(std::vector<std::byte>(kBombBytes), payload_);
  ready_made_ = true;
}

/// With zlib-auto every other packet is deflated, and one that a reader would take for a zlib stream always is.
Bytes PacketWriter::compress(std::uint64_t packet) {
  const bool sometimes = options_.compression == Compression::kZlibAuto;
  if (!sometimes && options_.compression != Compression::kZlib) return raw_;
  if (sometimes && !looks_like_zlib(raw_) && mix64(options_.seed + packet) % 2 == 0) return raw_;
  deflater_.whole(raw_, compressed_);
  return compressed_;
}

void PacketWriter::append_extras(std::uint64_t packet, std::vector<std::byte>& out) const {
  if (faults_.unsequenced_every > 0 && packet % faults_.unsequenced_every == 0)
    append_soup('U', as_bytes("out of band"), out);
  if (faults_.debug_every > 0 && packet % faults_.debug_every == 0) append_soup('+', as_bytes("debug text"), out);
}

}  // namespace tickbridge::exchange
