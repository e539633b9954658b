#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"
#include "config/values.h"

namespace tickbridge::config {

/// How a value is written.
enum class Kind : std::uint8_t {
  kWord,  ///< one of a few words
  kText,
  kHex,           ///< text of hexadecimal digits
  kWhole,         ///< a whole number
  kSize,          ///< bytes: a number or "64MiB"
  kDuration,      ///< "250ms"
  kMilliseconds,  ///< as Java: a number of milliseconds
  kSwitch,        ///< true or false
  kWords,         ///< a list of words
  kAddresses,     ///< a list of "host:port"
  kMap,           ///< a table of names and values
};

/// Where an option's value lives. An enumeration (or bool) of one byte, by the order of the option's words:
struct Word {
  std::uint8_t* index;
};
/// The first address's parts.
struct HostOf {
  std::vector<net::Address>* addresses;
};
struct PortOf {
  std::vector<net::Address>* addresses;
};
/// One of the client library's properties; absent: the library's own default.
struct Property {
  std::map<std::string, std::string>* properties;
};
using Field =
    std::variant<Word, bool*, std::string*, std::int32_t*, std::uint32_t*, std::size_t*, std::chrono::milliseconds*,
                 std::map<std::string, std::int32_t>*, std::map<std::string, std::string>*, std::vector<sink::Header>*,
                 std::vector<net::Address>*, HostOf, PortOf, Property>;

/// What is wrong with a value ("is too large"); nothing: it is taken.
using Fault = std::optional<std::string>;

/// One option: a row of the table that everything else is made from.
struct Option {
  std::string_view path;  ///< as in the file, tables and all; a feed's begin with "feed.*."
  Kind kind = Kind::kText;
  Field (*field)(Config&, Feed&) = nullptr;
  std::string_view doc;                      ///< one sentence
  std::vector<std::string_view> words = {};  ///< kWord, kWords, and kWhole with few allowed values
  std::int64_t min = 0;                      ///< kWhole, kSize: as such; kDuration, kMilliseconds: ms; kText: letters
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  Fault (*check)(const std::string&) = nullptr;            ///< kText, kMap's names: more than its length
  std::string_view allowed = {};                           ///< in words, where words and limits do not say it
  std::string_view library = {};                           ///< Property: the library's own name
  std::string (*translate)(const std::string&) = nullptr;  ///< Property: Java's value into the library's
  std::string_view fallback = {};                          ///< Property: what holds if it is not set
  /// kText: names a file that holds a secret; looked at when the configuration is taken (secrets.h).
  bool secret_file = false;
  std::string_view secret_of = {};  ///< secret_file: the library's property that the secret is for
  bool numbers = false;             ///< kText: a whole number or a date without quotes is taken too
  bool secret = false;              ///< shown as ***
  bool reloadable = false;          ///< taken over by a running daemon (SIGHUP), at once
  bool renews = false;              ///< so too, by all feeds that begin anew at a checkpoint
  bool in_help = false;             ///< listed by --help
  bool shapes = false;              ///< a feed's: shapes what is written, so a checkpoint holds it (recovery.md)

  [[nodiscard]] bool is_feed() const { return path.starts_with("feed.*."); }
  /// What a change of it takes.
  [[nodiscard]] Reload reload() const;
  /// feed.*.topic → feed.nasdaq.topic
  [[nodiscard]] std::string name(const Feed& feed) const;
};

/// Gives the option's field the value. REQUIRES: `feed` is the option's feed, or any for the daemon's options.
[[nodiscard]] Fault assign(const Option& option, const Field& field, const Value& value);
/// One entry of a kMap option.
[[nodiscard]] Fault assign_entry(const Option& option, const Field& field, const std::string& name, const Value& value);
/// The field's value as TOML writes it; nullopt: not set, the option's fallback holds.
[[nodiscard]] std::optional<std::string> show(const Option& option, const Field& field);
/// What the option takes, in words: "0 to 256", "one of …".
[[nodiscard]] std::string allowed(const Option& option);

}  // namespace tickbridge::config
