#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "routing/options.h"

namespace tickbridge::routing {

/// Kafka's Java client's murmur2 (org.apache.kafka.common.utils.Utils), 32 bits, seed 0x9747b28c.
[[nodiscard]] std::uint32_t murmur2(std::string_view key) noexcept;
/// CRC-32 (IEEE 802.3), as librdkafka's "consistent" partitioner uses it.
[[nodiscard]] std::uint32_t crc32(std::string_view key) noexcept;

/// Key → partition.
class Partitioner {
 public:
  Partitioner(const Options& options, std::int32_t partition_count);
  /// REQUIRES: !key.empty().
  [[nodiscard]] std::int32_t of_key(std::string_view key) const noexcept;
  /// For a message without key: 0; explicit: its "*"; round_robin: in turn over all.
  [[nodiscard]] std::int32_t without_key() noexcept;

 private:
  PartitionerKind kind_;
  std::map<std::string, std::int32_t, std::less<>> explicit_;
  std::int32_t count_;
  std::int32_t turn_ = 0;
};

}  // namespace tickbridge::routing
