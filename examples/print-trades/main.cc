// Prints the trades in a topic that tickbridge writes: an example of a consumer. See README.md.
#include <fmt/core.h>
#include <librdkafka/rdkafkacpp.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "trades.h"

namespace {

constexpr int kTimeoutMs = 10'000;

struct Options {
  std::string bootstrap = "localhost:9092";
  std::string topic = "ticks";
  bool from_beginning = false;
  std::uint64_t max = 0;  // 0: no end
};

std::atomic<bool> stopping{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler writes it

void set(RdKafka::Conf& conf, const char* name, const std::string& value) {
  std::string why;
  if (conf.set(name, value, why) != RdKafka::Conf::CONF_OK) throw std::runtime_error(why);
}

std::unique_ptr<RdKafka::KafkaConsumer> make_consumer(const Options& options) {
  const std::unique_ptr<RdKafka::Conf> conf{RdKafka::Conf::create(RdKafka::Conf::CONF_GLOBAL)};
  set(*conf, "bootstrap.servers", options.bootstrap);
  set(*conf, "group.id", "print-trades");  // the library wants one; nothing is committed under it
  set(*conf, "enable.auto.commit", "false");
  set(*conf, "isolation.level", "read_committed");  // for feeds with delivery = "transactional"
  std::string why;
  std::unique_ptr<RdKafka::KafkaConsumer> consumer{RdKafka::KafkaConsumer::create(conf.get(), why)};
  if (!consumer) throw std::runtime_error(why);
  return consumer;
}

int partition_count(RdKafka::KafkaConsumer& consumer, const Options& options) {
  std::string why;
  const std::unique_ptr<RdKafka::Topic> topic{RdKafka::Topic::create(&consumer, options.topic, nullptr, why)};
  if (!topic) throw std::runtime_error(why);
  RdKafka::Metadata* answer = nullptr;
  const RdKafka::ErrorCode code = consumer.metadata(false, topic.get(), &answer, kTimeoutMs);
  const std::unique_ptr<RdKafka::Metadata> metadata{answer};
  if (code != RdKafka::ERR_NO_ERROR) throw std::runtime_error(options.bootstrap + ": " + RdKafka::err2str(code));
  const auto& found = *metadata->topics()->front();
  if (found.err() != RdKafka::ERR_NO_ERROR)
    throw std::runtime_error(options.topic + ": " + RdKafka::err2str(found.err()));
  return static_cast<int>(found.partitions()->size());
}

/// All partitions of the topic, without a consumer group: this program keeps no position.
void assign(RdKafka::KafkaConsumer& consumer, const Options& options) {
  const auto offset = options.from_beginning ? RdKafka::Topic::OFFSET_BEGINNING : RdKafka::Topic::OFFSET_END;
  std::vector<RdKafka::TopicPartition*> partitions;
  for (int i = partition_count(consumer, options); i-- > 0;) {
    partitions.push_back(RdKafka::TopicPartition::create(options.topic, i, offset));
  }
  const RdKafka::ErrorCode code = consumer.assign(partitions);
  RdKafka::TopicPartition::destroy(partitions);
  if (code != RdKafka::ERR_NO_ERROR) throw std::runtime_error(RdKafka::err2str(code));
}

/// The record's trade as a line, if it is one.
std::optional<std::string> trade_in(const RdKafka::Message& record, Trades& trades) {
  const std::string_view key = record.key_pointer() == nullptr
                                   ? std::string_view{}
                                   : std::string_view{static_cast<const char*>(record.key_pointer()), record.key_len()};
  return trades.line(key, {static_cast<const char*>(record.payload()), record.len()});
}

void print_trades(RdKafka::KafkaConsumer& consumer, const Options& options) {
  Trades trades;
  for (std::uint64_t printed = 0; !stopping && (options.max == 0 || printed < options.max);) {
    const std::unique_ptr<RdKafka::Message> record{consumer.consume(200)};
    if (record->err() == RdKafka::ERR__TIMED_OUT) {
      std::fflush(stdout);  // nothing more for now
    } else if (record->err() != RdKafka::ERR_NO_ERROR) {
      fmt::print(stderr, "print-trades: {}\n", record->errstr());
    } else if (const auto line = trade_in(*record, trades)) {
      fmt::print("{}\n", *line);
      ++printed;
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app{"Prints the trades in a topic that tickbridge writes."};
  app.add_option("--bootstrap", options.bootstrap, "Kafka brokers, HOST:PORT")->capture_default_str();
  app.add_option("--topic", options.topic, "the feed's data topic")->capture_default_str();
  app.add_flag("--from-beginning", options.from_beginning, "read what is there already, not only what comes");
  app.add_option("--max", options.max, "stop after so many trades");
  CLI11_PARSE(app, argc, argv);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stopping = true; });
  const auto consumer = make_consumer(options);
  assign(*consumer, options);
  print_trades(*consumer, options);
  consumer->close();
  return 0;
} catch (const std::exception& failure) {
  fmt::print(stderr, "print-trades: {}\n", failure.what());
  return 69;
}
