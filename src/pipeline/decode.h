#pragma once

#include "codec/options.h"
#include "codec/packet.h"
#include "codec/protocol.h"
#include "pipeline/task.h"
#include "ring/byte_ring.h"

namespace tickbridge::pipeline {

/// Turns claimed bytes into records: cuts packets, inflates, splits, validates. Stateless and pure, so that
/// any worker may decode any task, again too. A packet is whole or nothing: one that does not inflate or
/// split is one record of kind kBadPacket.
class Decoder {
 public:
  Decoder(const codec::Options& options, const codec::Protocol& protocol);

  /// Decodes the next piece of the task's claim. REQUIRES: !task.finished(), and the last piece was committed.
  void decode(Task& task, const ring::ByteRing& ring) const;

  /// Room that a task needs at least, beside that for speed: the largest packet must fit.
  [[nodiscard]] std::size_t arena_bytes(std::size_t task_bytes) const noexcept;
  [[nodiscard]] std::optional<codec::InflateLimits> inflate_limits() const noexcept;
  static constexpr std::size_t kMinRecords = 2;  // a header and a message

 private:
  [[nodiscard]] bool take(Task& task, const codec::Packet& packet, Bytes bytes) const;
  [[nodiscard]] bool take_payload(Task& task, Bytes payload) const;
  [[nodiscard]] bool inflate(Task& task, Bytes& payload, codec::Reason& reason) const;
  [[nodiscard]] bool adds_up(Bytes payload) const noexcept;
  [[nodiscard]] bool is_plain(Bytes payload) const noexcept;
  void split(Task& task, Bytes payload) const;
  void split_block(Task& task, Bytes block, std::uint32_t index) const;
  void add_message(Task& task, Bytes message, std::uint32_t index) const noexcept;
  static void add(Task& task, Record::Kind kind, Bytes bytes, codec::Reason reason) noexcept;

  codec::PacketCutter cutter_;
  const codec::Protocol& protocol_;
  codec::Compression compression_;
  codec::PayloadFormat payload_;
  codec::InflateLimits limits_;
};

}  // namespace tickbridge::pipeline
