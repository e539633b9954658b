#include "config/generate.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <regex>

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

TEST(Generated, PageAndExampleHaveEveryOption) {
  const std::string page = reference();
  const std::string toml = example();
  for (const Option& option : options()) {
    EXPECT_THAT(page, HasSubstr(fmt::format("| `{}`", key_of(option.path))));
    EXPECT_THAT(toml, testing::ContainsRegex(fmt::format("\n#?\"?{}\"? = ", key_of(option.path)))) << option.path;
  }
  for (const Refused& refused : refused_java_names()) EXPECT_THAT(page, HasSubstr(fmt::format("| `{}`", refused.name)));
}

TEST(Generated, ExampleIsRightWithEachOptionUncommented) {
  // One at a time: some exclude each other.
  const std::string text = example();
  const std::regex option{"\n#(\"?[a-z_.A-Z]+\"? = [^\n]*)"};
  int tried = 0;
  for (std::sregex_iterator at{text.begin(), text.end(), option}; at != std::sregex_iterator{}; ++at, ++tried) {
    std::string one = text;
    one.erase(static_cast<std::size_t>(at->position()) + 1, 1);
    const std::string line = (*at)[1];
    if (line.starts_with("host ") || line.starts_with("port ")) continue;
    EXPECT_EQ(refusal(one), "") << line;
  }
  EXPECT_GT(tried, 100);
}

TEST(Generated, ExampleIsRightWithAllUncommentedThatGoTogether) {
  const std::regex option{"\n#(\"?[a-z_.A-Z]+\"? = )"};
  const std::string text = std::regex_replace(example(), option, "\n$1");
  const std::regex either{"\n(host|port) = [^\n]*"};
  EXPECT_EQ(refusal(std::regex_replace(text, either, "")), "");
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
