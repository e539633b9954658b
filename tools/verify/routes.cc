#include "routes.h"

#include <zlib.h>

#include "hash.h"

namespace tickbridge::verify {

Routes::Routes(const RouteRules& rules, std::int32_t partition_count)
    : rules_(rules), count_(partition_count), instruments_(65536) {}

Route Routes::of(const Message& message, std::string_view bytes) {
  if (rules_.key == KeyKind::kNone) return {{}, without_key()};
  if (rules_.key == KeyKind::kSymbol && message.directory) return of_directory(message, bytes);
  if (message.instrument == 0) return {{}, without_key()};
  Known& known = instruments_[message.instrument];
  if (known.partition < 0) {
    const auto number = std::to_string(message.instrument);
    known.key = rules_.key == KeyKind::kSymbol ? "#" + number : number;
    known.partition = partition_of(known.key);
    known.sticky = true;
  }
  return {known.key, known.partition};
}

/// An R goes under its own symbol, and teaches it unless the instrument was used before.
Route Routes::of_directory(const Message& message, std::string_view bytes) {
  symbol_ = directory_symbol(bytes);
  if (symbol_.empty() && message.instrument == 0) return {{}, without_key()};
  if (symbol_.empty()) symbol_ = "#" + std::to_string(message.instrument);
  const auto partition = partition_of(symbol_);
  Known& known = instruments_[message.instrument];
  if (message.instrument != 0 && !known.sticky) known = {symbol_, partition, false};
  return {symbol_, partition};
}

std::int32_t Routes::partition_of(std::string_view key) const {
  const auto count = static_cast<std::uint32_t>(count_);
  if (rules_.partitioner == PartitionKind::kCrc32) {
    const auto crc = ::crc32(0, reinterpret_cast<const Bytef*>(key.data()), static_cast<uInt>(key.size()));
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(crc) % count);
  }
  if (rules_.partitioner == PartitionKind::kExplicit) {
    const auto found = rules_.partitions.find(key);
    const auto entry = found != rules_.partitions.end() ? found : rules_.partitions.find("*");
    return entry != rules_.partitions.end() ? entry->second : 0;
  }
  return static_cast<std::int32_t>((murmur2(key) & 0x7fffffffU) % count);
}

std::int32_t Routes::without_key() {
  if (rules_.partitioner == PartitionKind::kExplicit) {
    const auto rest = rules_.partitions.find("*");
    return rest != rules_.partitions.end() ? rest->second : 0;
  }
  if (rules_.partitioner != PartitionKind::kRoundRobin) return 0;
  const auto partition = turn_;
  turn_ = (turn_ + 1) % count_;
  return partition;
}

}  // namespace tickbridge::verify
