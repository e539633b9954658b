#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "config/flags.h"
#include "config/helpers.h"
#include "config/nearest.h"

namespace tickbridge::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A file that is gone after the test.
class TempFile {
 public:
  explicit TempFile(std::string_view text)
      : path_{std::filesystem::temp_directory_path() / fmt::format("tickbridge-cli-test-{}.toml", ::getpid())} {
    std::ofstream{path_} << text;
  }
  ~TempFile() {
    std::error_code problem;
    std::filesystem::remove(path_, problem);
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

Exit left(std::vector<std::string> arguments) {
  auto result = run(std::move(arguments));
  EXPECT_TRUE(std::holds_alternative<Exit>(result));
  return std::holds_alternative<Exit>(result) ? std::get<Exit>(result) : Exit{};
}

TEST(CommandLine, PrintsHelpAndVersion) {
  for (const char* const flag : {"--help", "-h"}) {
    const Exit help = left({flag});
    EXPECT_EQ(help.code, ExitCode::kOk);
    EXPECT_FALSE(help.to_stderr);
    EXPECT_THAT(help.text, HasSubstr("--accept-change"));
  }
  EXPECT_THAT(left({"--version"}).text, testing::MatchesRegex("tickbridge [0-9.]+\n"));
}

TEST(CommandLine, RunsWithoutAFile) {
  const auto result =
      run({"--host", "exchange", "--port=9000", "--set", "feed.default.topic=x", "--set=log.level=debug", "--start",
           "17", "--exit-at-end", "--accept-change", "--check-config", "--print-config"});
  ASSERT_TRUE(std::holds_alternative<Invocation>(result)) << std::get<Exit>(result).text;
  const Invocation& invocation = std::get<Invocation>(result);
  EXPECT_EQ(invocation.config.feeds.at(0).name, "default");
  EXPECT_EQ(invocation.config.feeds.at(0).sink.topic, "x");
  EXPECT_EQ(invocation.config.feeds.at(0).net.hosts.at(0).port, 9000);
  EXPECT_EQ(invocation.config.log.level, "debug");
  EXPECT_EQ(invocation.start, "17");
  EXPECT_TRUE(invocation.exit_at_end && invocation.accept_change);
  EXPECT_TRUE(invocation.check_config && invocation.print_config);
}

TEST(CommandLine, ReadsTheFile) {
  const TempFile file{"[feed.a]\nport = 1\n[feed.b]\nport = 2\ntopic = \"b\"\n"};
  const auto result = run({"--config", file.path(), "--feed", "b", "--host", "::1"});
  ASSERT_TRUE(std::holds_alternative<Invocation>(result)) << std::get<Exit>(result).text;
  EXPECT_EQ(std::get<Invocation>(result).config.feeds.at(1).net.hosts.at(0).host, "::1");
  EXPECT_EQ(std::get<Invocation>(result).config.feeds.at(1).net.hosts.at(0).port, 2);
}

TEST(CommandLine, RefusesUnknownFlagsWithTheNearest) {
  for (const auto& [wrong, right] : {std::pair{"--confg", "--config"},
                                     {"--hots", "--host"},
                                     {"--exit-at-ende", "--exit-at-end"},
                                     {"--print-conf", "--print-config"},
                                     {"--sett=a=b", "--set"}}) {
    const Exit exit = left({wrong});
    EXPECT_EQ(exit.code, ExitCode::kUsage) << wrong;
    EXPECT_TRUE(exit.to_stderr);
    EXPECT_THAT(exit.text, HasSubstr(fmt::format("did you mean {}?", right)));
  }
}

TEST(CommandLine, RefusesWrongUse) {
  const std::vector<std::vector<std::string>> wrong{
      {"file.toml"},      {"--port"},          {"--port", "x"},   {"--port", "0"},   {"--port", "65536"},
      {"--start", "yes"}, {"--start", "0"},    {"--start", "-1"}, {"--host", ""},    {"--set"},
      {"--set", "a"},     {"--exit-at-end=x"}, {"--config"},      {"--host", "a/b"}, {"--", "x"},
  };
  for (const auto& arguments : wrong) {
    const Exit exit = left(arguments);
    EXPECT_EQ(exit.code, ExitCode::kUsage) << fmt::format("{}", fmt::join(arguments, " ")) << ": " << exit.text;
    EXPECT_TRUE(exit.to_stderr);
    EXPECT_TRUE(exit.text.ends_with('\n'));
  }
}

TEST(CommandLine, NamesTheFileThatCannotBeRead) {
  for (const char* const path : {"/nonexistent/tickbridge.toml", "/tmp"}) {
    const Exit exit = left({"--config", path});
    EXPECT_EQ(exit.code, ExitCode::kConfig);
    EXPECT_THAT(exit.text, AllOf(HasSubstr(path), HasSubstr("cannot be read")));
  }
}

TEST(CommandLine, TellsConfigErrorsWith78) {
  const TempFile file{"[feed.a]\nport = 1\ntopik = \"x\"\n"};
  const Exit exit = left({"--config", file.path()});
  EXPECT_EQ(exit.code, ExitCode::kConfig);
  EXPECT_THAT(exit.text, HasSubstr(fmt::format("{}:3: feed.a.topik is no option", file.path())));
  EXPECT_EQ(left({"--host", "x"}).code, ExitCode::kConfig) << "no port";
}

TEST(CommandLine, NeedsFeedIfThereAreSeveral) {
  const TempFile file{"[feed.a]\nport = 1\n[feed.b]\nport = 2\ntopic = \"b\"\n"};
  EXPECT_EQ(left({"--config", file.path(), "--port", "3"}).code, ExitCode::kUsage);
  EXPECT_EQ(left({"--config", file.path(), "--port", "3", "--feed", "c"}).code, ExitCode::kUsage);
}

TEST(CommandLine, HasADescriptionForEachFlag) {
  for (const Flag& flag : flags()) EXPECT_GT(flag.doc.size(), 10U) << flag.name;
}

}  // namespace
}  // namespace tickbridge::config
