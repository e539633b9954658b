// What differs between two configurations, and what of it a running daemon takes over.
#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "config/config.h"
#include "config/table.h"

namespace tickbridge::config {
namespace {

/// Who Kafka is and how it is reached: the journal's clients have it from the start too.
bool is_connection(std::string_view property) {
  constexpr std::array<std::string_view, 3> kTables{"sasl.", "ssl.", "security."};
  return property == "bootstrap.servers" || property == "metadata.broker.list" ||
         std::ranges::any_of(kTables, [&](std::string_view table) { return property.starts_with(table); });
}

Reload reload_of(std::string_view property) { return is_connection(property) ? Reload::kRestart : Reload::kFeeds; }

const std::string* find(const std::map<std::string, std::string>& properties, const std::string& name) {
  const auto at = properties.find(name);
  return at == properties.end() ? nullptr : &at->second;
}

/// The library's properties that differ, by name.
std::vector<std::string> different_properties(const Config& before, const Config& after) {
  std::set<std::string> names;
  for (const auto* const config : {&before, &after}) {
    for (const auto& [name, value] : config->producer.properties) names.insert(name);
  }
  std::vector<std::string> found;
  for (const std::string& name : names) {
    const std::string* const was = find(before.producer.properties, name);
    const std::string* const is = find(after.producer.properties, name);
    if ((was == nullptr) != (is == nullptr) || (was != nullptr && *was != *is)) found.push_back(name);
  }
  return found;
}

bool differs(const Option& option, Config& before, Feed& old_feed, Config& after, Feed& new_feed) {
  return show(option, option.field(before, old_feed)) != show(option, option.field(after, new_feed));
}

/// The field of a daemon's option as it is in the other configuration.
void keep(const Field& from, const Field& into) {
  std::visit(
      [&](const auto& target) {
        using Target = std::decay_t<decltype(target)>;
        const auto* const source = std::get_if<Target>(&from);
        if (source == nullptr) return;
        if constexpr (std::is_same_v<Target, Word>) {
          *target.index = *source->index;
        } else if constexpr (std::is_pointer_v<Target>) {
          *target = **source;
        }
      },
      into);
}

void compare_feeds(Config& before, Config& after, std::vector<Difference>& found) {
  const auto named = [](Config& config, const std::string& name) {
    const auto at = std::ranges::find(config.feeds, name, &Feed::name);
    return at == config.feeds.end() ? nullptr : &*at;
  };
  for (const Feed& feed : before.feeds) {
    if (named(after, feed.name) == nullptr) found.push_back({"feed." + feed.name, Reload::kFeed});
  }
  for (Feed& feed : after.feeds) {
    Feed* const old = named(before, feed.name);
    if (old == nullptr) {
      found.push_back({"feed." + feed.name, Reload::kFeed});
      continue;
    }
    for (const Option& option : options()) {
      if (option.is_feed() && differs(option, before, *old, after, feed))
        found.push_back({option.name(feed), Reload::kFeed});
    }
  }
}

}  // namespace

Reload Option::reload() const {
  if (is_feed()) return Reload::kFeed;
  if (!library.empty()) return reload_of(library);
  if (renews) return Reload::kFeeds;
  return reloadable ? Reload::kAtOnce : Reload::kRestart;
}

std::vector<Difference> differences(const Config& before, const Config& after) {
  Config old_config = before;
  Config new_config = after;
  Feed nobody;
  std::vector<Difference> found;
  compare_feeds(old_config, new_config, found);
  for (const Option& option : options()) {
    const bool once = !option.is_feed() && option.library.empty() && !option.secret;
    if (once && differs(option, old_config, nobody, new_config, nobody))
      found.push_back({std::string{option.path}, option.reload()});
  }
  for (const std::string& name : different_properties(before, after))
    found.push_back({"producer." + name, reload_of(name)});
  return found;
}

bool same(const Feed& a, const Feed& b) {
  if (a.name != b.name) return false;
  Config nothing;
  Feed one = a;
  Feed other = b;
  return std::ranges::none_of(options(), [&](const Option& option) {
    return option.is_feed() && differs(option, nothing, one, nothing, other);
  });
}

Config taken_over(const Config& running, const Config& fresh) {
  Config from = running;
  Config into = fresh;
  Feed nobody;
  for (const Option& option : options()) {
    const bool kept = option.reload() == Reload::kRestart && option.library.empty();
    if (kept) keep(option.field(from, nobody), option.field(into, nobody));
  }
  for (const std::string& name : different_properties(running, fresh)) {
    if (reload_of(name) != Reload::kRestart) continue;
    const std::string* const was = find(running.producer.properties, name);
    if (was == nullptr) {
      into.producer.properties.erase(name);
    } else {
      into.producer.properties[name] = *was;
    }
  }
  return into;
}

}  // namespace tickbridge::config
