#include "pipeline/decode.h"

#include <algorithm>

#include "base/check.h"
#include "codec/payload.h"
#include "codec/soup.h"

namespace tickbridge::pipeline {

using codec::Compression;
using codec::PayloadFormat;
using codec::Reason;

Decoder::Decoder(const codec::Options& options, const codec::Protocol& protocol)
    : cutter_{options},
      protocol_{protocol},
      compression_{options.compression},
      payload_{options.payload},
      limits_{options.max_inflated_bytes, options.max_inflate_ratio} {}

std::optional<codec::InflateLimits> Decoder::inflate_limits() const noexcept {
  const bool packets = compression_ == Compression::kZlib || compression_ == Compression::kZlibAuto;
  return packets ? std::optional{limits_} : std::nullopt;
}

std::size_t Decoder::arena_bytes(std::size_t task_bytes) const noexcept {
  return inflate_limits() ? limits_.max_bytes + 4 * task_bytes : 0;
}

void Decoder::decode(Task& task, const ring::ByteRing& ring) const {
  task.count = 0;
  if (task.rest.empty()) {
    task.arena_used = 0;
  } else {  // the rest may lie in the arena, and so will this piece's records
    split_block(task, task.rest, task.rest_index);
    if (!task.rest.empty()) return;
  }
  while (task.position != task.claim.end) {
    const Bytes bytes = ring.bytes(task.position, task.claim.end);
    const codec::Packet packet = cutter_.cut(bytes);
    check(packet.status == codec::Packet::Status::kWhole, "only whole packets are published");
    if (!take(task, packet, bytes)) return;
    task.position += packet.size;
    if (!task.rest.empty()) return;
  }
}

// false: the packet is for the next piece (no room, or a login); nothing was taken.
inline bool Decoder::take(Task& task, const codec::Packet& packet, Bytes bytes) const {
  if (task.records.size() - task.count < kMinRecords) return false;
  const Bytes payload = bytes.subspan(packet.payload_offset, packet.payload_size);
  if (packet.type == codec::soup::kSequenced) [[likely]]
    return take_payload(task, payload);
  if (packet.type == codec::soup::kEndOfSession) add(task, Record::Kind::kEnd, payload, Reason::kNone);
  if (packet.type != codec::soup::kAccepted) return true;
  if (task.count != 0) return false;  // a login begins a piece: all of a piece have one session and one numbering
  add(task, Record::Kind::kLogin, payload, Reason::kNone);
  return true;
}

inline bool Decoder::take_payload(Task& task, Bytes payload) const {
  Reason reason = Reason::kNone;
  const Bytes packet = payload;
  const bool inflates = compression_ == Compression::kZlib ||
                        (compression_ == Compression::kZlibAuto && codec::PacketInflater::looks_like_zlib(payload));
  if (inflates && !inflate(task, payload, reason)) return false;
  if (reason != Reason::kNone && compression_ == Compression::kZlibAuto && is_plain(packet)) reason = Reason::kNone;
  if (reason == Reason::kNone && !adds_up(payload)) reason = Reason::kSplit;
  if (reason != Reason::kNone) [[unlikely]] {
    add(task, Record::Kind::kBadPacket, packet, reason);
    ++task.packets;
    return true;
  }
  split(task, payload);
  return true;
}

bool Decoder::adds_up(Bytes payload) const noexcept {
  switch (payload_) {
    case PayloadFormat::kBlock:
      return codec::splits(payload);
    case PayloadFormat::kMoldUdp64:
      return codec::splits_mold(payload);
    default:
      return true;
  }
}

// A plain payload can begin like a zlib stream: ITCH's H of instrument 0x0Dxx is 48 0D. If it does not inflate but is
// whole as it came, it was never compressed; what is left of a damaged stream is neither a message of a known type,
// length and time nor does it add up. Where the table knows no times ("raw") nothing tells the two apart.
bool Decoder::is_plain(Bytes payload) const noexcept {
  if (payload_ != PayloadFormat::kMessage) return adds_up(payload);
  const codec::Checked checked = protocol_.check(payload);
  const bool known = checked.verdict == codec::Verdict::kValid || checked.verdict == codec::Verdict::kUnknownCode;
  return known && checked.time_ns != codec::kNoTime;
}

// false: the arena has no room left in this piece. A packet that does not inflate sets the reason.
bool Decoder::inflate(Task& task, Bytes& payload, Reason& reason) const {
  const MutableBytes room = MutableBytes{task.arena}.subspan(task.arena_used);
  if (room.size() < limits_.max_bytes) return false;
  const codec::Inflated inflated = task.inflater->inflate(payload, room);
  reason = inflated.reason;
  if (reason != Reason::kNone) return true;
  payload = room.first(inflated.size);
  task.arena_used += inflated.size;
  return true;
}

inline void Decoder::split(Task& task, Bytes payload) const {
  switch (payload_) {
    case PayloadFormat::kMessage:
      add_message(task, payload, 0);
      ++task.packets;
      return;
    case PayloadFormat::kBlock:
      return split_block(task, payload, 0);
    case PayloadFormat::kMoldUdp64:
      add(task, Record::Kind::kMoldHeader, payload.first(codec::MoldHeader::kSize), Reason::kNone);
      return split_block(task, payload.subspan(codec::MoldHeader::kSize), 0);
  }
}

// Adds as many messages as there is room for; what is left becomes the task's rest.
void Decoder::split_block(Task& task, Bytes block, std::uint32_t index) const {
  codec::BlockReader reader{block};
  Bytes message;
  while (!task.full() && reader.next(message)) add_message(task, message, index++);
  task.rest = reader.rest();
  task.rest_index = index;
  if (task.rest.empty()) ++task.packets;
}

inline void Decoder::add_message(Task& task, Bytes message, std::uint32_t index) const noexcept {
  using Kind = Record::Kind;
  const codec::Checked checked = protocol_.check(message);
  Record& record = task.records[task.count++];
  record.data = message.data();
  record.size = static_cast<std::uint32_t>(message.size());
  record.time_ns = checked.time_ns;
  record.packet = task.packets;
  record.index = index;
  record.instrument = checked.instrument;
  record.reason = checked.reason;
  switch (checked.verdict) {
    case codec::Verdict::kValid:
      record.kind = checked.directory ? Kind::kDirectory : Kind::kMessage;
      return;
    case codec::Verdict::kUnknownType:
      record.kind = Kind::kUnknownType;
      record.reason = Reason::kUnknownType;
      return;
    case codec::Verdict::kUnknownCode:
      // A directory message with a new code still teaches its symbol: the symbol itself is sound.
      record.kind = checked.directory ? Kind::kDirectory : Kind::kUnknownCode;
      record.reason = Reason::kUnknownCode;
      return;
    case codec::Verdict::kInvalid:
      record.kind = Kind::kInvalid;
      return;
  }
}

void Decoder::add(Task& task, Record::Kind kind, Bytes bytes, Reason reason) noexcept {
  Record& record = task.records[task.count++];
  record = Record{};
  record.data = bytes.data();
  record.size = static_cast<std::uint32_t>(bytes.size());
  record.packet = task.packets;
  record.kind = kind;
  record.reason = reason;
}

}  // namespace tickbridge::pipeline
