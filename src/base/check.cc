#include "base/check.h"

#include <cstdlib>

#include "base/log.h"

namespace tickbridge {

void check_failed(std::string_view what, const std::source_location& where) noexcept {
  log_event(Event::kInvariantBroken, "invariant broken: {} ({}:{}); this is a fault in tickbridge, please report it",
            what, where.file_name(), where.line());
  end_log();
  std::abort();
}

}  // namespace tickbridge
