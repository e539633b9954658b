#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "sink/options.h"

namespace tickbridge::sink {

/// How the ends of a topic's partitions were made true.
struct FenceReport {
  bool fenced = false;  ///< false: settled only
  std::string why_not;  ///< settled: why the broker would not fence, for the log
  int rounds = 0;       ///< transactions that it took
};

/// Makes the end offsets true (recovery.md, "Fence"): an aborted transaction over every partition that sends no record;
/// repeated until the last offset of each partition holds no data record. Where transactions are not to be had (no
/// right, the embedded broker), waits until the ends stand still for `settle`, and says so. `transactional_id`:
/// <prefix>-<feed>. Blocks; start-up thread. Errors: kUnavailable when the deadline passes.
[[nodiscard]] Result<FenceReport> fence(const ProducerOptions& options, const std::string& transactional_id,
                                        const std::string& topic, std::int32_t partitions,
                                        std::chrono::milliseconds settle, SteadyTime deadline);

/// Ends the transaction that a dead process with this id has left open, or half committed; comes back when its markers
/// are written, so that readers of committed records see all that it has committed. Blocks; start-up thread. Errors:
/// kUnavailable.
[[nodiscard]] Result<void> end_transaction(const ProducerOptions& options, const std::string& transactional_id,
                                           const std::string& topic, SteadyTime deadline);

}  // namespace tickbridge::sink
