#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "ops/pages.h"

namespace tickbridge::ops {

/// The page at "/": src/ops/dashboard/index.html with the feeds as a plain table, which says all that there is to say
/// where no JavaScript runs; where it does, it takes over.
[[nodiscard]] std::string render_index(const Sources& sources, SteadyTime now);

/// `text` with what means something in HTML escaped.
[[nodiscard]] std::string html(std::string_view text);

}  // namespace tickbridge::ops
