#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

#include "sink/handles.h"

namespace tickbridge::sink::testing {

/// Somebody else who writes: a plain producer.
class Foreign {
 public:
  explicit Foreign(const std::string& servers) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", servers.c_str(), nullptr, 0);
    rd_kafka_conf_set(conf, "linger.ms", "5", nullptr, 0);
    rd_kafka_conf_set(conf, "queue.buffering.max.messages", "1000000", nullptr, 0);
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0));
  }

  void send(const std::string& topic, int partition, const std::string& key, const std::string& value) {
    rd_kafka_producev(client_.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
                      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK),
                      RD_KAFKA_V_KEY(key.data(), key.size()),
                      RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_END);
    rd_kafka_poll(client_.get(), 0);
  }
  [[nodiscard]] bool flush() { return rd_kafka_flush(client_.get(), 20'000) == RD_KAFKA_RESP_ERR_NO_ERROR; }

 private:
  ClientHandle client_;
};

}  // namespace tickbridge::sink::testing
