#pragma once

#include <string>

namespace tickbridge::ops {

/// docs/events.md: every event of the log, from the table in base/events.h.
[[nodiscard]] std::string render_events_page();

}  // namespace tickbridge::ops
