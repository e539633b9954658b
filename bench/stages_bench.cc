// What do our own stages cost, without the client library? Read (a memcpy here), scan, decode, commit; ns of CPU a
// message. Usage: stages_bench FILE.itch [ROUNDS] [TASK_BYTES] [TIMESTAMPS: exchange|send]
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "metrics/feed_metrics.h"
#include "net/scanner.h"
#include "null_lane.h"
#include "pipeline/feed.h"
#include "pipeline/workers.h"

namespace {

using namespace tickbridge;

/// The file's messages as SoupBinTCP packets.
std::string soup_bytes(const char* path, std::uint64_t& messages) {
  std::ifstream file{path, std::ios::binary};
  const std::string itch{std::istreambuf_iterator<char>{file}, {}};
  std::string out;
  for (std::size_t at = 0; at + 2 <= itch.size(); ++messages) {
    const std::size_t size = load_be<std::uint16_t>(as_bytes(itch), at);
    if (at + 2 + size > itch.size()) break;
    out += {static_cast<char>((size + 1) >> 8U), static_cast<char>((size + 1) & 0xFFU), 'S'};
    out.append(itch, at + 2, size);
    at += 2 + size;
  }
  return out;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: stages_bench FILE.itch [ROUNDS] [TASK_BYTES] [exchange|send]\n", stderr), 64;
  std::uint64_t messages = 0;
  const std::string bytes = soup_bytes(argv[1], messages);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  pipeline::Feed::Settings settings;
  settings.name = "bench";
  if (argc > 3) settings.pipeline.task_bytes = std::strtoull(argv[3], nullptr, 10);
  pipeline::Committer::Settings commit;
  commit.resume.next_sequence = 0;
  if (argc > 4 && std::strcmp(argv[4], "send") == 0) commit.policies.timestamp = pipeline::Timestamp::kSend;

  ring::Parking parking;
  metrics::FeedMetrics metrics{"bench"};
  bench::NullLane lane{12};
  auto feed = std::move(
      pipeline::Feed::create(std::move(settings), parking, metrics,
                             {.on_space = [] {}, .on_scan = [](auto, const auto&) {}, .on_failed = [](const Error&) {}})
          .value());
  feed->attach(commit, pipeline::TradingDay::create("2020-01-30", "America/New_York").value(), {}, lane);
  std::vector<pipeline::Feed*> feeds{feed.get()};
  pipeline::Workers workers{1, feeds, parking};
  net::PacketScanner scanner{{}};
  std::string login{
      "\0\x1f"
      "A        S1                   1",
      33};
  const auto write = [&](std::string_view rest) {
    while (!rest.empty()) {
      const MutableBytes room = feed->ring().writable();
      const std::size_t n = std::min({room.size(), rest.size(), std::size_t{256} << 10U});
      if (n == 0) {
        std::this_thread::yield();
        continue;
      }
      std::memcpy(room.data(), rest.data(), n);
      rest.remove_prefix(n);
      feed->ring().wrote(n);
      net::Scan scan;
      do {
        scan = scanner.scan(feed->ring().unpublished());
        feed->ring().publish(scan.whole, 1);
      } while (scan.stop != net::Scan::Stop::kMore);
      feed->announce();
    }
  };
  write(login);
  write(bytes);
  while (!feed->drained()) std::this_thread::yield();
  const double before = cpu_seconds();
  const auto began = SteadyClock::now();
  for (int i = 0; i < rounds; ++i) write(bytes);
  while (!feed->drained()) std::this_thread::yield();
  const double wall = std::chrono::duration<double>(SteadyClock::now() - began).count();
  const double n = static_cast<double>(messages) * rounds;
  std::printf("%.0f messages: %.1f ns CPU a message, %.1f M messages/s\n", n, (cpu_seconds() - before) / n * 1e9,
              n / wall / 1e6);
}
