// tickbridge-embedded-broker: a Kafka-compatible broker in one small process, for trying out and for tests.
// What it does and does not do: docs/tools/embedded-broker.md.

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "cluster.h"
#include "nudge.h"

namespace {

using tickbridge::embedded::Cluster;
using tickbridge::embedded::Nudge;

struct Options {
  std::vector<std::string> topics;
  std::vector<std::string> missing;
  std::vector<std::string> faults;
  std::string port_file;
  int brokers = 1;
  int rtt_ms = 0;
  bool until_stdin_closes = false;
};

void require(const std::string& error, const std::string& what) {
  if (!error.empty()) throw std::runtime_error(what + ": " + error);
}

void create_topic(Cluster& cluster, const std::string& text) {
  const auto colon = text.rfind(':');
  const int partitions = colon == std::string::npos ? 0 : std::atoi(text.c_str() + colon + 1);
  if (partitions < 1) throw std::runtime_error("--topic " + text + ": NAME:PARTITIONS expected");
  require(cluster.create_topic(text.substr(0, colon), partitions), "--topic " + text);
}

void set_up(Cluster& cluster, const Options& options) {
  const Nudge nudge{cluster.port()};
  for (const auto& topic : options.topics) create_topic(cluster, topic);
  for (const auto& topic : options.missing) cluster.hide_topic(topic);
  for (int broker = 1; options.rtt_ms > 0 && broker <= cluster.brokers(); ++broker) {
    require(cluster.set_rtt(broker, options.rtt_ms), "--rtt");
  }
  for (const auto& text : options.faults) {
    const auto fault = tickbridge::embedded::parse_fault(text);
    if (!fault) throw std::runtime_error("--errors " + text + ": API:ERROR[*COUNT][@RTT_MS] expected");
    require(cluster.inject(*fault), "--errors " + text);
  }
}

void write_port_file(const std::string& path, const std::string& line) {
  // By a rename, so that who waits for the file never reads half of it.
  std::ofstream(path + ".new") << line << '\n';
  if (std::rename((path + ".new").c_str(), path.c_str()) != 0) throw std::runtime_error("cannot write " + path);
}

/// Carries out whole lines of standard input; false once it is closed.
bool serve_stdin(Cluster& cluster, std::string& held) {
  char bytes[4096];
  const auto count = ::read(STDIN_FILENO, bytes, sizeof bytes);
  if (count <= 0) return false;
  held.append(bytes, static_cast<std::size_t>(count));
  const Nudge nudge{cluster.port()};
  for (auto end = held.find('\n'); end != std::string::npos; end = held.find('\n')) {
    const auto error = cluster.command(held.substr(0, end));
    std::cout << (error.empty() ? "ok" : "error: " + error) << std::endl;
    held.erase(0, end + 1);
  }
  return true;
}

/// Until SIGTERM or SIGINT, or the end of standard input where that is asked for.
void serve(Cluster& cluster, int signals, bool until_stdin_closes) {
  std::string held;
  pollfd watched[2] = {{signals, POLLIN, 0}, {until_stdin_closes ? STDIN_FILENO : -1, POLLIN, 0}};
  while (true) {
    if (::poll(watched, 2, -1) < 0) continue;
    if ((watched[0].revents & POLLIN) != 0) return;
    if (watched[1].revents != 0 && !serve_stdin(cluster, held)) return;
  }
}

/// Taken before any thread exists, so that all inherit the mask.
int take_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return ::signalfd(-1, &set, SFD_CLOEXEC);
}

void declare(CLI::App& app, Options& options) {
  app.add_option("--topic", options.topics, "NAME:PARTITIONS, repeatable")->take_all();
  app.add_option("--missing", options.missing, "a topic that clients are told does not exist, repeatable");
  app.add_option("--brokers", options.brokers, "how many brokers")->check(CLI::Range(1, 16))->capture_default_str();
  app.add_option("--port-file", options.port_file, "write the bootstrap.servers line here too");
  app.add_option("--rtt", options.rtt_ms, "round trip of each request, ms")->check(CLI::Range(0, 600000));
  app.add_option("--errors", options.faults, "API:ERROR[*COUNT][@RTT_MS], answered first; repeatable");
  app.add_flag("--until-stdin-closes", options.until_stdin_closes,
               "end when standard input closes; its lines are commands: down N, up N, rtt N MS, fault SPEC");
}

int run(const Options& options) {
  const int signals = take_signals();
  Cluster cluster(options.brokers);
  set_up(cluster, options);
  const auto line = "bootstrap.servers=" + cluster.bootstrap();
  if (!options.port_file.empty()) write_port_file(options.port_file, line);
  std::cout << line << std::endl;
  std::cerr << "for trying out only: keeps 5 MB a partition in memory, forgets everything at its end\n";
  serve(cluster, signals, options.until_stdin_closes);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A Kafka-compatible broker inside one process, for trying out and tests only.");
  Options options;
  declare(app, options);
  try {
    app.parse(argc, argv);
    return run(options);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 64;
  } catch (const std::exception& error) {
    std::cerr << "tickbridge-embedded-broker: " << error.what() << '\n';
    return 64;
  }
}
