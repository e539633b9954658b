#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "routing/options.h"

namespace tickbridge::routing {

/// Kafka's Java client's murmur2 (org.apache.kafka.common.utils.Utils), 32 bits, seed 0x9747b28c.
[[nodiscard]] std::uint32_t murmur2(std::string_view key) noexcept;
/// CRC-32 (IEEE 802.3), as librdkafka's "consistent" partitioner uses it.
[[nodiscard]] std::uint32_t crc32(std::string_view key) noexcept;

/// Whether every partition that the options name exists in a topic of `partition_count` partitions.
/// Error: kConfig, names key, partition and what to do. For start-up, once the topic's metadata is there.
[[nodiscard]] Result<void> check_partitions(const Options& options, std::int32_t partition_count);

/// Key → partition. Pure but for the turn of round_robin. Not thread-safe.
class Partitioner {
 public:
  /// REQUIRES: partition_count > 0.
  Partitioner(const Options& options, std::int32_t partition_count);

  /// Always in 0 .. partition_count - 1. Under round_robin, which config allows for messages without key
  /// only, as murmur2.
  [[nodiscard]] std::int32_t of_key(std::string_view key) const noexcept;
  /// For a message without key: 0; explicit: its "*"; round_robin: in turn over all.
  [[nodiscard]] std::int32_t without_key() noexcept;
  /// Starts the turn of round_robin again at 0.
  void restart() noexcept { turn_ = 0; }
  [[nodiscard]] std::int32_t turn() const noexcept { return turn_; }
  void restore_turn(std::int32_t turn) noexcept { turn_ = turn % count_; }

 private:
  [[nodiscard]] std::int32_t existing(std::int32_t partition) const noexcept;

  // constant after construction
  PartitionerKind kind_;
  std::int32_t count_;
  std::map<std::string, std::int32_t, std::less<>> explicit_;
  std::int32_t rest_ = 0;  // explicit: its "*"
  // worker that holds the commit flag
  std::int32_t turn_ = 0;
};

}  // namespace tickbridge::routing
