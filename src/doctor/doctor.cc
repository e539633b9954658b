#include "doctor/doctor.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"
#include "doctor/checks.h"
#include "doctor/kafka_world.h"
#include "doctor/sheet.h"

namespace tickbridge::doctor {

namespace {

using namespace std::chrono_literals;

constexpr auto kInAll = 90s;       ///< however many feeds and topics there are, and whoever does not answer
constexpr auto kProgress = 500ms;  ///< a section that takes longer is named on a terminal

constexpr std::string_view kHelp =
    "tickbridge doctor: looks whether the daemon would run with its configuration, and says what to do where not\n\n"
    "Usage: tickbridge doctor [--login] [--json] [the daemon's flags, see tickbridge --help]\n\n"
    "  --login    Also log in to the exchange, ask for the newest packet, and log out. (Some exchanges end the older\n"
    "             session of a user who logs in again: not beside a running daemon there.)\n"
    "  --json     For programs: one JSON object (docs/doctor.md).\n\n"
    "It writes, creates and fences nothing, and may run beside the daemon. Exit code: 0, or what the daemon would end\n"
    "with: 64 usage, 65 data, 69 unavailable, 75 nothing acknowledged, 76 protocol, 78 config.\n";

struct Arguments {
  bool login = false;
  bool json = false;
  bool help = false;
  std::vector<const char*> rest;  ///< the daemon's
};

Arguments parse(int argc, const char* const* argv) {
  Arguments out;
  for (int i = 0; i < argc; ++i) {
    const std::string_view word{argv[i]};
    if (word == "--login") {
      out.login = true;
    } else if (word == "--json") {
      out.json = true;
    } else if (word == "--help" || word == "-h") {
      out.help = true;
    } else {
      out.rest.push_back(argv[i]);
    }
  }
  return out;
}

/// Where it goes: text as it comes, or all of it at the end.
class Printer {
 public:
  explicit Printer(bool json) : json_{json} {}

  void waits_for(std::string_view section) {
    if (!terminal_ || json_) return;
    fmt::print(stderr, "\r\x1b[Kchecking {} …", section);
    waiting_ = true;
  }
  void print(Section section) {
    done_waiting();
    if (!json_) fmt::print("{}", to_text(section, colour_));
    std::fflush(stdout);
    sections_.push_back(std::move(section));
  }
  [[nodiscard]] int finish() {
    fmt::print("{}", json_ ? to_json(sections_, TICKBRIDGE_VERSION) : summary(sections_, colour_));
    std::fflush(stdout);
    return static_cast<int>(worst(sections_));
  }

 private:
  void done_waiting() {
    if (waiting_) fmt::print(stderr, "\r\x1b[K");
    waiting_ = false;
  }

  const bool json_;
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  const bool colour_ = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  bool waiting_ = false;
  std::vector<Section> sections_;
};

/// All checks of one section, one after the other. A check that fails itself hides no other.
Findings run_section(std::string_view name, const Context& context) {
  Findings found;
  KafkaWorld kafka{context.config};
  for (const Check& check : checks()) {
    if (check.section != name) continue;
    try {
      check.run(context, kafka, found);
    } catch (const std::exception& problem) {
      found.push_back(failure("doctor", ExitCode::kInternal, fmt::format("a check broke off: {}", problem.what())));
    }
  }
  return found;
}

std::vector<std::string_view> section_names() {
  std::vector<std::string_view> names;
  for (const Check& check : checks()) {
    if (names.empty() || names.back() != check.section) names.push_back(check.section);
  }
  return names;
}

// The sections run beside each other, so that one that waits holds up no other; they are told in order. What does not
// come back is left behind with its thread: the process ends.
[[noreturn]] void examine(const Context& context, Printer& printer) {
  const SteadyTime deadline = SteadyClock::now() + kInAll;
  std::vector<std::pair<std::string_view, std::future<Findings>>> running;
  for (const std::string_view name : section_names())
    running.emplace_back(name, std::async(std::launch::async, run_section, name, std::cref(context)));
  for (auto& [name, findings] : running) {
    while (findings.wait_for(kProgress) != std::future_status::ready && SteadyClock::now() < deadline)
      printer.waits_for(name);
    const bool back = findings.wait_for(0s) == std::future_status::ready;
    printer.print(
        {std::string{name},
         back ? findings.get()
              : Findings{failure(std::string{name}, ExitCode::kUnavailable,
                                 fmt::format("not done within {} s; try it with fewer feeds", kInAll.count()))}});
  }
  std::_Exit(printer.finish());
}

/// The configuration is not sound, so there is nothing to go by: a line each.
int unsound(const config::Exit& exit, Printer& printer) {
  Section section{"config", {}};
  std::string_view text{exit.text};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end != 0) section.findings.push_back(failure("configuration", exit.code, std::string{text.substr(0, end)}));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  section.findings.push_back(skipped("all else", "it needs a configuration that is sound"));
  printer.print(std::move(section));
  return printer.finish();
}

}  // namespace

int run(int argc, const char* const* argv) {
  const Arguments arguments = parse(argc, argv);
  if (arguments.help) {
    fmt::print("{}", kHelp);
    return 0;
  }
  spdlog::set_level(spdlog::level::off);  // what the daemon's rooms would log is told as findings
  const auto loaded = config::load(static_cast<int>(arguments.rest.size()), arguments.rest.data());
  Printer printer{arguments.json};
  if (const auto* const exit = std::get_if<config::Exit>(&loaded)) {
    if (exit->code == ExitCode::kConfig) return unsound(*exit, printer);
    fmt::print(exit->to_stderr ? stderr : stdout, "{}", exit->text);
    return static_cast<int>(exit->code);
  }
  const auto& invocation = std::get<config::Invocation>(loaded);
  examine({.invocation = invocation, .config = invocation.config, .login = arguments.login}, printer);
}

}  // namespace tickbridge::doctor
