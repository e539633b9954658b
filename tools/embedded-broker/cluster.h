#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fault.h"

namespace tickbridge::embedded {

/// librdkafka's mock cluster. Its brokers live in a thread of the library; this class is used from one thread.
/// Functions return an error's text, empty where all is well.
class Cluster {
 public:
  explicit Cluster(int brokers);

  [[nodiscard]] std::string bootstrap() const;
  /// The first broker's.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string create_topic(const std::string& name, int partitions);
  /// Clients are told that there is no such topic; without this any name asked for is created.
  void hide_topic(const std::string& name);
  [[nodiscard]] std::string set_rtt(int broker, int milliseconds);
  [[nodiscard]] std::string set_up(int broker, bool up);
  [[nodiscard]] std::string inject(const Fault& fault);
  /// One line of standard input: "down N", "up N", "rtt N MS", "fault SPEC".
  [[nodiscard]] std::string command(const std::string& line);
  [[nodiscard]] int brokers() const { return brokers_; }

 private:
  struct Close {
    void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
    void operator()(rd_kafka_mock_cluster_t* cluster) const { rd_kafka_mock_cluster_destroy(cluster); }
  };
  int brokers_;
  std::unique_ptr<rd_kafka_t, Close> handle_;
  std::unique_ptr<rd_kafka_mock_cluster_t, Close> mock_;
};

}  // namespace tickbridge::embedded
