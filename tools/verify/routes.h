#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "itch.h"

namespace tickbridge::verify {

enum class KeyKind { kSymbol, kInstrument, kNone };
enum class PartitionKind { kMurmur2, kCrc32, kRoundRobin, kExplicit };

/// How a feed's messages are to be routed (docs/configuration.md).
struct RouteRules {
  KeyKind key = KeyKind::kSymbol;
  PartitionKind partitioner = PartitionKind::kMurmur2;
  std::map<std::string, std::int32_t, std::less<>> partitions{};  ///< explicit
};

struct Route {
  std::string_view key;  ///< empty: none; valid until the next call
  std::int32_t partition = 0;
};

/// Where each message of one session must go, told in feed order.
class Routes {
 public:
  Routes(const RouteRules& rules, std::int32_t partition_count);
  [[nodiscard]] Route of(const Message& message, std::string_view bytes);

 private:
  struct Known {
    std::string key;
    std::int32_t partition = -1;  ///< -1: not used or learnt yet
    bool sticky = false;          ///< used before it was learnt: keeps its number for the session
  };
  [[nodiscard]] std::int32_t partition_of(std::string_view key) const;
  [[nodiscard]] std::int32_t without_key();
  Route of_directory(const Message& message, std::string_view bytes);

  RouteRules rules_;
  std::int32_t count_;
  std::int32_t turn_ = 0;
  std::vector<Known> instruments_;
  std::string symbol_;  ///< the key last given out for an R
};

}  // namespace tickbridge::verify
