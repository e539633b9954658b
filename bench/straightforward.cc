// The program that one would write first: one thread, blocking reads, one keyed produce call a message, idempotent.
// bench/run compares tickbridge with it. Usage: straightforward HOST PORT BOOTSTRAP TOPIC
#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

void set(rd_kafka_conf_t* conf, const char* name, const char* value) {
  char text[512];
  if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
    std::fprintf(stderr, "%s\n", text);
    std::exit(78);
  }
}

int connect_to(const char* host, const char* port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  ::inet_pton(AF_INET, host, &address.sin_addr);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    std::exit(69);
  }
  return fd;
}

void produce(rd_kafka_t* producer, const char* topic, const std::string& key, const char* value, std::size_t size) {
  for (;;) {
    const rd_kafka_resp_err_t code = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key.data(), key.size()), RD_KAFKA_V_VALUE(const_cast<char*>(value), size), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) return;
    rd_kafka_poll(producer, 10);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 64;
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", argv[3]);
  set(conf, "enable.idempotence", "true");
  set(conf, "partitioner", "murmur2_random");
  rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t*, void*) {});
  char text[512];
  rd_kafka_t* const producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);

  const int fd = connect_to(argv[1], argv[2]);
  const char login[] =
      "\0\x2fL                          "
      "                   1";  // 49 bytes
  if (::write(fd, login, 49) != 49) return 69;

  std::vector<std::string> symbols(65536);
  std::vector<char> buffer(1 << 20U);
  std::size_t held = 0;
  std::size_t messages = 0;
  bool ended = false;
  while (!ended) {
    const ssize_t n = ::read(fd, buffer.data() + held, buffer.size() - held);
    if (n <= 0) break;
    held += static_cast<std::size_t>(n);
    std::size_t at = 0;
    while (held - at >= 3) {
      const auto* const bytes = reinterpret_cast<const unsigned char*>(buffer.data() + at);
      const std::size_t length = (std::size_t{bytes[0]} << 8U) | bytes[1];
      if (held - at < 2 + length) break;
      if (bytes[2] == 'Z') ended = true;
      if (bytes[2] == 'S') {
        const char* const message = buffer.data() + at + 3;
        const std::size_t locate = (std::size_t{bytes[4]} << 8U) | bytes[5];
        if (message[0] == 'R') {
          symbols[locate] = std::string{message + 11, 8};
          symbols[locate].erase(symbols[locate].find_last_not_of(' ') + 1);
        }
        produce(producer, argv[4], symbols[locate], message, length - 1);
        if (++messages % 1000 == 0) rd_kafka_poll(producer, 0);
      }
      at += 2 + length;
    }
    std::memmove(buffer.data(), buffer.data() + at, held - at);
    held -= at;
  }
  rd_kafka_flush(producer, 60'000);
  std::printf("%zu messages\n", messages);
  rd_kafka_destroy(producer);
  ::close(fd);
}
