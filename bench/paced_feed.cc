// An exchange whose clock does not wait: one SoupBinTCP session from an .itch file, sent to one client by a schedule.
// All directory messages come at once after the login; then each message carries, in its ITCH timestamp, the wall time
// at which it is due (ns of the UTC day), and is sent when it is due, together with what else is. A client that does
// not read makes the send block and the messages late: that is measured, and the schedule stands.
//
// Prints `listening on HOST:PORT`, `measuring` when the warm-up is over, then one line of JSON: how late messages were
// sent, the CPU that took, sends. It sleeps between sends, so it needs its share of the machine that it measures.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "histogram.h"
#include "schedule.h"

namespace {

using namespace tickbridge;         // NOLINT
using namespace tickbridge::bench;  // NOLINT

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kTimeOffset = 5;  // ITCH: 6 bytes, ns since midnight
constexpr std::size_t kMaxSend = 256 << 10;

struct Options {
  std::string file;
  std::string save;
  std::uint64_t rate = 100'000;
  std::uint64_t seconds = 10;
  std::uint64_t warm_up = 2;
  bool bursts = false;
  std::int64_t every_us = 0;
};

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app{"An exchange that sends by a schedule and says how late it was."};
  app.add_option("--file", options.file, "messages, as .itch")->required()->check(CLI::ExistingFile);
  app.add_option("--save", options.save, "what was sent, as .itch, for tickbridge-verify");
  app.add_option("--rate", options.rate, "messages a second")->capture_default_str();
  app.add_flag("--bursts", options.bursts, "once a second 1,000 messages in 2.4 ms on top of the rate");
  app.add_option("--every", options.every_us, "what is due in so many us comes together; 0: each by itself")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "measured for so long")->capture_default_str();
  app.add_option("--warm-up", options.warm_up, "seconds before that")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    std::exit(app.exit(problem));
  }
  return options;
}

[[noreturn]] void die(const char* what) {
  fmt::print(stderr, "paced_feed: {}: {}\n", what, std::strerror(errno));
  std::exit(1);
}

void append(std::string& out, char type, std::string_view payload) {
  const std::size_t size = payload.size() + 1;
  out += {static_cast<char>(size >> 8U), static_cast<char>(size), type};
  out += payload;
}

class Messages {
 public:
  explicit Messages(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    bytes_.assign(std::istreambuf_iterator<char>{file}, {});
    for (std::size_t at = 0; at + 2 <= bytes_.size();) {
      const std::size_t size = load_be<std::uint16_t>(as_bytes(bytes_), at);
      if (at + 2 + size > bytes_.size()) break;
      const std::string_view message{bytes_.data() + at + 2, size};
      (message[0] == 'R' ? directory_ : rest_).push_back(message);
      at += 2 + size;
    }
  }
  void append_directory(std::string& out) const {
    for (const std::string_view message : directory_) append(out, 'S', message);
  }
  void append_message(std::string& out, std::size_t i, std::int64_t due_ns) const {
    append(out, 'S', rest_[i % rest_.size()]);
    auto time = static_cast<std::uint64_t>(due_ns % (86'400 * kSecond));
    char* const end = out.data() + out.size() - rest_[i % rest_.size()].size() + kTimeOffset + 6;
    for (int byte = 1; byte <= 6; ++byte, time >>= 8U) end[-byte] = static_cast<char>(time);
  }

 private:
  std::string bytes_;
  std::vector<std::string_view> directory_, rest_;
};

/// What was sent: a packet is a message with its length and an S before it.
void save(const std::string& path, const Messages& messages, std::span<const std::int64_t> due, std::int64_t start) {
  std::ofstream file{path, std::ios::binary};
  std::string packets;
  messages.append_directory(packets);
  for (std::size_t i = 0; i < due.size(); ++i) messages.append_message(packets, i, start + due[i]);
  for (std::size_t at = 0; at < packets.size();) {
    const std::size_t size = load_be<std::uint16_t>(as_bytes(packets), at) - 1U;
    const char length[] = {static_cast<char>(size >> 8U), static_cast<char>(size)};
    file.write(length, 2).write(packets.data() + at + 3, static_cast<std::streamsize>(size));
    at += 3 + size;
  }
}

/// One client, logged in.
class Client {
 public:
  Client() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener, any, size) != 0 || ::listen(listener, 1) != 0) die("listen");
    ::getsockname(listener, any, &size);
    fmt::print("listening on 127.0.0.1:{}\n", ntohs(address.sin_port));
    std::fflush(stdout);
    socket_ = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::string login(3, '\0');
    read(login.data(), 3);
    if (login[2] != 'L') die("no login");
    login.resize(load_be<std::uint16_t>(as_bytes(login), 0) - 1U);
    read(login.data(), login.size());
    std::string answer;
    append(answer, 'A', fmt::format("{:>10}{:>20}", "PACED", 1));
    send(answer);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) die("send");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// The client closes when it has seen the end of the session.
  void await_close() const {
    ::shutdown(socket_, SHUT_WR);
    char ignored[64];
    while (::read(socket_, ignored, sizeof ignored) > 0) {
    }
  }

 private:
  void read(char* to, std::size_t size) const {
    if (::recv(socket_, to, size, MSG_WAITALL) != static_cast<ssize_t>(size)) die("login");
  }
  int socket_;
};

void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const Messages messages{options.file};
  const std::vector<std::int64_t> due =
      schedule(options.rate, options.warm_up + options.seconds, options.bursts, options.every_us);
  const Client client;
  std::string out;
  messages.append_directory(out);
  client.send(out);
  prctl(PR_SET_TIMERSLACK, 1UL);
  metrics::Latency late;
  std::uint64_t sends = 0;
  const std::int64_t start = now_ns() + kSecond;
  const std::int64_t warm = start + static_cast<std::int64_t>(options.warm_up) * kSecond;
  bool measuring = false;
  timespec cpu_before{}, cpu{};
  for (std::size_t next = 0; next < due.size(); ++sends) {
    if (!measuring && start + due[next] >= warm) {
      measuring = true;
      sends = 0;
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_before);
      say("measuring");
    }
    sleep_until(start + due[next]);
    const std::int64_t now = now_ns();
    out.clear();
    for (; next < due.size() && start + due[next] <= now && out.size() < kMaxSend; ++next) {
      messages.append_message(out, next, start + due[next]);
      if (measuring) late.record(now - start - due[next], 1);
    }
    client.send(out);
  }
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  const double spent = static_cast<double>(cpu.tv_sec - cpu_before.tv_sec) +
                       static_cast<double>(cpu.tv_nsec - cpu_before.tv_nsec) * 1e-9;
  out.clear();
  append(out, 'Z', {});
  say(fmt::format("{{\"messages\": {}, \"sends\": {}, \"cpu_s\": {:.6f}, \"late\": {}}}", due.size(), sends, spent,
                  json(late)));
  std::string go_on(1, '\0');
  if (::read(STDIN_FILENO, go_on.data(), 1) >= 0) client.send(out);
  client.await_close();
  if (!options.save.empty()) save(options.save, messages, due, start);
  return 0;
}
