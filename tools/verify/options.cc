#include "options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <toml++/toml.h>

namespace tickbridge::verify {
namespace {

const std::map<std::string, KeyKind> kKeys = {
    {"symbol", KeyKind::kSymbol}, {"instrument", KeyKind::kInstrument}, {"none", KeyKind::kNone}};
const std::map<std::string, PartitionKind> kPartitioners = {{"murmur2", PartitionKind::kMurmur2},
                                                            {"crc32", PartitionKind::kCrc32},
                                                            {"round_robin", PartitionKind::kRoundRobin},
                                                            {"explicit", PartitionKind::kExplicit}};

template <typename Value>
void pick(const toml::table& feed, const char* name, const std::map<std::string, Value>& words, Value& value) {
  const auto word = feed[name].value<std::string>();
  if (!word) return;
  const auto found = words.find(*word);
  if (found == words.end()) throw std::runtime_error(std::string(name) + ": unknown word " + *word);
  value = found->second;
}

void copy(const toml::table& feed, const char* name, std::string& value) {
  if (const auto text = feed[name].value<std::string>()) value = *text;
}

/// A TOML date as well as a string.
void copy_date(const toml::table& feed, std::string& value) {
  copy(feed, "trading_date", value);
  if (const auto date = feed["trading_date"].value<toml::date>()) {
    char text[16];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d", int{date->year}, int{date->month}, int{date->day});
    value = text;
  }
}

void read_feed(const toml::table& feed, Options& options) {
  copy(feed, "topic", options.topic);
  copy(feed, "time_zone", options.time_zone);
  copy_date(feed, options.trading_date);
  options.rules.raw = feed["protocol"].value_or(std::string("itch50")) == "raw";
  options.rules.pass_unknown = feed["on_unknown"].value_or(std::string("pass")) == "pass";
  pick(feed, "key", kKeys, options.rules.routes.key);
  pick(feed, "partitioner", kPartitioners, options.rules.routes.partitioner);
  const auto* map = feed["partitions"].as_table();
  if (map == nullptr) return;
  for (const auto& [key, number] : *map) {
    options.rules.routes.partitions[std::string(key.str())] = number.value_or(0);
  }
}

const toml::table& feed_of(const toml::table& config, const std::string& name) {
  const auto* feeds = config["feed"].as_table();
  if (feeds == nullptr || feeds->empty()) throw std::runtime_error("no [feed.NAME] in it");
  if (name.empty() && feeds->size() > 1) throw std::runtime_error("several feeds in it: say --feed NAME");
  const auto* feed = name.empty() ? feeds->begin()->second.as_table() : (*feeds)[name].as_table();
  if (feed == nullptr) throw std::runtime_error("no [feed." + name + "] in it");
  return *feed;
}

/// A property for both sides; the producer's own ones mean nothing to a consumer.
bool about_connecting(const std::string& name) {
  for (const char* prefix : {"bootstrap.servers", "security.", "sasl.", "ssl."}) {
    if (name.rfind(prefix, 0) == 0) return true;
  }
  return false;
}

/// Of FILE or credential:NAME: the first line; of PEM all.
std::string read_secret(const std::string& name, std::string file) {
  constexpr std::string_view kCredential = "credential:";
  if (file.starts_with(kCredential)) {
    const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr) throw std::runtime_error(name + " = " + file + ": CREDENTIALS_DIRECTORY is not set");
    file = std::string(folder) + "/" + file.substr(kCredential.size());
  }
  std::ifstream stream(file);
  std::ostringstream all;
  if (!(all << stream.rdbuf())) throw std::runtime_error(name + ": " + file + " cannot be read, or is empty");
  const std::string text = all.str();
  return name.ends_with(".pem_file") ? text : text.substr(0, text.find('\n'));
}

/// Java's names and the daemon's, for what the client library calls otherwise.
void set_property(const std::string& name, const std::string& value, Options& options) {
  constexpr std::string_view kFile = "_file";
  if (name.ends_with(kFile)) {
    return set_property(name.substr(0, name.size() - kFile.size()), read_secret(name, value), options);
  }
  if (name != "sasl.jaas.config") {
    options.reader.properties[name] = value;
    return;
  }
  std::smatch match;
  for (const std::string key : {"username", "password"}) {
    const std::regex form(key + R"re(\s*=\s*"((?:[^"\\]|\\.)*)")re");
    if (!std::regex_search(value, match, form)) throw std::runtime_error(name + ": no " + key + "=\"…\" in it");
    options.reader.properties["sasl." + key] = std::regex_replace(match.str(1), std::regex(R"re(\\(.))re"), "$1");
  }
}

/// Dotted names may stand as one quoted key or as tables in tables.
void read_properties(const toml::table& table, const std::string& prefix, Options& options) {
  for (const auto& [key, node] : table) {
    const auto name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      read_properties(*inner, name == "librdkafka" ? "" : name + ".", options);
    } else if (const auto text = node.value<std::string>(); text && about_connecting(name)) {
      if (name == "bootstrap.servers") {
        options.reader.bootstrap = *text;
      } else {
        set_property(name, *text, options);
      }
    }
  }
}

void read_config(const std::string& path, const std::string& feed, Options& options) {
  const auto config = toml::parse_file(path);
  read_feed(feed_of(config, feed), options);
  if (const auto* producer = config["producer"].as_table()) read_properties(*producer, "", options);
}

struct Raw {
  std::string config, feed, bootstrap, topic, date, zone;
  std::vector<std::string> properties;
};

void declare(CLI::App& app, Options& options, Raw& raw) {
  app.add_option("--file", options.file, "what the exchange served: .itch or .itch.gz")->required();
  app.add_option("--bootstrap", raw.bootstrap, "bootstrap.servers; else the config's");
  app.add_option("--topic", raw.topic, "the topic; else the feed's");
  app.add_option("--config", raw.config, "the daemon's config: protocol, key, partitioner, time zone, security");
  app.add_option("--feed", raw.feed, "which of the config's feeds");
  app.add_option("--loop", options.rules.loops, "the file was served that many times")->check(CLI::PositiveNumber);
  app.add_option("--isolation", options.reader.isolation, "read_committed | read_uncommitted")
      ->check(CLI::IsMember({"read_committed", "read_uncommitted"}));
  app.add_flag("--follow", options.follow, "read on while records are written, until all have come");
  app.add_option("--timeout", options.timeout, "seconds without a record that end it")->capture_default_str();
  app.add_option("--quiet", options.quiet, "seconds to look for duplicates once all have come")->capture_default_str();
  app.add_option("--partitions", options.partitions, "the topic must have so many");
  app.add_flag("--timestamps", options.timestamps, "check exchange timestamps too");
  app.add_option("--trading-date", raw.date, "today, or as 2019-12-30; else the config's");
  app.add_option("--time-zone", raw.zone, "as America/New_York; else the config's");
  app.add_option("--dead-letters", options.dead_letters, "a topic: count its dead letters by reason");
  app.add_option("-X", raw.properties,
                 "NAME=VALUE: a property of the client library, or NAME_file=FILE with a secret's file; repeatable")
      ->take_all();
}

void apply(const Raw& raw, Options& options) {
  if (!raw.config.empty()) read_config(raw.config, raw.feed, options);
  const auto over = [](const std::string& given, std::string& value) {
    if (!given.empty()) value = given;
  };
  over(raw.bootstrap, options.reader.bootstrap);
  over(raw.topic, options.topic);
  over(raw.date, options.trading_date);
  over(raw.zone, options.time_zone);
  for (const auto& text : raw.properties) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) throw std::runtime_error("-X " + text + ": NAME=VALUE expected");
    set_property(text.substr(0, equals), text.substr(equals + 1), options);
  }
  if (options.reader.bootstrap.empty()) throw std::runtime_error("--bootstrap is needed, or a config that names it");
  if (options.topic.empty()) throw std::runtime_error("--topic is needed, or a config that names it");
}

}  // namespace

std::optional<int> read_options(int argc, char** argv, Options& options) {
  CLI::App app("Compares a topic with what a file's messages must have produced.");
  Raw raw;
  declare(app, options, raw);
  try {
    app.parse(argc, argv);
    apply(raw, options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 64;
  } catch (const toml::parse_error& error) {
    std::cerr << "tickbridge-verify: " << raw.config << ':' << error.source().begin.line << ": " << error.description()
              << '\n';
    return 78;
  } catch (const std::runtime_error& error) {
    std::cerr << "tickbridge-verify: " << (raw.config.empty() ? "" : raw.config + ": ") << error.what() << '\n';
    return 64;
  }
  return std::nullopt;
}

std::int64_t midnight_ms(const std::string& date, const std::string& zone) {
  // The C library knows an unknown zone as UTC without a word.
  if (zone != "UTC" && !std::filesystem::exists("/usr/share/zoneinfo/" + zone)) {
    throw std::runtime_error("no time zone " + zone + " (apt-get install tzdata)");
  }
  ::setenv("TZ", zone.c_str(), 1);
  ::tzset();
  std::tm day{};
  if (date == "today") {
    const std::time_t now = std::time(nullptr);
    ::localtime_r(&now, &day);
    day.tm_hour = day.tm_min = day.tm_sec = 0;
  } else if (std::sscanf(date.c_str(), "%d-%d-%d", &day.tm_year, &day.tm_mon, &day.tm_mday) == 3) {
    day.tm_year -= 1900;
    --day.tm_mon;
  } else {
    throw std::runtime_error("no date: " + date);
  }
  day.tm_isdst = -1;
  return std::int64_t{std::mktime(&day)} * 1000;
}

}  // namespace tickbridge::verify
