#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/config.h"

namespace tickbridge::config {

/// A file that is right as it stands; more lines of [feed.a] can follow.
inline constexpr std::string_view kFeed = "[feed.a]\nhosts = [\"localhost:9000\"]\n";

/// parse() of "t.toml".
inline Result<Config> read(std::string_view toml, std::vector<std::string> set = {}) {
  Overrides overrides;
  overrides.set = std::move(set);
  return parse(toml, "t.toml", overrides);
}

/// The message of a configuration that must be refused; "" if it is taken.
inline std::string refusal(std::string_view toml, std::vector<std::string> set = {}) {
  const auto config = read(toml, std::move(set));
  if (config) return {};
  EXPECT_TRUE(config.error().code == ExitCode::kConfig || config.error().code == ExitCode::kUsage);
  return config.error().message;
}

/// The configuration, which must be right.
inline Config accepted(std::string_view toml, std::vector<std::string> set = {}) {
  auto config = read(toml, std::move(set));
  EXPECT_TRUE(config) << (config ? "" : config.error().message);
  return config ? std::move(*config) : Config{};
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// load() as main calls it.
inline std::variant<Invocation, Exit> run(std::vector<std::string> arguments) {
  std::vector<const char*> argv{"tickbridge"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return load(static_cast<int>(argv.size()), argv.data());
}

}  // namespace tickbridge::config
