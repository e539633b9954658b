#include "config/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/secret_name.h"
#include "config/checks.h"
#include "config/java_names.h"
#include "config/nearest.h"
#include "config/table.h"

namespace tickbridge::config {
namespace {

constexpr std::string_view kLibrary = "producer.librdkafka.";

/// A flag's value as the option wants it: what takes text gets it as typed.
Value value_for(const Option& option, const Setting& setting) {
  const bool text = option.kind == Kind::kText || option.kind == Kind::kHex || option.kind == Kind::kWord;
  if (setting.is_flag && text && !std::holds_alternative<std::string>(setting.value.data)) return {setting.raw};
  return setting.value;
}

std::string shown(const Value& value, bool secret) { return secret ? "***" : to_toml(value); }

std::string advice(const Option& option) {
  static const Config defaults;
  Config config = defaults;
  Feed feed;
  const auto fallback = show(option, option.field(config, feed));
  const std::string text = fallback.value_or(std::string{option.fallback});
  return text.empty() || text == "[]" ? "correct it" : fmt::format("correct it or leave it out (default: {})", text);
}

/// "" unsets.
bool is_empty(const Value& value) {
  const auto* const text = std::get_if<std::string>(&value.data);
  return text != nullptr && text->empty();
}

/// A library property's value, as text.
std::string property_text(const Setting& setting) {
  if (const auto* const text = std::get_if<std::string>(&setting.value.data)) return *text;
  return setting.is_flag ? setting.raw : to_toml(setting.value);
}

/// Host and port set a part of hosts.
std::string target_of(const Option& option, const std::string& name) {
  if (!option.library.empty()) return fmt::format("library {}", option.library);
  if (!option.secret_of.empty()) return fmt::format("library {}", option.secret_of);
  return name;
}

}  // namespace

void Draft::name_feeds(const std::vector<Setting>& file, const std::vector<Setting>& flags,
                       const Overrides& overrides) {
  for (const Setting& setting : file) add_feed(setting);
  if (!config_.feeds.empty()) return;
  for (const Setting& setting : flags) add_feed(setting);
  if (overrides.feed) add_feed(*overrides.feed, "--feed");
  if (config_.feeds.empty() && problems_.empty()) add_feed("default", "default");
}

void Draft::add_feed(const Setting& setting) {
  if (setting.keys.size() >= 2 && setting.keys[0] == "feed") add_feed(setting.keys[1], setting.place);
}

void Draft::add_feed(const std::string& name, const std::string& place) {
  if (find_feed(name) != nullptr) return;
  if (const Fault fault = check_feed_name(name)) {
    const std::string problem =
        fmt::format("{}: the feed's name {} {}; allowed: 1 to 64 letters, digits, \"_\" and \"-\"; rename it", place,
                    in_quotes(name), *fault);
    if (std::find(problems_.begin(), problems_.end(), problem) == problems_.end()) problems_.push_back(problem);
    return;
  }
  config_.feeds.push_back({});
  config_.feeds.back().name = name;
  if (place != "default") config_.origins[fmt::format("feed.{}", name)] = place;
}

Feed* Draft::find_feed(std::string_view name) {
  const auto at =
      std::find_if(config_.feeds.begin(), config_.feeds.end(), [&](const Feed& f) { return f.name == name; });
  return at == config_.feeds.end() ? nullptr : &*at;
}

void Draft::take(const std::vector<Setting>& layer) {
  ++layer_;
  for (const Setting& setting : layer) take_one(setting);
}

void Draft::take_one(const Setting& setting) {
  const std::string name = join(setting.keys);
  if (setting.keys[0] == "feed") {
    take_feed(setting);
  } else if (name.starts_with(kLibrary)) {
    take_property(setting, name.substr(kLibrary.size()));
  } else if (name == "producer.sasl.mechanisms") {  // the client library's name, as good as Java's
    take_named(setting, "producer.sasl.mechanism", "producer.sasl.mechanism", nobody_);
  } else {
    take_named(setting, name, name, nobody_);
  }
}

void Draft::take_feed(const Setting& setting) {
  const bool empty = std::holds_alternative<Table>(setting.value.data);
  if (setting.keys.size() <= 2) {
    if (!empty) refuse(setting, join(setting.keys), "is no table; write [feed.NAME] and its options below it");
    return;
  }
  Feed* const feed = find_feed(setting.keys[1]);
  const std::string name = join(setting.keys);
  if (feed != nullptr) return take_named(setting, "feed.*." + join(setting.keys, 2), name, *feed);
  if (!check_feed_name(setting.keys[1])) refuse(setting, name, unknown_feed(setting.keys[1]));
}

std::string Draft::unknown_feed(const std::string& name) const {
  std::vector<std::string_view> names;
  for (const Feed& feed : config_.feeds) names.push_back(feed.name);
  return fmt::format("means a feed that the file does not have; its feeds: {}; did you mean {}?",
                     fmt::join(names, ", "), in_quotes(nearest(name, names)));
}

void Draft::take_named(const Setting& setting, const std::string& path, const std::string& name, Feed& feed) {
  if (const Option* const option = find_option(path)) return take_option(setting, *option, name, feed);
  if (const Option* const map = find_map(path)) return take_entry(setting, *map, name, feed);
  take_unknown(setting, path, name);
}

void Draft::take_option(const Setting& setting, const Option& option, const std::string& name, Feed& feed) {
  const bool empty_secret = (option.secret || !option.secret_of.empty()) && is_empty(setting.value);
  if (shown_to_all(setting, std::string{option.library}, name)) return;
  if (!empty_secret && !claim(target_of(option, name), name, setting)) return;
  const Value value = value_for(option, setting);
  const Field field = option.field(config_, feed);
  if (const Fault fault = assign(option, field, value)) {
    problems_.push_back(fmt::format("{}: {} = {} {}; allowed: {}; {}", setting.place, name, shown(value, option.secret),
                                    *fault, allowed(option), advice(option)));
    return;
  }
  if (!empty_secret) {
    replace_other_form(std::string{option.secret_of.empty() ? option.library : option.secret_of},
                       !option.secret_of.empty());
  }
  config_.origins[name] = setting.place;
}

void Draft::take_entry(const Setting& setting, const Option& option, const std::string& name, Feed& feed) {
  const std::string map = option.name(feed);
  if (const Fault fault =
          assign_entry(option, option.field(config_, feed), name.substr(map.size() + 1), setting.value)) {
    problems_.push_back(fmt::format("{}: {} = {} {}; allowed: {}; correct it", setting.place, name,
                                    to_toml(setting.value), *fault, allowed(option)));
    return;
  }
  config_.origins[map] = setting.place;
}

void Draft::take_property(const Setting& setting, const std::string& property) {
  const std::string name = join(setting.keys);
  const std::string canonical{canonical_property(property)};
  if (const Refused* const owned = find_refused(owned_properties(), property)) {
    const auto memory = config_.origins.find("producer.buffer.memory");
    const bool twice = property == "queue.buffering.max.kbytes" && memory != config_.origins.end();
    return refuse(setting, name,
                  twice ? fmt::format("sets the same as producer.buffer.memory ({}); keep that one", memory->second)
                        : std::string{owned->advice});
  }
  const bool scalar = !std::holds_alternative<Table>(setting.value.data) &&
                      !std::holds_alternative<std::vector<Value>>(setting.value.data);
  if (!scalar) {
    return refuse(setting, name,
                  fmt::format("is {}; allowed: text, a number, true or false; correct it", type_name(setting.value)));
  }
  constexpr std::string_view kFile = "_file";
  if (property.ends_with(kFile)) {
    const std::string secret = property.substr(0, property.size() - kFile.size());
    if (is_secret_name(secret)) return take_secret_file(setting, std::string{canonical_property(secret)});
  }
  if (shown_to_all(setting, canonical, name)) return;
  if (!claim("library " + canonical, name, setting)) return;
  replace_other_form(canonical, false);
  config_.producer.properties[canonical] = property_text(setting);
  config_.origins[name] = setting.place;
}

/// "ssl.key.pem_file" under producer.librdkafka, and the like.
void Draft::take_secret_file(const Setting& setting, const std::string& property) {
  const std::string name = join(setting.keys);
  if (!claim("library " + property, name, setting)) return;
  replace_other_form(property, true);
  config_.secret_files[property] = property_text(setting);
  config_.origins[name] = setting.place;
}

/// A secret on the command line.
bool Draft::shown_to_all(const Setting& setting, const std::string& property, const std::string& name) {
  if (!setting.is_flag || is_empty(setting.value) || !is_confidential_name(property)) return false;
  refuse(setting, name,
         fmt::format("is a secret, and everybody on this machine can read a command line; write it to a file that only "
                     "the daemon's user may read, and set {}_file",
                     name));
  return true;
}

/// A secret and its file are one: the later layer's form holds.
void Draft::replace_other_form(const std::string& property, bool by_file) {
  if (by_file) {
    config_.producer.properties.erase(property);
  } else {
    config_.secret_files.erase(property);
  }
}

/// Says who sets `target`. False: another name has set it in this layer already.
bool Draft::claim(const std::string& target, const std::string& name, const Setting& setting) {
  const auto at = sources_.find(target);
  if (at != sources_.end() && at->second.name != name) {
    if (at->second.layer == layer_) {
      refuse(setting, name,
             fmt::format("sets the same as {} ({}); keep one of them", at->second.name, at->second.place));
      return false;
    }
    config_.origins.erase(at->second.name);
  }
  sources_[target] = {name, setting.place, layer_};
  return true;
}

void Draft::take_unknown(const Setting& setting, const std::string& path, const std::string& name) {
  std::vector<std::string_view> known = tables();
  known.emplace_back("producer.librdkafka");
  if (std::find(known.begin(), known.end(), path) != known.end()) {
    if (!std::holds_alternative<Table>(setting.value.data)) refuse(setting, name, "is no table; write it as [table]");
    return;
  }
  const bool producer = path.starts_with("producer.");
  if (producer) {
    if (const Refused* const refused = find_refused(refused_java_names(), path.substr(9))) {
      return refuse(setting, name, refused->advice);
    }
  }
  for (const Option& option : options()) known.push_back(option.path);
  std::string near{nearest(path, known)};
  if (const std::size_t star = near.find('*'); star != std::string::npos) {
    near.replace(star, 1, setting.keys[0] == "feed" ? setting.keys[1] : "<name>");
  }
  refuse(setting, name,
         fmt::format("is no option; did you mean {}?{} All names: --print-config", near,
                     producer ? " Properties of the client library stand in [producer.librdkafka]." : ""));
}

Result<void> Draft::take_address(const Overrides& overrides) {
  ++layer_;
  if (!overrides.host && !overrides.port && !overrides.feed) return {};
  if (!overrides.feed && config_.feeds.size() > 1) {
    std::vector<std::string_view> names;
    for (const Feed& feed : config_.feeds) names.push_back(feed.name);
    return error(ExitCode::kUsage, fmt::format("{}: there are several feeds; say which is meant with --feed: {}",
                                               overrides.host ? "--host" : "--port", fmt::join(names, ", ")));
  }
  Feed* const feed = overrides.feed          ? find_feed(*overrides.feed)
                     : config_.feeds.empty() ? nullptr
                                             : &config_.feeds.front();
  if (feed == nullptr && !problems_.empty()) return {};
  if (feed == nullptr) {
    return error(ExitCode::kUsage, fmt::format("--feed {}: {}", *overrides.feed, unknown_feed(*overrides.feed)));
  }
  if (overrides.host && overrides.port) feed->net.hosts.clear();
  if (overrides.host) take_one({{"feed", feed->name, "host"}, {*overrides.host}, "--host", *overrides.host, true});
  if (overrides.port) take_one({{"feed", feed->name, "port"}, {std::int64_t{*overrides.port}}, "--port", "", true});
  return {};
}

void Draft::finish() {
  config_.producer.properties.emplace("bootstrap.servers", "localhost:9092");
  for (Feed& feed : config_.feeds) {
    const std::string name = fmt::format("feed.{}", feed.name);
    for (const char* const part : {"host", "port"}) {
      const auto hosts = sources_.find(name + ".hosts");
      const auto source = sources_.find(fmt::format("{}.{}", name, part));
      if (hosts == sources_.end() || source == sources_.end() || hosts->second.layer != source->second.layer) continue;
      problems_.push_back(fmt::format("{}: {} and {} ({}) both give the address; keep one of them",
                                      source->second.place, source->second.name, hosts->second.name,
                                      hosts->second.place));
    }
    if (!feed.net.hosts.empty() && feed.net.hosts.front().host.empty()) feed.net.hosts.front().host = "localhost";
    const bool complete = !feed.net.hosts.empty() && feed.net.hosts.front().port != 0;
    if (complete || !problems_.empty()) continue;
    const auto origin = config_.origins.find(name);
    problems_.push_back(fmt::format("{}: {} has no {}; set hosts = [\"host:port\"] or give --host and --port",
                                    origin == config_.origins.end() ? "built-in defaults" : origin->second, name,
                                    feed.net.hosts.empty() ? "address" : "port"));
  }
}

void Draft::refuse(const Setting& setting, std::string_view name, std::string_view what) {
  problems_.push_back(fmt::format("{}: {} {}", setting.place, name, what));
}

}  // namespace tickbridge::config
