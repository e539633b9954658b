#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>
#include <variant>
#include <vector>

#include "app/application.h"
#include "app/core_dumps.h"
#include "base/log.h"
#include "config/config.h"
#include "doctor/doctor.h"
#include "ops/log_setup.h"

namespace {

int run(int argc, char** argv) {
  using namespace tickbridge;
  app::forbid_core_dumps();  // before a secret is read
  if (argc > 1 && std::string_view{argv[1]} == "doctor") {
    std::signal(SIGPIPE, SIG_IGN);
    std::vector<const char*> words{argv, argv + argc};
    words.erase(words.begin() + 1);
    return doctor::run(argc - 1, words.data());
  }
  auto loaded = config::load(argc, argv);
  if (const auto* exit = std::get_if<config::Exit>(&loaded)) {
    std::fputs(exit->text.c_str(), exit->to_stderr ? stderr : stdout);
    return static_cast<int>(exit->code);
  }
  auto& invocation = std::get<config::Invocation>(loaded);
  if (invocation.print_config) {
    std::fputs(config::render(invocation.config).c_str(), stdout);
    return 0;
  }
  if (invocation.check_config) {
    for (const std::string& warning : invocation.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
    std::puts("the configuration is sound");
    return 0;
  }
  if (invocation.config.core_dumps) app::allow_core_dumps();
  std::signal(SIGPIPE, SIG_IGN);  // TLS writes to a closed connection, logs to a reader that has left
  ops::set_up_logging(invocation.config.log);
  for (const std::string& warning : invocation.warnings) log_event(Event::kConfigWarning, "{}", warning);
  const auto code = app::Application{std::move(invocation), [argc, argv] { return config::load(argc, argv); }}.run();
  end_log();
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "tickbridge: %s\n", problem.what());
    return 70;
  }
}
