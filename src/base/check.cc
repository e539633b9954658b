#include "base/check.h"

#include <spdlog/spdlog.h>

#include <cstdlib>

namespace tickbridge {

void check_failed(std::string_view what, const std::source_location& where) noexcept {
  spdlog::critical("invariant broken: {} ({}:{}); this is a fault in tickbridge, please report it", what,
                   where.file_name(), where.line());
  spdlog::shutdown();
  std::abort();
}

}  // namespace tickbridge
