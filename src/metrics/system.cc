#include "metrics/system.h"

#include <dirent.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace tickbridge::metrics {

namespace {

double seconds(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void read_memory(SystemSample& sample) {
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (std::ifstream file{"/proc/self/statm"}; file >> total >> resident) {
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    sample.virtual_bytes = static_cast<double>(total) * page;
    sample.resident_bytes = static_cast<double>(resident) * page;
  }
}

/// Fields 20 (threads) and 22 (start, ticks after boot) of /proc/self/stat; the second field is a name in
/// parentheses that may hold anything, so counting begins behind its last one.
void read_stat(SystemSample& sample) {
  std::ifstream file{"/proc/self/stat"};
  std::string line;
  if (!std::getline(file, line)) return;
  std::istringstream rest{line.substr(line.rfind(')') + 1)};
  std::string skipped;
  for (int field = 3; field < 20; ++field) rest >> skipped;
  double start_ticks = 0;
  if (!(rest >> sample.threads >> skipped >> start_ticks)) return;
  const double started_after_boot = start_ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  // Whole hundredths, so that two scrapes agree although they read the clocks at different times.
  const double boot = seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME);
  sample.start_time_seconds = std::round((boot + started_after_boot) * 100) / 100;
}

void read_files(SystemSample& sample) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) sample.max_fds = static_cast<double>(limit.rlim_cur);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory{opendir("/proc/self/fd"), &closedir};
  if (!directory) return;
  int entries = 0;
  while (readdir(directory.get()) != nullptr) ++entries;
  sample.open_fds = entries - 3;  // ".", ".." and the directory itself
}

}  // namespace

SystemSample sample_system() {
  SystemSample sample;
  sample.cpu_seconds = seconds(CLOCK_PROCESS_CPUTIME_ID);
  read_memory(sample);
  read_stat(sample);
  read_files(sample);
  return sample;
}

}  // namespace tickbridge::metrics
