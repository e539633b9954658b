#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "exchange/deflater.h"
#include "exchange/faults.h"
#include "exchange/options.h"

namespace tickbridge::exchange {

/// A place between two packets of a session.
struct Place {
  std::uint64_t packet = 0;    ///< number of the last packet before it
  std::uint64_t messages = 0;  ///< messages of the file before it, all loops counted
  std::uint64_t sequence = 1;  ///< MoldUDP64: of the next message
  std::size_t offset = 0;      ///< of the next record in the file
  std::uint32_t loop = 0;      ///< times the file was gone through
  bool invalid_done = false;   ///< the invalid message due here has been sent
};

/// Turns messages into the session's packets, one after the other. The packets depend on the options alone, so any
/// place can be encoded again and gives the same bytes. One thread at a time.
class PacketWriter {
 public:
  /// REQUIRES: records outlives this. Throws std::runtime_error if a message fits into no packet.
  PacketWriter(Bytes records, std::uint32_t loops, const WireOptions& options, const Faults& faults);

  [[nodiscard]] bool at_end(const Place& place) const noexcept;
  /// Appends the packet after `place`, with the unsequenced and debug packets that follow it, and moves on.
  /// `dry` leaves the bytes away and only moves. REQUIRES: !at_end(place).
  void append(Place& place, std::vector<std::byte>& out, bool dry = false);
  /// Bytes of payload, not compressed, of the packet written last.
  [[nodiscard]] std::size_t payload_bytes() const noexcept { return raw_.size(); }

 private:
  void gather(Place& place);
  void gather_messages(Place& place, std::size_t limit);
  [[nodiscard]] Bytes next_message(Place& place);
  [[nodiscard]] bool invalid_due(const Place& place) const noexcept;
  [[nodiscard]] std::uint32_t messages_in(std::uint64_t packet) const noexcept;
  void make_truncated(const Place& place);
  void make_bomb();
  [[nodiscard]] Bytes compress(std::uint64_t packet);
  void append_extras(std::uint64_t packet, std::vector<std::byte>& out) const;

  Bytes records_;
  std::uint32_t loops_;
  WireOptions options_;
  Faults faults_;
  std::size_t max_payload_;
  Deflater deflater_;
  Bytes raw_;                          ///< payload of the packet being written, not compressed
  std::vector<std::byte> payload_;     ///< where it lies, unless it is a message of the file
  std::vector<std::byte> compressed_;  ///< the same, deflated
  std::vector<std::byte> invalid_;     ///< the invalid message being sent
  bool ready_made_ = false;            ///< the payload goes out as it is: it is a fault's
};

/// Appends a SoupBinTCP packet.
void append_soup(char type, Bytes payload, std::vector<std::byte>& out);
/// Appends a frame. The length field must be able to say the payload's size.
void append_frame(const FramesOptions& options, Bytes payload, std::vector<std::byte>& out);
/// The largest payload that the transport can carry.
[[nodiscard]] std::size_t max_payload(const WireOptions& options) noexcept;

}  // namespace tickbridge::exchange
