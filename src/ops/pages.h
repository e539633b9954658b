#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/families.h"
#include "metrics/registry.h"
#include "ops/recent.h"

namespace tickbridge::ops {

/// What one partition of a feed's topic has had since the feed's records go there: since its last recovery.
struct PartitionLoad {
  std::uint64_t acknowledged = 0;  ///< records
  std::uint64_t in_flight = 0;     ///< records handed over and not yet acknowledged
  std::int64_t last_offset = -1;   ///< of the last one acknowledged; -1: none, or not told
};

/// Where a feed's records go; by partition.
struct Placement {
  std::string topic;
  std::vector<PartitionLoad> partitions;  ///< empty: not writing now
};

/// Where the answers come from. Everything is called on the HTTP thread while a request waits: it may read what
/// other threads publish, and must not wait for them.
struct Sources {
  metrics::Registry* registry = nullptr;      ///< outlives the server; not null
  std::function<std::string()> ready = {};    ///< empty: ready, else why not
  std::function<std::string()> healthy = {};  ///< empty: the threads make progress, else which does not
  std::function<void()> sample = {};          ///< called first: sets gauges that nobody sets while running
  std::function<std::vector<metrics::Family>()> extra = {};  ///< more families for /metrics
  std::function<bool()> connected = {};                      ///< to Kafka
  std::function<Placement(std::string_view feed)> placement = {};
  Recent* recent = nullptr;  ///< outlives the server; the HTTP thread's; null: nothing is told of the last seconds
};

struct Reply {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// What a browser may do with any answer: load this server's own files, ask this server, and nothing else.
inline constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

/// The answer to a GET of `target`. What follows a question mark means something to /api/partitions only.
[[nodiscard]] Reply answer(std::string_view target, const Sources& sources);

/// An answer in one sentence.
[[nodiscard]] Reply plain(unsigned status, std::string text);

}  // namespace tickbridge::ops
