#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "codec/inflate.h"
#include "codec/protocol.h"
#include "ring/byte_ring.h"

namespace tickbridge::pipeline {

/// One thing that decode found in the feed, in feed order. Points into the ring or the task's arena.
struct Record {
  enum class Kind : std::uint8_t {
    kMessage,    ///< valid
    kDirectory,  ///< valid, and teaches an instrument's symbol
    kUnknownType,
    kUnknownCode,
    kInvalid,     ///< a message that is a dead letter
    kBadPacket,   ///< a whole packet that is one
    kLogin,       ///< the payload of a login accepted packet: session and sequence of what follows
    kEnd,         ///< the end of the session
    kMoldHeader,  ///< session and sequence of the messages that follow
  };
  const std::byte* data = nullptr;
  std::uint64_t time_ns = codec::kNoTime;  ///< since midnight
  std::uint32_t size = 0;
  std::uint32_t packet = 0;  ///< sequenced packets of the task before this record's
  std::uint32_t index = 0;   ///< in the packet
  std::uint16_t instrument = 0;
  Kind kind = Kind::kMessage;
  codec::Reason reason = codec::Reason::kNone;

  [[nodiscard]] Bytes bytes() const noexcept { return {data, size}; }
};
static_assert(sizeof(Record) == 32);

/// What one worker decodes at a time: a claim of the ring, and what was found in it. Its memory is fixed.
///
/// A claim that holds more than the task has room for is decoded in pieces: decode fills the records, commit
/// takes them, decode goes on behind them.
struct Task {
  Task(std::size_t max_records, std::size_t arena_bytes, std::optional<codec::InflateLimits> inflate)
      : records(max_records), arena(arena_bytes) {
    if (inflate) inflater.emplace(*inflate);
  }

  void begin(const ring::Claim& what) noexcept {
    claim = what;
    position = what.begin;
    packets = 0;
    rest = {};
    rest_index = 0;
  }
  /// Where decoding stands, to go back to.
  struct Mark {
    std::uint64_t position;
    std::uint32_t packets;
    Bytes rest;
    std::uint32_t rest_index;
  };
  [[nodiscard]] Mark mark() const noexcept { return {position, packets, rest, rest_index}; }
  void go_back(const Mark& mark) noexcept {
    position = mark.position;
    packets = mark.packets;
    rest = mark.rest;
    rest_index = mark.rest_index;
  }
  [[nodiscard]] bool finished() const noexcept { return position == claim.end && rest.empty(); }
  [[nodiscard]] bool full() const noexcept { return count == records.size(); }
  [[nodiscard]] std::span<const Record> found() const noexcept { return {records.data(), count}; }

  ring::Claim claim;
  std::uint64_t position = 0;    // ring: the next packet to decode
  std::uint32_t packets = 0;     // sequenced packets decoded so far, in all pieces
  Bytes rest;                    // of a packet that did not fit into the last piece: a block of messages
  std::uint32_t rest_index = 0;  // index of the first message in rest
  std::vector<Record> records;
  std::size_t count = 0;         // records of the current piece
  std::vector<std::byte> arena;  // inflated packets of the current piece
  std::size_t arena_used = 0;
  std::optional<codec::PacketInflater> inflater;
};

}  // namespace tickbridge::pipeline
