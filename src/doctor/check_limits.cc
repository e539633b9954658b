#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string>

#include "doctor/checks.h"

namespace tickbridge::doctor {

namespace {

constexpr std::uint64_t kMiB = 1 << 20;
/// The program, its threads and the client libraries, besides rings and buffer.
constexpr std::uint64_t kBase = 64 * kMiB;

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

std::string first_line(const std::string& path) {
  std::ifstream file{path};
  std::string line;
  std::getline(file, line);
  return line;
}

/// The cgroup that we are in (version 2), and those above it.
std::vector<std::string> groups() {
  std::string path = first_line("/proc/self/cgroup");
  path = path.starts_with("0::") ? path.substr(3) : "/";
  std::vector<std::string> folders;
  for (;; path.resize(path.rfind('/'))) {
    folders.push_back("/sys/fs/cgroup" + path);
    if (path.empty() || path.rfind('/') == path.npos) return folders;
  }
}

/// The tightest limit of the cgroups; nullopt: none.
std::optional<std::uint64_t> group_memory() {
  std::optional<std::uint64_t> least;
  for (const std::string& folder : groups()) {
    const auto limit = number(first_line(folder + "/memory.max"));
    if (limit) least = std::min(least.value_or(*limit), *limit);
  }
  return least;
}

std::uint64_t available_memory() {
  std::ifstream file{"/proc/meminfo"};
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("MemAvailable:")) continue;
    return number(line.substr(line.find_first_of("0123456789"))).value_or(0) * 1024;
  }
  return 0;
}

std::uint64_t wanted_memory(const config::Config& config) {
  return kBase + config.pipeline.ring_bytes * config.feeds.size() + config.producer.buffer_memory;
}

/// A sysctl's limit against what a socket option asks for.
void check_buffer(const config::Config& config, const char* property, const char* sysctl, Findings& out) {
  const auto asked = config.producer.properties.find(property);
  if (asked == config.producer.properties.end()) return;
  const std::string path = fmt::format("/proc/sys/net/core/{}", sysctl);
  const auto most = number(first_line(path));
  const auto wanted = number(asked->second);
  if (!most || !wanted) {
    out.push_back(skipped("socket buffers", fmt::format("{} cannot be read", path)));
  } else if (*wanted > *most) {
    out.push_back(
        warning("socket buffers",
                fmt::format("producer's {} = {} is more than the kernel gives (net.core.{} = {}); run: sysctl "
                            "-w net.core.{}={}",
                            property, *wanted, sysctl, *most, sysctl, *wanted)));
  } else {
    out.push_back(ok("socket buffers", fmt::format("{} = {}, net.core.{} = {}", property, *wanted, sysctl, *most)));
  }
}

}  // namespace

void check_memory(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  const std::uint64_t wanted = wanted_memory(context.config);
  const std::string needs =
      fmt::format("about {} MiB needed ({} feed(s) of ring_bytes {} MiB, buffer.memory {} MiB, the rest)",
                  wanted / kMiB, context.config.feeds.size(), context.config.pipeline.ring_bytes / kMiB,
                  context.config.producer.buffer_memory / kMiB);
  const auto group = group_memory();
  const std::uint64_t available = available_memory();
  if (group && *group < wanted) {
    out.push_back(warning("memory", fmt::format("{}, but the cgroup's memory.max is {} MiB; raise it (in a unit: "
                                                "MemoryMax=), or lower pipeline.ring_bytes or producer.buffer.memory",
                                                needs, *group / kMiB)));
  } else if (available != 0 && available < wanted) {
    out.push_back(
        warning("memory", fmt::format("{}, but {} MiB are available now; a daemon that runs already may be the "
                                      "reason, else lower pipeline.ring_bytes or producer.buffer.memory",
                                      needs, available / kMiB)));
  } else {
    out.push_back(ok("memory", fmt::format("{}, {} MiB available{}", needs, available / kMiB,
                                           group ? fmt::format(", cgroup limit {} MiB", *group / kMiB) : "")));
  }
  rlimit space{};
  if (::getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY && space.rlim_cur < 3 * wanted) {
    out.push_back(
        warning("memory", fmt::format("the limit on address space is {} MiB, and a ring is mapped twice; run: "
                                      "ulimit -v unlimited (in a unit: LimitAS=infinity)",
                                      space.rlim_cur / kMiB)));
  }
}

void check_cores(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int cores = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
  const std::size_t workers = context.config.pipeline.workers;
  if (cores == 0) {
    out.push_back(skipped("cores", "the kernel does not say how many this process may use"));
  } else if (workers > static_cast<std::size_t>(cores)) {
    out.push_back(
        warning("cores", fmt::format("pipeline.workers = {} on {} core(s): they get into each other's way; set "
                                     "it to 0 for cores - 1",
                                     workers, cores)));
  } else {
    out.push_back(ok("cores", fmt::format("{} usable, {} worker(s)", cores,
                                          workers != 0 ? workers : static_cast<std::size_t>(std::max(cores - 1, 1)))));
  }
}

void check_files(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  // Connections to brokers come several times (producer, notes, reader), feeds and HTTP have theirs.
  constexpr std::uint64_t kNeeded = 1024;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const std::uint64_t wanted = kNeeded + 8 * context.config.feeds.size();
  if (limit.rlim_cur < wanted) {
    out.push_back(
        warning("open files", fmt::format("the limit is {}, {} are advised for {} feed(s) with large clusters; "
                                          "run: ulimit -n 65536 (in a unit: LimitNOFILE=65536)",
                                          limit.rlim_cur, wanted, context.config.feeds.size())));
  } else {
    out.push_back(ok("open files", fmt::format("limit {}", limit.rlim_cur)));
  }
}

void check_sockets(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  check_buffer(context.config, "socket.receive.buffer.bytes", "rmem_max", out);
  check_buffer(context.config, "socket.send.buffer.bytes", "wmem_max", out);
}

}  // namespace tickbridge::doctor
