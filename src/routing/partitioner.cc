#include "routing/partitioner.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>

#include "base/bytes.h"
#include "base/check.h"

namespace tickbridge::routing {
namespace {

constexpr std::uint32_t kSeed = 0x9747b28c;
constexpr std::uint32_t kMultiplier = 0x5bd1e995;

constexpr std::uint32_t mixed(std::uint32_t word) noexcept {
  word *= kMultiplier;
  word ^= word >> 24U;
  return word * kMultiplier;
}

/// The last one to three bytes, little-endian.
std::uint32_t tail_of(std::string_view tail) noexcept {
  std::uint32_t word = 0;
  for (std::size_t i = tail.size(); i-- > 0;) word = (word << 8U) | static_cast<std::uint8_t>(tail[i]);
  return word;
}

constexpr std::array<std::uint32_t, 256> make_crc_table() noexcept {
  constexpr std::uint32_t kPolynomial = 0xedb88320;  // IEEE 802.3, reflected
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    table[byte] = crc;
  }
  return table;
}
constexpr auto kCrcTable = make_crc_table();

}  // namespace

std::uint32_t murmur2(std::string_view key) noexcept {
  const Bytes bytes = as_bytes(key);
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(key.size());
  std::size_t at = 0;
  for (; at + 4 <= key.size(); at += 4) hash = (hash * kMultiplier) ^ mixed(load_le<std::uint32_t>(bytes, at));
  if (at < key.size()) hash = (hash ^ tail_of(key.substr(at))) * kMultiplier;
  hash ^= hash >> 13U;
  hash *= kMultiplier;
  return hash ^ (hash >> 15U);
}

std::uint32_t crc32(std::string_view key) noexcept {
  std::uint32_t crc = 0xffffffff;
  for (const char c : key) crc = kCrcTable[(crc ^ static_cast<std::uint8_t>(c)) & 0xffU] ^ (crc >> 8U);
  return ~crc;
}

Result<void> check_partitions(const Options& options, std::int32_t partition_count) {
  if (options.partitioner != PartitionerKind::kExplicit) return {};
  for (const auto& [key, partition] : options.partitions) {
    if (partition >= 0 && partition < partition_count) continue;
    return error(
        ExitCode::kConfig,
        fmt::format("partitions: \"{}\" is to go to partition {}, but the topic has partitions 0 to {}; change "
                    "the map, or add partitions to the topic",
                    key, partition, partition_count - 1));
  }
  return {};
}

Partitioner::Partitioner(const Options& options, std::int32_t partition_count)
    : kind_(options.partitioner),
      count_(partition_count),
      explicit_(options.partitions.begin(), options.partitions.end()) {
  check(partition_count > 0, "a topic has at least one partition");
  const auto rest = explicit_.find("*");
  if (rest != explicit_.end()) rest_ = existing(rest->second);
}

std::int32_t Partitioner::of_key(std::string_view key) const noexcept {
  const auto count = static_cast<std::uint32_t>(count_);
  switch (kind_) {
    case PartitionerKind::kCrc32:
      return static_cast<std::int32_t>(crc32(key) % count);  // unsigned, as in the library
    case PartitionerKind::kExplicit: {
      const auto found = explicit_.find(key);
      return found == explicit_.end() ? rest_ : existing(found->second);
    }
    case PartitionerKind::kMurmur2:
    case PartitionerKind::kRoundRobin:
      break;
  }
  return static_cast<std::int32_t>((murmur2(key) & 0x7fffffffU) % count);  // Java's Utils.toPositive
}

std::int32_t Partitioner::without_key() noexcept {
  if (kind_ != PartitionerKind::kRoundRobin) return rest_;
  const std::int32_t partition = turn_;
  turn_ = turn_ + 1 == count_ ? 0 : turn_ + 1;
  return partition;
}

/// A partition that does not exist must never reach the library; check_partitions() has told of it at start.
std::int32_t Partitioner::existing(std::int32_t partition) const noexcept {
  return partition >= 0 && partition < count_ ? partition : 0;
}

}  // namespace tickbridge::routing
