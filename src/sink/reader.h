#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sink/log_reader.h"
#include "sink/lookup.h"
#include "sink/side_client.h"

namespace tickbridge::sink {

/// Reads parts of one topic: no group, no committed offsets, so it needs no more than the right to read the topic.
/// One thread; every call blocks up to its deadline. Idle between the calls.
class Reader {
 public:
  /// `isolation`: read_uncommitted or read_committed; with the latter ends are the last stable offsets.
  [[nodiscard]] static Result<std::unique_ptr<Reader>> open(const ProducerOptions& options, const std::string& topic,
                                                            std::string_view isolation);

  /// The topic as it is now. Errors: kUnavailable (it is not there, Kafka does not answer).
  [[nodiscard]] Result<Look> look(SteadyTime deadline);
  /// Of the partitions 0 to `partitions` - 1. The leaders' own answers.
  [[nodiscard]] Result<std::vector<Offsets>> offsets(std::int32_t partitions, SteadyTime deadline);

  /// A data record; its memory lives as long as the call.
  using Take = std::function<void(const rd_kafka_message_t&)>;
  /// Every data record of the ranges, in order of offset within a partition.
  [[nodiscard]] Result<void> read(const std::vector<Range>& ranges, const Take& take, SteadyTime deadline);
  /// Whether the topic is gone.
  [[nodiscard]] Result<bool> missing(SteadyTime deadline);
  /// What follows `from`: waits up to `patience` for the first record (zero: none is waited for), then reads up to the
  /// end. Returns the offset to go on from.
  [[nodiscard]] Result<std::int64_t> follow(std::int32_t partition, std::int64_t from, const Take& take,
                                            std::chrono::milliseconds patience);

  [[nodiscard]] const std::string& topic() const noexcept { return topic_; }
  [[nodiscard]] Client& client() noexcept { return side_->client(); }

 private:
  Reader(std::unique_ptr<SideClient> side, std::string topic);
  Result<std::vector<std::int64_t>> list_offsets(std::int32_t partitions, std::int64_t which, SteadyTime deadline);

  const std::string topic_;
  std::unique_ptr<SideClient> side_;
  TopicHandle handle_;
  bool known_ = false;  ///< the library knows the topic's partitions
};

}  // namespace tickbridge::sink
