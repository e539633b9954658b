#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "sink/handles.h"

namespace tickbridge::sink::testing {

/// A record read back.
struct Record {
  std::string key;
  std::string value;
  std::int64_t timestamp_ms = 0;
  std::map<std::string, std::string> headers;
};

/// The library's mock cluster in this process, and a reader of it.
class MockKafka {
 public:
  explicit MockKafka(int brokers = 1) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "3", nullptr, 0);
    host_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0));
    cluster_ = rd_kafka_mock_cluster_new(host_.get(), brokers);
  }
  ~MockKafka() { rd_kafka_mock_cluster_destroy(cluster_); }
  MockKafka(const MockKafka&) = delete;
  MockKafka& operator=(const MockKafka&) = delete;

  [[nodiscard]] std::string servers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  [[nodiscard]] rd_kafka_mock_cluster_t* cluster() const { return cluster_; }
  void create(const std::string& topic, int partitions) {
    rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1);
  }
  /// The next produce requests are answered with these, one each.
  void answer_produce_with(const std::vector<rd_kafka_resp_err_t>& codes) {
    rd_kafka_mock_push_request_errors_array(cluster_, 0, codes.size(), codes.data());
  }

  /// Reads `count` records of a partition from its beginning, or what is there after five seconds.
  [[nodiscard]] std::vector<Record> read(const std::string& topic, int partition, std::size_t count) const {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", servers().c_str(), nullptr, 0);
    rd_kafka_conf_set(conf, "group.id", "reader", nullptr, 0);
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", "10", nullptr, 0);
    const ClientHandle reader{rd_kafka_new(RD_KAFKA_CONSUMER, conf, nullptr, 0)};
    rd_kafka_poll_set_consumer(reader.get());
    rd_kafka_topic_partition_list_t* from = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(from, topic.c_str(), partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(reader.get(), from);
    rd_kafka_topic_partition_list_destroy(from);
    std::vector<Record> records;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{5};
    while (records.size() < count && std::chrono::steady_clock::now() < deadline) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(reader.get(), 100);
      if (message == nullptr) continue;
      if (message->err == 0) records.push_back(record_of(message));
      rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(reader.get());
    return records;
  }

 private:
  static Record record_of(const rd_kafka_message_t* message) {
    Record record{.key = {static_cast<const char*>(message->key), message->key_len},
                  .value = {static_cast<const char*>(message->payload), message->len},
                  .timestamp_ms = rd_kafka_message_timestamp(message, nullptr),
                  .headers = {}};
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message, &headers) != 0) return record;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i) {
      record.headers[name] = std::string{static_cast<const char*>(value), size};
    }
    return record;
  }

  ClientHandle host_;
  rd_kafka_mock_cluster_t* cluster_;
};

}  // namespace tickbridge::sink::testing
