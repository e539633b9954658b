#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "exchange/packets.h"

namespace tickbridge::exchange {

/// A run of packets as they go on the wire. Immutable.
struct Chunk {
  std::uint64_t first = 0;  ///< number of its first packet
  std::vector<std::byte> bytes;
  std::vector<std::uint32_t> ends;      ///< per packet: where it ends in `bytes`
  std::vector<std::uint32_t> messages;  ///< per packet: messages of the file from the chunk's start up to its end

  [[nodiscard]] std::uint64_t last() const noexcept { return first + ends.size() - 1; }
  /// Where a packet begins. REQUIRES: first <= packet <= last() + 1.
  [[nodiscard]] std::size_t begin_of(std::uint64_t packet) const noexcept {
    return packet == first ? 0 : ends[packet - first - 1];
  }
};

/// A session's wire bytes, encoded in chunks when first asked for. The oldest chunks are forgotten when
/// memory is used up, and encoded again. One thread.
class Image {
 public:
  Image(Bytes records, std::uint32_t loops, const WireOptions& options, const Faults& faults);

  /// The chunk that holds the packet; null: the session has no such packet. Numbers begin with 1.
  [[nodiscard]] std::shared_ptr<const Chunk> find(std::uint64_t packet);
  /// How many packets lie within the file's first `messages` messages.
  [[nodiscard]] std::uint64_t packets_within(std::uint64_t messages);
  /// Encodes from the start until all is encoded or memory is used up, so that serving costs only the sending.
  void encode_ahead();
  /// True if the session has no packets beyond those, as far as `packets_within` has gone.
  [[nodiscard]] bool all_within(std::uint64_t messages) const noexcept {
    return complete_ && messages >= begins_.back().messages;
  }
  /// The number of the session's last packet, as far as it is `limit` or below; else `limit`. 0: no packets.
  [[nodiscard]] std::uint64_t last_up_to(std::uint64_t limit);

 private:
  static constexpr std::size_t kChunkPayload = 192U << 10U;  ///< payload bytes after which a chunk ends
  static constexpr std::size_t kChunksKept = 1536;           ///< about 300 to 400 MiB

  bool extend();
  void extend_encoded();
  void keep(std::size_t index, std::shared_ptr<const Chunk> chunk);
  [[nodiscard]] std::shared_ptr<const Chunk> chunk(std::size_t index);
  [[nodiscard]] std::shared_ptr<const Chunk> encode(Place& place);

  PacketWriter writer_;
  std::vector<Place> begins_;  ///< of the chunks; the last is the end of what is known
  bool complete_ = false;
  std::unordered_map<std::size_t, std::shared_ptr<const Chunk>> kept_;
  std::deque<std::size_t> kept_order_;
};

}  // namespace tickbridge::exchange
