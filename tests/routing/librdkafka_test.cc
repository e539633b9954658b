// The partitions of keys as librdkafka itself computes them. Its partitioner functions look at key and count only.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <random>
#include <string>

#include "routing/partitioner.h"

namespace tickbridge::routing {
namespace {

class AgainstLibrdkafka : public testing::Test {
 protected:
  std::string next_key() {
    std::string key(random_() % 41, '\0');
    for (char& c : key) c = static_cast<char>(random_());
    return key;
  }
  std::int32_t next_count() { return static_cast<std::int32_t>(random_() % 1000 + 1); }

  template <class Theirs>
  void compare(PartitionerKind kind, Theirs theirs) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    for (int i = 0; i < 10'000; ++i) {
      const std::string key = next_key();
      const std::int32_t count = next_count();
      const Partitioner ours({.key = Key::kSymbol, .partitioner = kind, .partitions = {}}, count);
      ASSERT_EQ(ours.of_key(key), theirs(nullptr, key.data(), key.size(), count, nullptr, nullptr))
          << testing::PrintToString(key) << " of " << count;
    }
  }

 private:
  unsigned seed_ = std::random_device{}();
  std::mt19937 random_{seed_};
};

TEST_F(AgainstLibrdkafka, Crc32IsItsConsistentPartitioner) {
  compare(PartitionerKind::kCrc32, rd_kafka_msg_partitioner_consistent);
}

TEST_F(AgainstLibrdkafka, Murmur2IsItsMurmur2Partitioner) {
  compare(PartitionerKind::kMurmur2, rd_kafka_msg_partitioner_murmur2);
}

}  // namespace
}  // namespace tickbridge::routing
