// The options that shape what a feed writes, as a checkpoint holds them.
#include <fmt/format.h>

#include "config/config.h"
#include "config/table.h"

namespace tickbridge::config {

namespace {

constexpr std::string_view kPrefix = "feed.*.";

}  // namespace

std::map<std::string, std::string> shaping(const Feed& feed) {
  std::map<std::string, std::string> values;
  Config nothing;
  Feed copy = feed;
  for (const Option& option : options()) {
    if (!option.shapes) continue;
    values[std::string{option.path.substr(kPrefix.size())}] = show(option, option.field(nothing, copy)).value_or("");
  }
  return values;
}

// By way of the parser, so that a checkpoint's values meet the same checks as a file's.
Result<Feed> reshaped(const Feed& feed, const std::map<std::string, std::string>& values) {
  std::string toml = "[feed.x]\nhost = \"localhost\"\nport = 1\n";
  for (const Option& option : options()) {
    if (!option.shapes) continue;
    const std::string key{option.path.substr(kPrefix.size())};
    if (const auto found = values.find(key); found != values.end())
      toml += fmt::format("{} = {}\n", key, found->second);
  }
  auto parsed = parse(toml, "the checkpoint's parameters");
  if (!parsed) return parsed.error();
  Feed old = parsed->feeds.front();
  old.name = feed.name;
  old.net = feed.net;
  old.policies.on_gap = feed.policies.on_gap;
  old.sink.topic = feed.sink.topic;
  old.sink.dead_letter_topic = feed.sink.dead_letter_topic;
  old.sink.send = feed.sink.send;
  old.sink.when_full = feed.sink.when_full;
  old.codec.soup_version = feed.codec.soup_version;
  return old;
}

}  // namespace tickbridge::config
