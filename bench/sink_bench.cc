// What does handing records over cost beyond the bare client library? Same records, same groups, same allocator,
// same bound of messages in flight, into the library's mock cluster in a process of its own. Prints CPU
// nanoseconds a message: of the thread that hands over, and of the whole process (sending included), and ours as
// a ratio of the bare library's in the same run.
//
// sink_bench [MESSAGES (2000000) [ROUNDS (3)]]; with another allocator: LD_PRELOAD=…/libmimalloc.so sink_bench
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <librdkafka/rdkafka_mock.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <semaphore>
#include <thread>
#include <vector>

#include "bare_client.h"
#include "clock.h"
#include "sink/producer.h"

namespace {

using namespace std::chrono_literals;
using namespace tickbridge;        // NOLINT
using namespace tickbridge::sink;  // NOLINT

constexpr std::int32_t kPartitions = 12;
constexpr std::size_t kGroup = 250;
constexpr std::size_t kInFlight = 50'000;
constexpr std::int64_t kTimestamp = 1'577'800'000'000;
constexpr std::string_view kKey = "AAPL    ";
constexpr std::string_view kValue = "0123456789012345678901234567890123456789";

/// The mock cluster, in a child process that dies with us.
class Broker {
 public:
  Broker() {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) std::abort();
    child_ = fork();
    if (child_ == 0) serve(ends[1]);
    std::array<char, 256> text{};
    if (read(ends[0], text.data(), text.size() - 1) <= 0) std::abort();
    servers_ = text.data();
  }
  ~Broker() {
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
  }
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  [[nodiscard]] const std::string& servers() const { return servers_; }

 private:
  [[noreturn]] static void serve(int out) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, nullptr);
    rd_kafka_t* host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    rd_kafka_mock_cluster_t* cluster = rd_kafka_mock_cluster_new(host, 1);
    rd_kafka_mock_topic_create(cluster, "ticks", kPartitions, 1);
    rd_kafka_mock_topic_create(cluster, "ticks.dead", 1, 1);
    const std::string_view servers = rd_kafka_mock_cluster_bootstraps(cluster);
    if (write(out, servers.data(), servers.size()) < 0) std::abort();
    for (;;) pause();
  }
  pid_t child_ = 0;
  std::string servers_;
};

struct Cost {
  double thread_ns = 0;   ///< of the thread that hands over
  double process_ns = 0;  ///< of all threads
  double million_per_second = 0;
};

Cost measure(std::size_t messages, const std::function<void()>& work) {
  const double thread = bench::seconds(CLOCK_THREAD_CPUTIME_ID);
  const double process = bench::seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double wall = bench::seconds(CLOCK_MONOTONIC);
  work();
  const auto count = static_cast<double>(messages);
  return {(bench::seconds(CLOCK_THREAD_CPUTIME_ID) - thread) * 1e9 / count,
          (bench::seconds(CLOCK_PROCESS_CPUTIME_ID) - process) * 1e9 / count,
          count / (bench::seconds(CLOCK_MONOTONIC) - wall) * 1e-6};
}

ProducerOptions options_for(const Broker& broker) {
  ProducerOptions options;
  options.properties = {{"bootstrap.servers", broker.servers()}};
  options.max_in_flight_messages = kInFlight;
  return options;
}

/// The library used as well as it can be, and nothing else.
class Bare {
 public:
  explicit Bare(const Broker& broker) : client_{options_for(broker), "ticks"} {}
  void batches(std::size_t messages) {
    each_group(messages, [&](std::int32_t partition) { client_.batch(partition, group_); });
  }
  void singles(std::size_t messages) {
    each_group(messages, [&](std::int32_t partition) { client_.singles(partition, group_, kTimestamp); });
  }

 private:
  template <class Produce>
  void each_group(std::size_t messages, const Produce& produce) {
    for (std::size_t done = 0; done < messages; done += kGroup) {
      produce(static_cast<std::int32_t>(done / kGroup % kPartitions));
    }
    client_.flush();
  }
  static rd_kafka_message_t message() {
    rd_kafka_message_t message{};
    message.payload = const_cast<char*>(kValue.data());
    message.len = kValue.size();
    message.key = const_cast<char*>(kKey.data());
    message.key_len = kKey.size();
    return message;
  }

  std::vector<rd_kafka_message_t> group_{kGroup, message()};
  bench::BareClient client_;
};

/// The same through a lane.
class Ours {
 public:
  explicit Ours(const Broker& broker) {
    producer_ = std::move(*Producer::create(options_for(broker), Delivery::kAtLeastOnce, Send::kAsync, {}));
    lane_ = std::move(*producer_->open_lane("bench", {}, {}, 1, metrics_,
                                            {.on_room = [this] { room_.release(); }, .on_failed = {}}, 10s));
  }
  void run(std::size_t messages, std::int64_t timestamp_ms) {
    const std::vector<Outgoing> group(kGroup, {.value = as_bytes(kValue).data(),
                                               .value_size = kValue.size(),
                                               .key_size = kKey.size(),
                                               .key = kKey.data(),
                                               .timestamp_ms = timestamp_ms});
    for (std::size_t done = 0; done < messages; done += kGroup) {
      std::span<const Outgoing> rest{group};
      while (!(rest = rest.subspan(
                   lane_->hand_over(static_cast<std::int32_t>(done / kGroup % kPartitions), rest, sink::kUntimed)))
                  .empty()) {
        if (!lane_->ask_for_room()) room_.acquire();
      }
    }
    if (!producer_->flush(60s)) std::abort();
  }

 private:
  metrics::FeedMetrics metrics_{"bench"};
  std::counting_semaphore<> room_{0};
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<Lane> lane_;
};

Cost median(std::vector<Cost> costs) {
  const auto middle = [&](double Cost::* part) {
    std::sort(costs.begin(), costs.end(), [&](const Cost& a, const Cost& b) { return a.*part < b.*part; });
    return costs[costs.size() / 2].*part;
  };
  return {middle(&Cost::thread_ns), middle(&Cost::process_ns), middle(&Cost::million_per_second)};
}

void print(const char* what, const Cost& bare, const Cost& ours) {
  fmt::print("{:<12} {:>8.1f} {:>8.1f} {:>6.2f} {:>10.1f} {:>8.1f} {:>6.2f} {:>8.2f} {:>8.2f}\n", what, bare.thread_ns,
             ours.thread_ns, ours.thread_ns / bare.thread_ns, bare.process_ns, ours.process_ns,
             ours.process_ns / bare.process_ns, bare.million_per_second, ours.million_per_second);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t messages = (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2'000'000) / kGroup * kGroup;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
  const Broker broker;  // before any thread of ours: it forks
  spdlog::set_level(spdlog::level::err);
  std::array<std::vector<Cost>, 4> costs;
  for (int round = 0; round <= rounds; ++round) {  // the first warms up
    Bare bare{broker};
    Ours ours{broker};
    const std::array<std::function<void()>, 4> works{[&] { bare.batches(messages); }, [&] { ours.run(messages, 0); },
                                                     [&] { bare.singles(messages); },
                                                     [&] { ours.run(messages, kTimestamp); }};
    std::array<Cost, 4> found;
    // By turns bare or ours goes first: the heap that the one leaves behind is the other's.
    for (std::size_t i = 0; i < works.size(); ++i) {
      const std::size_t which = round % 2 == 0 ? i : i ^ 1U;
      found[which] = measure(messages, works[which]);
    }
    for (std::size_t i = 0; i < found.size() && round > 0; ++i) costs[i].push_back(found[i]);
  }
  const char* const preload = std::getenv("LD_PRELOAD");
  fmt::print("{} messages of 8 + 40 bytes, {} partitions, groups of {}, {} in flight, librdkafka {}, allocator {}\n",
             messages, kPartitions, kGroup, kInFlight, rd_kafka_version_str(), preload == nullptr ? "malloc" : preload);
  fmt::print("{:<12} {:>24} {:>26} {:>17}\n", "", "hand-over thread, ns/msg", "whole process, ns/msg", "M msg/s");
  fmt::print("{:<12} {:>8} {:>8} {:>6} {:>10} {:>8} {:>6} {:>8} {:>8}\n", "", "bare", "ours", "ratio", "bare", "ours",
             "ratio", "bare", "ours");
  print("batch", median(costs[0]), median(costs[1]));
  print("timestamp", median(costs[2]), median(costs[3]));
  return 0;
}
