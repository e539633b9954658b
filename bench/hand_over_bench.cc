// What does a record's hand-over to the client library cost: batch or single call, with key, timestamp, headers?
// hand_over_bench SERVERS TOPIC [--benchmark_…]; the broker is another process. Times are CPU of the thread that hands
// over, a record; "whole_process" adds what sending takes.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "clock.h"
#include "sink/handles.h"

namespace {

using namespace tickbridge;  // NOLINT
constexpr std::int32_t kPartitions = 12;
constexpr std::size_t kGroup = 250;
constexpr std::size_t kRecords = 40'000;  // in flight at most, an iteration
std::string key = "AAPL    ";             // NOLINT: the library takes pointers to what may change
std::string value = "0123456789012345678901234567890123456789";  // NOLINT

struct Form {
  const char* name;
  bool batch;
  bool keyed = true;
  bool timed = false;
  std::size_t headers = 0;
};
constexpr std::array<Form, 7> kForms{{{"batch", true},
                                      {"batch, no key", true, false},
                                      {"single", false},
                                      {"single, no key", false, false},
                                      {"single, timestamp", false, true, true},
                                      {"single, timestamp, 1 header", false, true, true, 1},
                                      {"single, timestamp, 3 headers", false, true, true, 3}}};

[[noreturn]] void die(std::string_view what) {
  fmt::print(stderr, "hand_over_bench: {}\n", what);
  std::exit(1);
}

class Library {
 public:
  Library(const char* servers, const char* topic) {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    const std::array<std::pair<const char*, const char*>, 4> properties{{{"bootstrap.servers", servers},
                                                                         {"enable.idempotence", "true"},
                                                                         {"socket.nagle.disable", "true"},
                                                                         {"queue.buffering.max.messages", "1000000"}}};
    for (const auto& [name, text] : properties) {
      if (rd_kafka_conf_set(conf, name, text, nullptr, 0) != RD_KAFKA_CONF_OK) die(name);
    }
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0));
    topic_.reset(rd_kafka_topic_new(client_.get(), topic, nullptr));
    const rd_kafka_metadata_t* found = nullptr;
    if (rd_kafka_metadata(client_.get(), 0, topic_.get(), &found, 10'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
      die("no topic");
    rd_kafka_metadata_destroy(found);
  }
  void hand_over(const Form& form) {
    for (std::size_t done = 0; done < kRecords; done += kGroup) {
      const auto partition = static_cast<std::int32_t>(done / kGroup % kPartitions);
      form.batch ? batch(form, partition) : singles(form, partition);
    }
  }
  void flush() {
    if (rd_kafka_flush(client_.get(), 60'000) != RD_KAFKA_RESP_ERR_NO_ERROR) die("not all was acknowledged");
  }

 private:
  void batch(const Form& form, std::int32_t partition) {
    messages_.assign(kGroup, {});
    for (rd_kafka_message_t& message : messages_) {
      message.payload = value.data();
      message.len = value.size();
      message.key = form.keyed ? key.data() : nullptr;
      message.key_len = form.keyed ? key.size() : 0;
    }
    if (rd_kafka_produce_batch(topic_.get(), partition, RD_KAFKA_MSG_F_COPY, messages_.data(), kGroup) != kGroup) {
      die("a record was refused");
    }
  }
  void singles(const Form& form, std::int32_t partition) {
    std::array<rd_kafka_vu_t, 9> parts{};
    std::size_t count = 0;
    const auto add = [&](rd_kafka_vtype_t type) -> auto& {
      parts[count].vtype = type;
      return parts[count++].u;
    };
    add(RD_KAFKA_VTYPE_RKT).rkt = topic_.get();
    add(RD_KAFKA_VTYPE_PARTITION).i32 = partition;
    add(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
    add(RD_KAFKA_VTYPE_VALUE).mem = {value.data(), value.size()};
    if (form.keyed) add(RD_KAFKA_VTYPE_KEY).mem = {key.data(), key.size()};
    if (form.timed) add(RD_KAFKA_VTYPE_TIMESTAMP).i64 = 1'577'800'000'000;
    for (std::size_t i = 0; i < form.headers; ++i) add(RD_KAFKA_VTYPE_HEADER).header = {"sequence", "123456789", 9};
    for (std::size_t i = 0; i < kGroup; ++i) {
      if (rd_kafka_produceva(client_.get(), parts.data(), count) != nullptr) die("a record was refused");
    }
  }

  sink::ClientHandle client_;
  sink::TopicHandle topic_;
  std::vector<rd_kafka_message_t> messages_;
};

void measure(benchmark::State& state, Library& library, const Form& form) {
  double process = 0;
  for (auto _ : state) {
    const double before = bench::seconds(CLOCK_PROCESS_CPUTIME_ID);
    const double began = bench::seconds(CLOCK_THREAD_CPUTIME_ID);
    library.hand_over(form);
    state.SetIterationTime(bench::seconds(CLOCK_THREAD_CPUTIME_ID) - began);
    library.flush();
    process += bench::seconds(CLOCK_PROCESS_CPUTIME_ID) - before;
  }
  const auto records = static_cast<double>(state.iterations()) * static_cast<double>(kRecords);
  state.SetItemsProcessed(static_cast<std::int64_t>(records));
  state.counters["whole_process"] = process / records * 1e9;
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc < 3) die("usage: hand_over_bench SERVERS TOPIC [--benchmark_…]");
  Library library{argv[1], argv[2]};
  for (const Form& form : kForms) {
    benchmark::RegisterBenchmark(form.name, [&](benchmark::State& state) {
      measure(state, library, form);
    })->UseManualTime();
  }
  benchmark::RunSpecifiedBenchmarks();
}
