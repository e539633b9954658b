#include "cluster.h"

#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace tickbridge::embedded {
namespace {

std::string text_of(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? std::string() : rd_kafka_err2str(error);
}

rd_kafka_t* new_handle() {
  char text[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
  if (handle != nullptr) return handle;
  rd_kafka_conf_destroy(conf);
  throw std::runtime_error(text);
}

}  // namespace

Cluster::Cluster(int brokers)
    : brokers_(brokers), handle_(new_handle()), mock_(rd_kafka_mock_cluster_new(handle_.get(), brokers)) {
  if (!mock_) throw std::runtime_error("the mock cluster could not be started");
}

std::string Cluster::bootstrap() const { return rd_kafka_mock_cluster_bootstraps(mock_.get()); }

std::uint16_t Cluster::port() const {
  const std::string servers = bootstrap();
  return static_cast<std::uint16_t>(std::atoi(servers.c_str() + servers.find(':') + 1));
}

std::string Cluster::create_topic(const std::string& name, int partitions) {
  return text_of(rd_kafka_mock_topic_create(mock_.get(), name.c_str(), partitions, brokers_ < 3 ? brokers_ : 3));
}

void Cluster::hide_topic(const std::string& name) {
  rd_kafka_mock_topic_set_error(mock_.get(), name.c_str(), RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

std::string Cluster::set_rtt(int broker, int milliseconds) {
  return text_of(rd_kafka_mock_broker_set_rtt(mock_.get(), broker, milliseconds));
}

std::string Cluster::set_up(int broker, bool up) {
  return text_of(up ? rd_kafka_mock_broker_set_up(mock_.get(), broker)
                    : rd_kafka_mock_broker_set_down(mock_.get(), broker));
}

std::string Cluster::inject(const Fault& fault) {
  for (int i = 0; i < fault.count; ++i) {
    if (fault.rtt_ms == 0) {
      rd_kafka_mock_push_request_errors(mock_.get(), fault.api, 1, fault.error);
      continue;
    }
    for (int broker = 1; broker <= brokers_; ++broker) {
      const auto error =
          rd_kafka_mock_broker_push_request_error_rtts(mock_.get(), broker, fault.api, 1, fault.error, fault.rtt_ms);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return text_of(error);
    }
  }
  return {};
}

std::string Cluster::command(const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  words >> verb;
  if (verb == "fault") {
    std::string text;
    words >> text;
    const auto fault = parse_fault(text);
    return fault ? inject(*fault) : "no fault: " + text;
  }
  int broker = 0;
  int number = 0;
  if (!(words >> broker)) return "a broker's number expected: " + line;
  if (verb == "down" || verb == "up") return set_up(broker, verb == "up");
  if (verb == "rtt" && words >> number) return set_rtt(broker, number);
  return "unknown command: " + line;
}

}  // namespace tickbridge::embedded
