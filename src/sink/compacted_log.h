#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sink/options.h"

namespace tickbridge::sink {

/// One record of a compacted log.
struct Entry {
  std::int64_t offset = 0;
  std::string key;
  std::optional<std::string> value;  ///< none: a tombstone
};

/// A one-partition compacted topic that holds the daemon's own notes: checkpoints, directory entries. Created where
/// missing (small segments), checked at start. Shared by all feeds; every feed's keys begin with its name and a slash.
///
/// Reading blocks, and is for one thread at a time (a feed's recovery); write() and the counts are for any thread.
class CompactedLog {
 public:
  /// Has clients of its own: an idempotent producer (acks=all) and, from the first reading on, a consumer (`isolation`:
  /// read_uncommitted or read_committed). Errors: kUnavailable with what to do, kConfig (the topic is not compacted,
  /// more than one partition).
  [[nodiscard]] static Result<std::unique_ptr<CompactedLog>> open(const ProducerOptions& options,
                                                                  const TopicOptions& topics, const std::string& topic,
                                                                  std::string_view isolation, SteadyTime deadline);
  /// One for reading: makes no topic and no producer. REQUIRES: it is never written to.
  [[nodiscard]] static std::unique_ptr<CompactedLog> open_to_read(const ProducerOptions& options,
                                                                  const std::string& topic, std::string_view isolation);
  virtual ~CompactedLog() = default;

  /// Reads backwards from the end, in growing windows, until `enough` says so of all that was read so far (the entries
  /// whose keys begin with `prefix`, in order of offset) or the beginning is reached. Returns those entries.
  using Enough = std::function<bool(const std::vector<Entry>&)>;
  [[nodiscard]] virtual Result<std::vector<Entry>> read_back(std::string_view prefix, const Enough& enough,
                                                             SteadyTime deadline) = 0;
  /// What was appended since the last read_back() or read_on(), waiting up to `patience` for the first of it; with
  /// none, what is there now.
  [[nodiscard]] virtual Result<std::vector<Entry>> read_on(std::string_view prefix,
                                                           std::chrono::milliseconds patience) = 0;

  /// Creates the topic again if somebody has deleted it, and says whether. What was in it is lost.
  [[nodiscard]] virtual Result<bool> restore(SteadyTime deadline) = 0;
  /// Whether a write has met no topic since the last call: time to restore(). Makes a producer that has failed anew,
  /// and answers what it had under way. Any thread; blocks.
  [[nodiscard]] virtual bool take_lost() = 0;

  /// Appends; no value: a tombstone. `done` is called by a thread of the log, once: the offset, or the error. Never
  /// blocks.
  using Done = std::function<void(const Result<std::int64_t>&)>;
  virtual void write(std::string key, std::optional<std::string> value, Done done) = 0;
};

}  // namespace tickbridge::sink
