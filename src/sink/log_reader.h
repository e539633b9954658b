#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "sink/options.h"

namespace tickbridge::sink {

/// The offsets that a partition holds: [begin, end).
struct Offsets {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// A part of a partition to be read: [begin, end).
struct Range {
  std::int32_t partition = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Reads a data topic back. One thread; every call blocks up to its deadline.
class LogReader {
 public:
  /// `isolation`: read_uncommitted, or read_committed: without the records of aborted transactions, and up to the first
  /// open one (that is where offsets() says a partition ends).
  [[nodiscard]] static Result<std::unique_ptr<LogReader>> open(const ProducerOptions& options, const std::string& topic,
                                                               std::string_view isolation = "read_uncommitted");
  virtual ~LogReader() = default;

  /// By partition, 0 to `partitions` - 1.
  [[nodiscard]] virtual Result<std::vector<Offsets>> offsets(std::int32_t partitions, SteadyTime deadline) = 0;
  /// How many partitions the topic has now.
  [[nodiscard]] virtual Result<std::int32_t> partitions(SteadyTime deadline) = 0;

  /// Every data record of the ranges (markers are passed over, what retention has deleted is not there), in order of
  /// offset within a partition. The views live as long as the call.
  using Take = std::function<void(std::int32_t partition, std::int64_t offset, std::string_view key, Bytes value)>;
  [[nodiscard]] virtual Result<void> read(const std::vector<Range>& ranges, const Take& take, SteadyTime deadline) = 0;
};

}  // namespace tickbridge::sink
