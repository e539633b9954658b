#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace tickbridge::sink::testing {

inline std::string run(const std::string& command) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");
  std::array<char, 4096> part{};
  while (pipe != nullptr && fgets(part.data(), part.size(), pipe) != nullptr) output += part.data();
  const int status = pipe == nullptr ? -1 : pclose(pipe);
  if (status != 0) ADD_FAILURE() << command << " ended with " << status << ": " << output;
  return output;
}

/// A real Apache Kafka for all tests of a program: TICKBRIDGE_KAFKA_BROKERS brokers (1), started by tools/kafka.
class Cluster : public ::testing::Environment {
 public:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("tickbridge-sink-kafka-" + std::to_string(getpid()));
    const char* const brokers = std::getenv("TICKBRIDGE_KAFKA_BROKERS");
    brokers_ = brokers == nullptr ? 1 : std::atoi(brokers);
    const std::string output = run(tool("up") + " --brokers " + std::to_string(brokers_));
    const auto at = output.rfind("bootstrap.servers=");
    ASSERT_NE(at, std::string::npos) << output;
    servers_ = output.substr(at + 18, output.find('\n', at) - at - 18);
  }
  void TearDown() override {
    run(tool("down"));
    std::filesystem::remove_all(directory_);
  }
  void create(const std::string& topic, int partitions, const std::string& config = "") {
    run(tool("topic") + " " + topic + " --partitions " + std::to_string(partitions) +
        (config.empty() ? "" : " --config " + config));
  }
  void pause(int broker) { run(tool("stop") + " " + std::to_string(broker)); }
  void resume(int broker) { run(tool("cont") + " " + std::to_string(broker)); }
  [[nodiscard]] const std::string& servers() const { return servers_; }
  [[nodiscard]] int brokers() const { return brokers_; }

  static Cluster* shared() {
    static Cluster* const cluster = static_cast<Cluster*>(::testing::AddGlobalTestEnvironment(new Cluster));
    return cluster;
  }

 private:
  [[nodiscard]] std::string tool(const std::string& word) const {
    return TICKBRIDGE_SOURCE_DIR "/tools/kafka " + word + " --dir " + directory_.string();
  }
  std::filesystem::path directory_;
  std::string servers_;
  int brokers_ = 1;
};

}  // namespace tickbridge::sink::testing
