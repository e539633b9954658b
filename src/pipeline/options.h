#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tickbridge::pipeline {

enum class OnInvalid : std::uint8_t { kDeadLetter, kDrop, kStop };
enum class OnUnknown : std::uint8_t { kPass, kDeadLetter, kDrop };
enum class OnGap : std::uint8_t { kContinue, kStop };
enum class Timestamp : std::uint8_t { kExchange, kReceive, kSend, kBroker };

/// One feed's policies.
struct FeedPolicies {
  OnInvalid on_invalid = OnInvalid::kDeadLetter;
  OnUnknown on_unknown = OnUnknown::kPass;
  OnGap on_gap = OnGap::kContinue;
  Timestamp timestamp = Timestamp::kExchange;
  std::string trading_date = "today";
  std::string time_zone = "America/New_York";
  // when the feed runs (base/opening_hours.h)
  std::string hours = "00:00-24:00";
  std::string days = "sun-sat";
  std::map<std::string, std::string> hours_on;  ///< a day, such as 2026-12-25 → its hours
};

/// The whole daemon's.
struct Options {
  std::size_t workers = 0;            ///< 0: cores - 1, at least 1
  std::size_t ring_bytes = 67108864;  ///< a feed
  std::size_t task_bytes = 131072;
};

}  // namespace tickbridge::pipeline
