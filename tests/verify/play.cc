// Test helper: writes a file's records into a topic as they must be, except for one fault asked for.
// Usage: verify_play FILE SERVERS TOPIC PARTITIONS LOOPS FAULT MIDNIGHT_MS
// FAULT: none | lose | double | swap | alter | rekey, done to the 1000th message (or the last, if there are fewer).

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "expectation.h"

namespace {

using namespace tickbridge::verify;

struct Player {
  rd_kafka_t* handle = nullptr;
  std::string topic;
  std::string fault;
  std::int64_t midnight_ms = 0;
  std::uint64_t number = 0;
  std::string held;  ///< swap: this comes after the next message of its key
  std::string held_key;
  std::int32_t held_partition = 0;

  void send(std::int32_t partition, std::string_view key, std::string_view value) const {
    const auto time = look_at_itch(value).time_ns;
    const auto error =
        rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
                          RD_KAFKA_V_KEY(key.empty() ? nullptr : key.data(), key.size()),
                          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                          RD_KAFKA_V_TIMESTAMP(time < 0 ? 0 : midnight_ms + time / 1'000'000),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) std::fprintf(stderr, "%s\n", rd_kafka_err2str(error));
    if (number % 1000 == 0) rd_kafka_poll(handle, 0);
  }

  void play(std::string_view value, const Route& route) {
    if (++number == 1000 && fault != "none") return play_wrong(value, route);
    send(route.partition, route.key, value);
    if (held.empty() || route.key != held_key) return;
    send(held_partition, held_key, held);
    held.clear();
  }

  void play_wrong(std::string_view value, const Route& route) {
    if (fault == "lose") return;
    if (fault == "swap") {
      held = value;
      held_key = route.key;
      held_partition = route.partition;
      return;
    }
    std::string altered(value);
    if (fault == "alter") altered.back() = static_cast<char>(altered.back() ^ 1);
    send(route.partition, fault == "rekey" ? "WRONG" : route.key, altered);
    if (fault == "double") send(route.partition, route.key, value);
  }
};

rd_kafka_t* new_producer(const char* servers) {
  char text[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", servers, text, sizeof text);
  rd_kafka_conf_set(conf, "enable.idempotence", "true", text, sizeof text);
  rd_kafka_conf_set(conf, "linger.ms", "5", text, sizeof text);
  return rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) return 64;
  MessageFile file(argv[1]);
  Rules rules;
  rules.loops = static_cast<std::uint32_t>(std::atoi(argv[5]));
  Player player{.handle = new_producer(argv[2]),
                .topic = argv[3],
                .fault = argv[6],
                .midnight_ms = std::atoll(argv[7]),
                .held = {},
                .held_key = {}};
  for_each_expected(file, rules, std::atoi(argv[4]), [&](std::string_view bytes, bool expected, const Route& route) {
    if (expected) player.play(bytes, route);
  });
  rd_kafka_flush(player.handle, 30000);
  const int left = rd_kafka_outq_len(player.handle);
  rd_kafka_destroy(player.handle);
  return left == 0 ? 0 : 1;
}
