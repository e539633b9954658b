// The floor: the bare client library at its best. The file's messages lie in memory, keyed, routed and grouped by
// partition before the clock starts; then they are handed over group by group, with a bound on what is in flight and
// delivery events that are counted, not walked. What it writes is what tickbridge writes of the same file, so
// tickbridge-verify checks it. Prints one line of JSON: wall and CPU seconds from the first call to the last
// acknowledgement.
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <semaphore>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "routing/directory.h"
#include "sink/handles.h"

namespace {

using namespace tickbridge;  // NOLINT
using sink::ClientHandle;
using sink::EventHandle;
using sink::QueueHandle;
using sink::TopicHandle;

struct Options {
  std::string file;
  std::string servers;
  std::string topic = "ticks";
  std::int32_t partitions = 12;
  std::size_t loops = 1;
  std::size_t task_bytes = 65'536;
  std::size_t in_flight = 50'000;
  std::string call = "batch";
  std::vector<std::string> properties;
};

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app{"The bare client library fed from memory: what nobody can be cheaper than."};
  app.add_option("--file", options.file, "messages, as .itch")->required()->check(CLI::ExistingFile);
  app.add_option("--bootstrap", options.servers, "bootstrap.servers")->required();
  app.add_option("--topic", options.topic, "the topic")->capture_default_str();
  app.add_option("--partitions", options.partitions, "the topic's")->capture_default_str();
  app.add_option("--loop", options.loops, "the messages so many times over")->capture_default_str();
  app.add_option("--task-bytes", options.task_bytes, "messages are grouped by partition within so many bytes")
      ->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "messages not acknowledged, at most")->capture_default_str();
  app.add_option("--call", options.call, "batch: without timestamps; single: each with its own")
      ->check(CLI::IsMember({"batch", "single"}))
      ->capture_default_str();
  app.add_option("-X", options.properties, "NAME=VALUE of the client library")->delimiter(',');
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    std::exit(app.exit(problem));
  }
  return options;
}

[[noreturn]] void die(const std::string& what) {
  fmt::print(stderr, "floor: {}\n", what);
  std::exit(1);
}

/// The file's messages, ready to be handed over.
class Prepared {
 public:
  struct Group {
    std::int32_t partition;
    std::uint32_t begin;
    std::uint32_t end;
  };

  explicit Prepared(const Options& options) : directory_{{}, options.partitions} {
    std::ifstream file{options.file, std::ios::binary};
    bytes_.assign(std::istreambuf_iterator<char>{file}, {});
    std::vector<std::vector<rd_kafka_message_t>> groups(static_cast<std::size_t>(options.partitions));
    std::size_t task = 0;
    for (std::size_t at = 0; at + 2 <= bytes_.size();) {
      const std::size_t size = load_be<std::uint16_t>(as_bytes(bytes_), at);
      if (at + 2 + size > bytes_.size()) break;
      add(groups, {bytes_.data() + at + 2, size});
      at += 2 + size;
      task += 3 + size;
      if (task >= options.task_bytes) close(groups), task = 0;
    }
    close(groups);
  }
  [[nodiscard]] std::span<const Group> groups() const { return groups_; }
  [[nodiscard]] std::span<rd_kafka_message_t> messages(const Group& group) {
    return std::span{messages_}.subspan(group.begin, group.end - group.begin);
  }
  [[nodiscard]] std::size_t size() const { return messages_.size(); }

 private:
  void add(std::vector<std::vector<rd_kafka_message_t>>& groups, std::span<char> bytes) {
    const auto instrument = load_be<std::uint16_t>(as_bytes(std::string_view{bytes.data(), bytes.size()}), 1);
    const routing::Route route =
        bytes[0] == 'R' ? directory_.learn(instrument, {bytes.data() + 11, 8}) : directory_.route(instrument);
    rd_kafka_message_t message{};
    message.payload = bytes.data();
    message.len = bytes.size();
    message.key = route.key.empty() ? nullptr : const_cast<char*>(route.key.data());
    message.key_len = route.key.size();
    groups[static_cast<std::size_t>(route.partition)].push_back(message);
  }
  void close(std::vector<std::vector<rd_kafka_message_t>>& groups) {
    for (std::size_t p = 0; p < groups.size(); ++p) {
      if (groups[p].empty()) continue;
      const auto begin = static_cast<std::uint32_t>(messages_.size());
      messages_.insert(messages_.end(), groups[p].begin(), groups[p].end());
      groups_.push_back({static_cast<std::int32_t>(p), begin, static_cast<std::uint32_t>(messages_.size())});
      groups[p].clear();
    }
  }

  std::string bytes_;
  routing::Directory directory_;
  std::vector<rd_kafka_message_t> messages_;
  std::vector<Group> groups_;
};

/// What is in flight, bounded. take() by the thread that hands over, give() by the one that takes delivery events.
class Window {
 public:
  explicit Window(std::size_t limit) : limit_{limit} {}
  void take(std::size_t count) {
    if (in_flight_.load() + count > limit_) {
      waiting_.exchange(true);
      if (in_flight_.load() > low() || !waiting_.exchange(false)) room_.acquire();
    }
    in_flight_.fetch_add(count);
  }
  void give(std::size_t count) {
    const std::size_t left = in_flight_.fetch_sub(count) - count;
    if (left <= low() && waiting_.load() && waiting_.exchange(false)) room_.release();
  }

 private:
  [[nodiscard]] std::size_t low() const { return limit_ * 3 / 4; }
  std::size_t limit_;
  std::atomic<std::size_t> in_flight_{0};
  std::atomic<bool> waiting_{false};
  std::counting_semaphore<> room_{0};
};

class Library {
 public:
  explicit Library(const Options& options) : window_{options.in_flight} {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    const std::string queue = std::to_string(2 * options.in_flight + 10'000);
    set(conf, "bootstrap.servers", options.servers);
    set(conf, "enable.idempotence", "true");
    set(conf, "enable.gapless.guarantee", "true");
    set(conf, "message.timeout.ms", "0");
    set(conf, "socket.nagle.disable", "true");
    set(conf, "queue.buffering.max.messages", queue);
    for (const std::string& property : options.properties) {
      const std::size_t equals = property.find('=');
      if (equals == std::string::npos) die(property + ": not NAME=VALUE");
      set(conf, property.substr(0, equals), property.substr(equals + 1));
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
    std::array<char, 512> text{};
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, text.data(), text.size()));
    if (!client_) die(text.data());
    queue_.reset(rd_kafka_queue_get_main(client_.get()));
    topic_.reset(rd_kafka_topic_new(client_.get(), options.topic.c_str(), nullptr));
    const rd_kafka_metadata_t* metadata = nullptr;
    if (const auto code = rd_kafka_metadata(client_.get(), 0, topic_.get(), &metadata, 10'000))
      die(rd_kafka_err2str(code));
    rd_kafka_metadata_destroy(metadata);
    poller_ = std::jthread{[this](const std::stop_token& stop) { poll(stop); }};
  }
  ~Library() { poller_.request_stop(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  void batch(std::int32_t partition, std::span<rd_kafka_message_t> messages) {
    window_.take(messages.size());
    const int count = static_cast<int>(messages.size());
    if (rd_kafka_produce_batch(topic_.get(), partition, RD_KAFKA_MSG_F_COPY, messages.data(), count) != count) {
      die("a message was refused");
    }
  }
  void singles(std::int32_t partition, std::span<rd_kafka_message_t> messages, std::int64_t timestamp_ms) {
    window_.take(messages.size());
    std::array<rd_kafka_vu_t, 6> parts{};
    parts[0].vtype = RD_KAFKA_VTYPE_RKT;
    parts[0].u.rkt = topic_.get();
    parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    parts[1].u.i32 = partition;
    parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[2].u.i = RD_KAFKA_MSG_F_COPY;
    parts[3].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[4].vtype = RD_KAFKA_VTYPE_KEY;
    parts[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    parts[5].u.i64 = timestamp_ms;
    for (const rd_kafka_message_t& message : messages) {
      parts[3].u.mem = {message.payload, message.len};
      parts[4].u.mem = {message.key, message.key_len};
      if (rd_kafka_produceva(client_.get(), parts.data(), parts.size()) != nullptr) die("a message was refused");
    }
  }
  void finish() {
    if (rd_kafka_flush(client_.get(), 120'000) != RD_KAFKA_RESP_ERR_NO_ERROR) die("not all was acknowledged in 120 s");
  }

 private:
  static void set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
    std::array<char, 512> text{};
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text.data(), text.size()) != RD_KAFKA_CONF_OK)
      die(text.data());
  }
  void poll(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      EventHandle event{rd_kafka_queue_poll(queue_.get(), 50)};
      if (!event) continue;
      const std::size_t count = rd_kafka_event_message_count(event.get());
      event.reset();
      window_.give(count);
    }
  }

  Window window_;
  ClientHandle client_;
  QueueHandle queue_;
  TopicHandle topic_;
  std::jthread poller_;
};

double seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  Prepared prepared{options};
  Library library{options};
  const std::int64_t today = std::time(nullptr) * 1000;
  const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double wall = seconds(CLOCK_MONOTONIC);
  const double thread = seconds(CLOCK_THREAD_CPUTIME_ID);
  for (std::size_t loop = 0; loop < options.loops; ++loop) {
    for (const Prepared::Group& group : prepared.groups()) {
      if (options.call == "batch") {
        library.batch(group.partition, prepared.messages(group));
      } else {
        library.singles(group.partition, prepared.messages(group), today);
      }
    }
  }
  const double handed = seconds(CLOCK_THREAD_CPUTIME_ID) - thread;
  library.finish();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"messages\": {}, \"wall_s\": {:.6f}, \"cpu_s\": {:.6f}, \"hand_over_cpu_s\": {:.6f}, \"peak_mib\": {:.1f}, "
      "\"librdkafka\": \"{}\"}}\n",
      prepared.size() * options.loops, seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, handed,
      static_cast<double>(usage.ru_maxrss) / 1024, rd_kafka_version_str());
  return 0;
}
