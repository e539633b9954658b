#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "config/checks.h"
#include "config/config.h"
#include "config/flags.h"
#include "config/generate.h"
#include "config/nearest.h"
#include "config/secrets.h"

namespace tickbridge::config {
namespace {

constexpr const char* kDefaultFile = "/etc/tickbridge/tickbridge.toml";

/// What the flags say, before the file is read.
struct Arguments {
  Overrides overrides;
  std::optional<std::string> file;
  std::optional<std::string> start;
  std::optional<std::string> port;
  bool exit_at_end = false;
  bool accept_change = false;
  bool check_config = false;
  bool print_config = false;
  bool help = false;
  bool version = false;
};

Exit usage(std::string text) { return {ExitCode::kUsage, "tickbridge: " + std::move(text) + "\n", true}; }

std::string_view doc(std::string_view name) {
  for (const Flag& flag : flags()) {
    if (flag.name == name) return flag.doc;
  }
  return {};
}

void add_flags(CLI::App& app, Arguments& out) {
  const auto value = [&](const char* name, std::optional<std::string>& into) {
    app.add_option_function<std::string>(name, [&into](const std::string& text) { into = text; })
        ->description(std::string{doc(name)});
  };
  const auto on = [&](const char* name, bool& into) { app.add_flag(name, into, std::string{doc(name)}); };
  value("--config", out.file);
  value("--host", out.overrides.host);
  value("--port", out.port);
  value("--feed", out.overrides.feed);
  value("--start", out.start);
  app.add_option("--set", out.overrides.set)->allow_extra_args(false);
  on("--exit-at-end", out.exit_at_end);
  on("--accept-change", out.accept_change);
  on("--check-config", out.check_config);
  on("--print-config", out.print_config);
  on("--version", out.version);
  on("--help,-h", out.help);
}

std::optional<Exit> unknown(const std::vector<std::string>& rest) {
  if (rest.empty()) return std::nullopt;
  const std::string name = rest.front().substr(0, rest.front().find('='));
  if (!name.starts_with('-')) {
    return usage(fmt::format("{} is no flag; the daemon takes nothing but flags; see --help", in_quotes(name)));
  }
  std::vector<std::string_view> known;
  for (const Flag& flag : flags()) known.push_back(flag.name);
  return usage(fmt::format("unknown flag {}; did you mean {}? See --help", name, nearest(name, known)));
}

std::optional<Exit> check_values(Arguments& arguments) {
  if (arguments.port) {
    const auto port = parse_whole(*arguments.port);
    if (!port || *port < 1 || *port > 65'535) {
      return usage(fmt::format("--port {}: is not a port; allowed: 1 to 65535", *arguments.port));
    }
    arguments.overrides.port = static_cast<std::uint16_t>(*port);
  }
  if (arguments.overrides.host) {
    if (const Fault fault = check_host(*arguments.overrides.host)) {
      return usage(fmt::format("--host {}: {}; allowed: a name or an address", *arguments.overrides.host, *fault));
    }
  }
  if (arguments.start) {
    if (const Fault fault = check_start(*arguments.start)) {
      return usage(fmt::format("--start {}: {}; allowed: checkpoint, beginning, now or a sequence number from 1",
                               *arguments.start, *fault));
    }
  }
  return std::nullopt;
}

std::variant<Arguments, Exit> read_arguments(int argc, const char* const* argv) {
  CLI::App app{"", "tickbridge"};
  app.set_help_flag();
  app.allow_extras();
  Arguments arguments;
  add_flags(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return usage(fmt::format("{}; see --help", problem.what()));
  }
  if (auto exit = unknown(app.remaining())) return std::move(*exit);
  if (auto exit = check_values(arguments)) return std::move(*exit);
  return arguments;
}

/// The file's text; "" if none is named and the usual one does not exist.
Result<std::pair<std::string, std::string>> read_file(const std::optional<std::string>& named) {
  std::error_code problem;
  const std::string path = named.value_or(kDefaultFile);
  if (!named && !std::filesystem::exists(path, problem))
    return std::pair{std::string{"built-in defaults"}, std::string{}};
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  const bool readable = !std::filesystem::is_directory(path, problem) && file.is_open();
  if (readable) text << file.rdbuf();
  if (!readable || file.bad()) {
    return error(ExitCode::kConfig, fmt::format("{}: the configuration cannot be read; allowed: a file that this user "
                                                "may read; correct --config or the file's rights",
                                                path));
  }
  return std::pair{path, text.str()};
}

Exit leave(const Error& problem) { return {problem.code, problem.message + "\n", true}; }

}  // namespace

std::variant<Invocation, Exit> load(int argc, const char* const* argv) {
  auto read = read_arguments(argc, argv);
  if (auto* const exit = std::get_if<Exit>(&read)) return std::move(*exit);
  const Arguments& arguments = std::get<Arguments>(read);
  if (arguments.help) return Exit{ExitCode::kOk, help(), false};
  if (arguments.version) return Exit{ExitCode::kOk, "tickbridge " TICKBRIDGE_VERSION "\n", false};
  const auto file = read_file(arguments.file);
  if (!file) return leave(file.error());
  auto config = parse(file->second, file->first, arguments.overrides);
  if (!config) return leave(config.error());
  std::vector<std::string> warnings;
  if (!arguments.print_config) {  // which shows files' names, and works where they cannot be read
    auto told = take_secrets(*config, file->first);
    if (!told) return leave(told.error());
    warnings = std::move(*told);
  }
  return Invocation{std::move(*config),      file->first,            arguments.start,        arguments.exit_at_end,
                    arguments.accept_change, arguments.check_config, arguments.print_config, std::move(warnings)};
}

}  // namespace tickbridge::config
