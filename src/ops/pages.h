#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/families.h"
#include "metrics/registry.h"

namespace tickbridge::ops {

/// Where the answers come from. Everything is called on the HTTP thread while a request waits: it may read what
/// other threads publish, and must not wait for them.
struct Sources {
  metrics::Registry* registry = nullptr;      ///< outlives the server; not null
  std::function<std::string()> ready = {};    ///< empty: ready, else why not
  std::function<std::string()> healthy = {};  ///< empty: the threads make progress, else which does not
  std::function<void()> sample = {};          ///< called first: sets gauges that nobody sets while running
  std::function<std::vector<metrics::Family>()> extra = {};  ///< more families for /metrics
};

struct Reply {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// The answer to a GET of `target` ("/metrics?x=1": what follows the question mark means nothing here).
[[nodiscard]] Reply answer(std::string_view target, const Sources& sources);

/// An answer in one sentence.
[[nodiscard]] Reply plain(unsigned status, std::string text);

}  // namespace tickbridge::ops
