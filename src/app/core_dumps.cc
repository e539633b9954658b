#include "app/core_dumps.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <optional>

namespace tickbridge::app {

namespace {

std::optional<rlimit> usual;  // main thread only

}  // namespace

// The limit alone would not do: where kernel.core_pattern is a pipe (systemd-coredump, apport) it is not asked,
// core(5). A process that is not dumpable is never written, and its memory cannot be read by others of its user. What
// it loses: ptrace(2) and /proc/PID/{fd,mem,environ,…} are root's; its own /proc/self stays readable to itself.
void forbid_core_dumps() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_CORE, &limit) == 0) {
    usual = limit;
    limit.rlim_cur = 0;
    (void)setrlimit(RLIMIT_CORE, &limit);
  }
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void allow_core_dumps() noexcept {
  if (usual) (void)setrlimit(RLIMIT_CORE, &*usual);
  (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

}  // namespace tickbridge::app
