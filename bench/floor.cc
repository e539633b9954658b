// The floor: the bare client library at its best. The file's messages lie in memory, keyed and routed; grouped by
// partition they are handed over, with a bound on what is in flight and delivery events that are counted, not walked.
// What it writes is what tickbridge writes of the same file, so tickbridge-verify checks it.
//
// As fast as it goes (grouped before the clock starts), or with --rate by a schedule: what is due is handed over.
// Prints one line of JSON: wall and CPU seconds from the first call to the last acknowledgement, with --rate also how
// late messages were handed over, and how long from then (and from when they were due) to their delivery event.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <vector>

#include "bare_client.h"
#include "base/bytes.h"
#include "clock.h"
#include "histogram.h"
#include "metrics/latency.h"
#include "routing/directory.h"
#include "schedule.h"
#include "sink/arrivals.h"

namespace {

using namespace tickbridge;         // NOLINT
using namespace tickbridge::bench;  // NOLINT
using metrics::Latency;

struct Options {
  std::string file;
  std::string topic = "ticks";
  std::int32_t partitions = 12;
  std::size_t loops = 1;
  std::size_t task_bytes = 65'536;
  std::string call = "batch";
  std::uint64_t rate = 0;
  std::uint64_t seconds = 10;
  std::uint64_t warm_up = 2;
  bool bursts = false;
  std::int64_t every_us = 0;
  sink::ProducerOptions producer;
};

Options parse(int argc, char** argv) {
  Options options;
  std::string servers;
  std::vector<std::string> properties;
  CLI::App app{"The bare client library fed from memory: what nobody can be cheaper than."};
  app.add_option("--file", options.file, "messages, as .itch")->required()->check(CLI::ExistingFile);
  app.add_option("--bootstrap", servers, "bootstrap.servers")->required();
  app.add_option("--topic", options.topic, "the topic")->capture_default_str();
  app.add_option("--partitions", options.partitions, "the topic's")->capture_default_str();
  app.add_option("--loop", options.loops, "the messages so many times over")->capture_default_str();
  app.add_option("--task-bytes", options.task_bytes, "messages are grouped by partition within so many bytes")
      ->capture_default_str();
  options.producer.max_in_flight_messages = 50'000;
  app.add_option("--in-flight", options.producer.max_in_flight_messages, "messages not acknowledged, at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--call", options.call, "batch: without timestamps; single: each with its own")
      ->check(CLI::IsMember({"batch", "single"}))
      ->capture_default_str();
  app.add_option("--rate", options.rate, "messages a second, by a schedule; 0: as fast as it goes")
      ->capture_default_str();
  app.add_flag("--bursts", options.bursts, "once a second 1,000 messages in 2.4 ms on top of the rate");
  app.add_option("--every", options.every_us, "what is due in so many us comes together; 0: each by itself")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "with a rate: measured for so long")->capture_default_str();
  app.add_option("--warm-up", options.warm_up, "seconds before that")->capture_default_str();
  app.add_option("-X", properties, "NAME=VALUE of the client library")->delimiter(',');
  try {
    app.parse(argc, argv);
    options.producer.properties["bootstrap.servers"] = servers;
    for (const std::string& property : properties) {
      const std::size_t equals = property.find('=');
      if (equals == std::string::npos) throw CLI::ValidationError{"-X", property + ": not NAME=VALUE"};
      options.producer.properties[property.substr(0, equals)] = property.substr(equals + 1);
    }
  } catch (const CLI::ParseError& problem) {
    std::exit(app.exit(problem));
  }
  return options;
}

/// Messages by partition, in order.
class Groups {
 public:
  explicit Groups(std::int32_t partitions) : messages_(static_cast<std::size_t>(partitions)) {}
  void add(const rd_kafka_message_t& message) {
    messages_[static_cast<std::size_t>(message.partition)].push_back(message);
  }
  /// give(partition, messages) for each that has some; then they are empty.
  template <class Give>
  void close(const Give& give) {
    for (std::size_t p = 0; p < messages_.size(); ++p) {
      if (!messages_[p].empty()) give(static_cast<std::int32_t>(p), std::span{messages_[p]});
      messages_[p].clear();
    }
  }

 private:
  std::vector<std::vector<rd_kafka_message_t>> messages_;
};

/// The file's messages, keyed and routed, in order.
class Prepared {
 public:
  explicit Prepared(const Options& options) : directory_{{}, options.partitions} {
    std::ifstream file{options.file, std::ios::binary};
    bytes_.assign(std::istreambuf_iterator<char>{file}, {});
    for (std::size_t at = 0; at + 2 <= bytes_.size();) {
      const std::size_t size = load_be<std::uint16_t>(as_bytes(bytes_), at);
      if (at + 2 + size > bytes_.size()) break;
      add({bytes_.data() + at + 2, size});
      at += 2 + size;
    }
  }
  [[nodiscard]] const std::vector<rd_kafka_message_t>& messages() const { return messages_; }

 private:
  void add(std::span<char> bytes) {
    const auto instrument = load_be<std::uint16_t>(as_bytes(std::string_view{bytes.data(), bytes.size()}), 1);
    const routing::Route route =
        bytes[0] == 'R' ? directory_.learn(instrument, {bytes.data() + 11, 8}) : directory_.route(instrument);
    rd_kafka_message_t message{};
    message.payload = bytes.data();
    message.len = bytes.size();
    message.key = route.key.empty() ? nullptr : const_cast<char*>(route.key.data());
    message.key_len = route.key.size();
    message.partition = route.partition;
    messages_.push_back(message);
  }

  std::string bytes_;
  routing::Directory directory_;
  std::vector<rd_kafka_message_t> messages_;
};

/// What a run has taken so far.
struct Meter {
  double cpu = bench::seconds(CLOCK_PROCESS_CPUTIME_ID);
  double wall = bench::seconds(CLOCK_MONOTONIC);
  double thread = bench::seconds(CLOCK_THREAD_CPUTIME_ID);
  /// JSON members, without the braces.
  [[nodiscard]] std::string told(std::size_t messages, double handed) const {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return fmt::format(
        "\"messages\": {}, \"wall_s\": {:.6f}, \"cpu_s\": {:.6f}, \"hand_over_cpu_s\": {:.6f}, \"peak_mib\": {:.1f}, "
        "\"librdkafka\": \"{}\"",
        messages, bench::seconds(CLOCK_MONOTONIC) - wall, bench::seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu,
        handed - thread, static_cast<double>(usage.ru_maxrss) / 1024, rd_kafka_version_str());
  }
};

void run_at_full_speed(const Options& options, const Prepared& prepared) {
  struct Group {
    std::int32_t partition;
    std::vector<rd_kafka_message_t> messages;
  };
  std::vector<Group> groups;
  Groups task{options.partitions};
  const auto close = [&] {
    task.close([&](std::int32_t p, auto messages) { groups.push_back({p, {messages.begin(), messages.end()}}); });
  };
  std::size_t bytes = 0;
  for (const rd_kafka_message_t& message : prepared.messages()) {
    task.add(message);
    bytes += 3 + message.len;
    if (bytes >= options.task_bytes) close(), bytes = 0;
  }
  close();
  BareClient client{options.producer, options.topic};
  const std::int64_t today = std::time(nullptr) * 1000;
  const Meter meter;
  for (std::size_t loop = 0; loop < options.loops; ++loop) {
    for (Group& group : groups) {
      if (options.call == "batch") {
        client.batch(group.partition, group.messages);
      } else {
        client.singles(group.partition, group.messages, today);
      }
    }
  }
  const double handed = bench::seconds(CLOCK_THREAD_CPUTIME_ID);
  client.flush();
  fmt::print("{{{}}}\n", meter.told(prepared.messages().size() * options.loops, handed));
}

/// The times of one partition's messages, both ways to count them.
struct Times {
  sink::Arrivals due, handed;
};

void run_by_schedule(const Options& options, const Prepared& prepared) {
  const std::vector<std::int64_t> due =
      schedule(options.rate, options.warm_up + options.seconds, options.bursts, options.every_us);
  Latency late, from_due, from_hand_over;
  std::vector<Times> times(static_cast<std::size_t>(options.partitions));
  std::int64_t warm = 0;
  BareClient client{options.producer, options.topic, [&](std::int32_t partition, std::size_t count) {
                      const std::int64_t now = now_ns();
                      const auto into = [&](Latency& latency) {
                        return [&latency, now, warm](std::int64_t since, std::uint64_t n) {
                          if (since >= warm) latency.record(now - since, n);
                        };
                      };
                      Times& time = times[static_cast<std::size_t>(partition)];
                      time.due.settled(count, into(from_due));
                      time.handed.settled(count, into(from_hand_over));
                    }};
  prctl(PR_SET_TIMERSLACK, 1UL);
  Groups group{options.partitions};
  const std::int64_t start = now_ns() + 100'000'000;
  warm = start + static_cast<std::int64_t>(options.warm_up) * 1'000'000'000;
  const Meter meter;
  for (std::size_t next = 0; next < due.size();) {
    sleep_until(start + due[next]);
    const std::int64_t first = start + due[next];
    const std::int64_t now = now_ns();
    for (; next < due.size() && start + due[next] <= now; ++next) {
      if (first >= warm) late.record(now - start - due[next], 1);
      group.add(prepared.messages()[next % prepared.messages().size()]);
    }
    group.close([&](std::int32_t p, std::span<rd_kafka_message_t> messages) {
      Times& time = times[static_cast<std::size_t>(p)];
      const std::int64_t handed = now_ns();
      time.due.handed(messages.size(), first);
      time.handed.handed(messages.size(), handed);
      if (options.call == "batch") {
        client.batch(p, messages);
      } else {
        client.singles(p, messages, now / 1'000'000);
      }
    });
  }
  const double handed = bench::seconds(CLOCK_THREAD_CPUTIME_ID);
  client.flush();
  fmt::print("{{{}, \"late\": {}, \"from_due\": {}, \"from_hand_over\": {}}}\n", meter.told(due.size(), handed),
             json(late), json(from_due), json(from_hand_over));
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const Prepared prepared{options};
  options.rate == 0 ? run_at_full_speed(options, prepared) : run_by_schedule(options, prepared);
  return 0;
}
