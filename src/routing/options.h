#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace tickbridge::routing {

enum class Key : std::uint8_t { kSymbol, kInstrument, kNone };
enum class PartitionerKind : std::uint8_t { kMurmur2, kCrc32, kRoundRobin, kExplicit };

struct Options {
  Key key = Key::kSymbol;
  PartitionerKind partitioner = PartitionerKind::kMurmur2;
  std::map<std::string, std::int32_t> partitions;  ///< explicit: key → partition; "*" the rest
};

}  // namespace tickbridge::routing
