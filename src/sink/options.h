#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tickbridge::sink {

enum class Delivery : std::uint8_t { kAtMostOnce, kAtLeastOnce, kExactlyOnce, kTransactional };
enum class Send : std::uint8_t { kAsync, kSync, kFireAndForget };
enum class WhenFull : std::uint8_t { kWait, kStop, kDrop };
enum class Header : std::uint8_t { kSequence, kFeed, kReceiveTime };

/// The shared producer's.
struct ProducerOptions {
  /// Properties of the client library by its own names, Java's names already translated.
  std::map<std::string, std::string> properties;
  std::size_t buffer_memory = 33554432;                ///< bytes, Java's buffer.memory
  std::chrono::milliseconds max_block{60'000};         ///< Java's max.block.ms
  std::size_t max_in_flight_messages = 0;              ///< 0: in_flight_share() says how many
  std::chrono::milliseconds metadata_timeout{60'000};  ///< Java's metadata.fetch.timeout.ms
  std::chrono::milliseconds transaction_interval{100};
  std::size_t transaction_messages = 100'000;  ///< one that holds so many is committed before its time
  std::string transactional_id_prefix = "tickbridge";
};

/// Missing topics.
struct TopicOptions {
  bool create = false;
  std::int32_t partitions = 12;
  std::int32_t replication_factor = 3;
  std::map<std::string, std::string> config;
};

/// One feed's way out.
struct FeedOptions {
  std::string topic = "ticks";
  std::string dead_letter_topic = "ticks.dead";
  Delivery delivery = Delivery::kExactlyOnce;
  Send send = Send::kAsync;
  WhenFull when_full = WhenFull::kWait;
  std::vector<Header> headers;
};

}  // namespace tickbridge::sink
