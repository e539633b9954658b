#include "config/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "config/flags.h"
#include "config/helpers.h"
#include "config/java_names.h"
#include "config/table.h"

namespace tickbridge::config {
namespace {

using testing::HasSubstr;

std::string file(const char* path) {
  std::ifstream in{std::string{TICKBRIDGE_SOURCE_DIR "/"} + path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

constexpr const char* kCure = "run build/release/bin/tickbridge-docs write . in the project's root";

TEST(Generated, ReferencePageIsTheCheckedInOne) { EXPECT_TRUE(file("docs/configuration.md") == reference()) << kCure; }

TEST(Generated, ExampleFileIsTheCheckedInOne) { EXPECT_TRUE(file("config/tickbridge.toml") == example()) << kCure; }

TEST(Generated, ManualPagesAreTheCheckedInOnes) {
  EXPECT_TRUE(file("docs/man/tickbridge.8") == manual_program()) << kCure;
  EXPECT_TRUE(file("docs/man/tickbridge.toml.5") == manual_file()) << kCure;
}

/// As a manual page writes a name: its hyphens are those of the keyboard.
std::string in_manual(std::string_view name) {
  std::string out;
  for (const char c : name) out += c == '-' ? "\\-" : std::string{c};
  return out;
}

TEST(Generated, ManualPagesHaveEveryFlagAndOption) {
  const std::vector<std::string> program = lines_of(manual_program());
  for (const Flag& flag : flags()) {
    const std::string start = "\\fB" + in_manual(flag.name) + "\\fR";
    EXPECT_TRUE(std::any_of(program.begin(), program.end(), [&](const auto& l) { return l.starts_with(start); }))
        << start;
  }
  const std::string pages = manual_file();
  for (const Option& option : options())
    EXPECT_THAT(pages, HasSubstr("\n\\fB" + in_manual(key_of(option.path)) + "\\fR"));
}

TEST(Generated, PageAndExampleHaveEveryOption) {
  const std::string page = reference();
  const std::string toml = example();
  for (const Option& option : options()) {
    EXPECT_THAT(page, HasSubstr(fmt::format("| `{}`", key_of(option.path))));
    EXPECT_THAT(toml, testing::ContainsRegex(fmt::format("\n#?\"?{}\"? = ", key_of(option.path)))) << option.path;
  }
  for (const Refused& refused : refused_java_names()) EXPECT_THAT(page, HasSubstr(fmt::format("| `{}`", refused.name)));
}

/// "#topic = …": an option that is commented out; of the address there is one already.
bool is_commented_option(const std::string& line) {
  return line.size() > 1 && line[0] == '#' && line[1] != ' ' && !line.starts_with("#host ") &&
         !line.starts_with("#port ");
}

/// The example under at_least_once: what weakens the producer contradicts the default, exactly_once.
std::vector<std::string> example_lines() {
  std::vector<std::string> lines = lines_of(example());
  for (std::string& line : lines) {
    if (line.starts_with("#delivery = ")) line = "delivery = \"at_least_once\"";
  }
  return lines;
}

TEST(Generated, ExampleIsRightWithEachOptionUncommented) {
  std::vector<std::string> lines = example_lines();
  int tried = 0;
  for (std::string& line : lines) {
    if (!is_commented_option(line)) continue;
    line.erase(0, 1);
    EXPECT_EQ(refusal(joined(lines)), "") << line;
    line.insert(0, 1, '#');
    ++tried;
  }
  EXPECT_GT(tried, 100);
}

TEST(Generated, ExampleIsRightWithAllOptionsUncommented) {
  std::vector<std::string> lines = example_lines();
  for (std::string& line : lines) {
    if (is_commented_option(line)) line.erase(0, 1);
  }
  EXPECT_EQ(refusal(joined(lines)), "");
}

TEST(Generated, HelpNamesEveryFlagAndTheMostUsedOptions) {
  const std::string text = help();
  for (const char* const name : {"--config", "--set", "--start", "--exit-at-end", "--print-config",
                                 "feed.NAME.delivery", "producer.bootstrap.servers", "docs/configuration.md"}) {
    EXPECT_THAT(text, HasSubstr(name));
  }
}

}  // namespace
}  // namespace tickbridge::config
