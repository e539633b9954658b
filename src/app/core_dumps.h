#pragma once

namespace tickbridge::app {

/// From here on a crash writes no core file, and neither a debugger nor another process of the same user looks into
/// this one's memory: passwords and keys are in it. Call it before there are any.
void forbid_core_dumps() noexcept;
/// As it was before.
void allow_core_dumps() noexcept;

}  // namespace tickbridge::app
