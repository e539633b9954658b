// Walks every row of the table of options: its default, its limits, its words, wrong types.
#include "config/table.h"

#include <fmt/format.h>

#include <set>

#include "base/secret_name.h"
#include "config/checks.h"
#include "config/helpers.h"
#include "config/java_names.h"
#include "config/nearest.h"

namespace tickbridge::config {
namespace {

using testing::HasSubstr;

bool is_number(const Option& option) {
  return option.kind == Kind::kWhole || option.kind == Kind::kSize || option.kind == Kind::kMilliseconds;
}

/// A row, a field of its own to write to, and what is read back.
class Row {
 public:
  explicit Row(const Option& option) : option_{option} {}

  Fault set(Value value) { return assign(option_, option_.field(config_, feed_), value); }
  Fault set_number(std::int64_t number) {
    if (option_.kind == Kind::kDuration) return set({fmt::format("{}ms", number)});
    return set({number});
  }
  std::string shown() { return show(option_, option_.field(config_, feed_)).value_or("unset"); }

 private:
  const Option& option_;
  Config config_;
  Feed feed_;
};

TEST(Table, HasEachOptionOnceWithItsSentence) {
  std::set<std::string_view> seen;
  for (const Option& option : options()) {
    EXPECT_TRUE(seen.insert(option.path).second) << option.path;
    EXPECT_GT(option.doc.size(), 8U) << option.path;
    EXPECT_TRUE(option.doc.ends_with('.') || option.doc.ends_with("}")) << option.path;
    EXPECT_NE(option.field, nullptr) << option.path;
    EXPECT_EQ(find_option(option.path), &option);
  }
  EXPECT_GT(seen.size(), 100U);
}

TEST(Table, GivesEachLibraryPropertyToOneOption) {
  std::set<std::string_view> seen;
  for (const Option& option : options()) {
    if (option.library.empty()) continue;
    EXPECT_TRUE(seen.insert(option.library).second) << option.library;
    EXPECT_EQ(canonical_property(option.library), option.library);
    EXPECT_EQ(find_refused(owned_properties(), option.library), nullptr) << option.library;
    EXPECT_EQ(find_refused(refused_java_names(), key_of(option.path)), nullptr) << option.path;
    EXPECT_EQ(option.secret, is_secret_name(option.library)) << option.library;
  }
}

TEST(Table, TakesEachNumbersLimitsAndNothingBeyond) {
  for (const Option& option : options()) {
    const bool number = is_number(option) || option.kind == Kind::kDuration;
    if (!number || !option.words.empty()) continue;
    Row row{option};
    EXPECT_FALSE(row.set_number(option.min)) << option.path;
    EXPECT_FALSE(row.set_number(option.max)) << option.path;
    if (option.kind != Kind::kDuration || option.min > 0) {
      EXPECT_EQ(row.set_number(option.min - 1), "is too small") << option.path;
    }
    EXPECT_EQ(row.set_number(option.max + 1), "is too large") << option.path;
  }
}

TEST(Table, TakesEachWordAndNamesTheNearestToAnother) {
  for (const Option& option : options()) {
    if (option.words.empty()) continue;
    for (const std::string_view word : option.words) {
      Row row{option};
      const bool number = is_number(option);
      const Value value = number                        ? Value{*parse_whole(word)}
                          : option.kind == Kind::kWords ? Value{std::vector<Value>{{std::string{word}}}}
                                                        : Value{std::string{word}};
      EXPECT_FALSE(row.set(value)) << option.path << ' ' << word;
      if (number || word.size() < 3) continue;
      const std::string wrong{word.substr(0, word.size() - 1)};
      const Value off = option.kind == Kind::kWords ? Value{std::vector<Value>{{wrong}}} : Value{wrong};
      const Fault fault = row.set(off);
      ASSERT_TRUE(fault) << option.path << ' ' << wrong;
      EXPECT_THAT(*fault, HasSubstr(fmt::format("did you mean \"{}\"", nearest(wrong, option.words)))) << option.path;
    }
  }
}

TEST(Table, ShowsWhatWasSetAsItIsReadAgain) {
  for (const Option& option : options()) {
    if (option.kind != Kind::kWord && option.kind != Kind::kDuration) continue;
    if (option.translate != nullptr) continue;
    Row row{option};
    const std::string value = option.words.empty() ? format_duration(std::chrono::milliseconds{option.max})
                                                   : std::string{option.words.back()};
    EXPECT_FALSE(row.set({value})) << option.path;
    EXPECT_EQ(row.shown(), in_quotes(value)) << option.path;
  }
}

TEST(Table, RefusesWrongTypes) {
  for (const Option& option : options()) {
    Row row{option};
    const std::string before = row.shown();
    std::vector<Value> wrong{{1.5}, {std::vector<Value>{{std::int64_t{1}}}}};
    if (option.kind != Kind::kSwitch) wrong.push_back({true});
    if (option.kind != Kind::kMap) wrong.push_back({Table{}});
    if (option.kind == Kind::kSwitch || option.kind == Kind::kMap) wrong.push_back({std::string{"true"}});
    if (is_number(option) || option.kind == Kind::kDuration) wrong.push_back({std::string{"many"}});
    if (!is_number(option) && !option.numbers) wrong.push_back({std::int64_t{7}});
    for (const Value& value : wrong) {
      EXPECT_TRUE(row.set(value)) << option.path << " = " << to_toml(value);
    }
    EXPECT_EQ(row.shown(), before) << option.path;
  }
}

TEST(Table, BoundsTheLengthOfEachText) {
  for (const Option& option : options()) {
    if (option.kind != Kind::kText || option.max > 100'000 || option.check == check_start) continue;
    Row row{option};
    const std::string longest(static_cast<std::size_t>(option.max), 'a');
    EXPECT_FALSE(row.set({longest})) << option.path;
    EXPECT_EQ(row.set({longest + "a"}), "is too long") << option.path;
    EXPECT_EQ(row.set({std::string{}}), option.min > 0 ? Fault{"is empty"} : Fault{}) << option.path;
  }
}

TEST(Table, DefaultsAreWithinTheirOwnLimits) {
  for (const Option& option : options()) {
    Config config;
    Feed feed;
    const auto shown = show(option, option.field(config, feed));
    if (!shown || *shown == "[]" || *shown == "{}") continue;
    feed.name = "a";
    const std::string name = option.name(feed);
    const auto problem =
        refusal("", {"feed.a.port=1", "feed.a.delivery=at_least_once", fmt::format("{}={}", name, *shown)});
    EXPECT_EQ(problem, "") << name;
  }
}

TEST(Table, LibraryDefaultsAreWithinTheirOwnLimits) {
  for (const Option& option : options()) {
    if (option.library.empty() || option.fallback == "never") continue;
    EXPECT_EQ(refusal("", {"feed.a.port=1", "feed.a.delivery=at_least_once",
                           fmt::format("{}={}", option.path, option.fallback)}),
              "")
        << option.path;
  }
}

}  // namespace
}  // namespace tickbridge::config
