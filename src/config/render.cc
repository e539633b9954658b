#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/secret_name.h"
#include "config/config.h"
#include "config/java_names.h"
#include "config/table.h"

namespace tickbridge::config {
namespace {

constexpr std::size_t kColumn = 56;  // where the comments begin

std::string line(std::string_view text, std::string_view comment) {
  return fmt::format("{:<{}} # {}\n", text, kColumn, comment);
}

/// A key, in quotes unless TOML takes it bare.
std::string key(std::string_view name) {
  const bool bare = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare && !name.empty() ? std::string{name} : in_quotes(name);
}

/// Writes a configuration table by table.
class Renderer {
 public:
  explicit Renderer(const Config& config) : config_{config} {}

  std::string all() {
    table("", nobody_);
    for (Feed& feed : config_.feeds) this->feed(feed);
    for (const std::string_view name : tables()) {
      if (name.empty() || name.starts_with("feed.")) continue;
      table(name, nobody_);
      if (name == "producer") library();
    }
    return std::move(out_);
  }

 private:
  void feed(Feed& feed) {
    table("feed.*", feed);
    const bool frames = feed.codec.transport == codec::Transport::kFrames;
    table(frames ? "feed.*.frames" : "feed.*.soupbintcp", feed);
  }

  void table(std::string_view name, Feed& feed) {
    if (!name.empty()) {
      std::string title{name};
      if (const std::size_t star = title.find('*'); star != std::string::npos) title.replace(star, 1, key(feed.name));
      out_ += fmt::format("\n[{}]\n", title);
    }
    for (const Option& option : options()) {
      if (table_of(option.path) == name) this->option(option, feed);
    }
  }

  void option(const Option& option, Feed& feed) {
    const Field field = option.field(config_, feed);
    if (std::holds_alternative<HostOf>(field) || std::holds_alternative<PortOf>(field)) return;
    if (std::holds_alternative<Property>(field) && by_own_name(option.library)) return;
    if (!option.secret_of.empty() && own_name(fmt::format("{}_file", option.secret_of))) return;
    const auto file = config_.secret_files.find(std::string{option.library});
    const bool from_file = file != config_.secret_files.end() && !file->second.empty();
    const auto value = from_file ? std::nullopt : show(option, field);
    if (!value && option.fallback == "never") {
      out_ += line(fmt::format("# {} is not set", key(key_of(option.path))), "the default: never");
      return;
    }
    const std::string text = fmt::format("{} = {}", key(key_of(option.path)), value.value_or(unset(option)));
    out_ += value ? line(text, origin(option.name(feed))) : line("# " + text, "the default");
  }

  static std::string unset(const Option& option) {
    const bool number = option.kind == Kind::kWhole || option.kind == Kind::kSize || option.kind == Kind::kMilliseconds;
    const bool bare = number || option.kind == Kind::kSwitch || option.fallback.starts_with('"');
    return bare ? std::string{option.fallback} : in_quotes(option.fallback);
  }

  std::string origin(const std::string& name) const {
    if (const auto at = config_.origins.find(name); at != config_.origins.end()) return at->second;
    if (!name.ends_with(".hosts")) return "default";
    const std::string stem = name.substr(0, name.size() - 5);
    const auto host = config_.origins.find(stem + "host");
    const auto port = config_.origins.find(stem + "port");
    if (host == config_.origins.end()) return port == config_.origins.end() ? "default" : port->second;
    if (port == config_.origins.end() || port->second == host->second) return host->second;
    return fmt::format("{}, {}", host->second, port->second);
  }

  /// The name under producer.librdkafka by which the property was set.
  std::optional<std::string> own_name(std::string_view property) const {
    constexpr std::string_view kPrefix = "producer.librdkafka.";
    for (const auto& [name, place] : config_.origins) {
      if (name.starts_with(kPrefix) && canonical_property(name.substr(kPrefix.size())) == property) return name;
    }
    return std::nullopt;
  }

  /// Set under the library's name, or under no other.
  bool by_own_name(std::string_view property) const {
    if (!config_.producer.properties.contains(std::string{property})) return false;
    if (own_name(property)) return true;
    return std::none_of(options().begin(), options().end(), [&](const Option& o) { return o.library == property; });
  }

  void library() {
    out_ += "\n[producer.librdkafka]\n";
    for (const auto& [name, value] : config_.producer.properties) {
      if (!by_own_name(name)) continue;
      const std::string shown = is_secret_name(name) ? "***" : value;
      out_ += line(fmt::format("{} = {}", key(name), in_quotes(shown)), origin(own_name(name).value_or("")));
    }
    for (const auto& [name, file] : config_.secret_files) {
      const auto own = own_name(name + "_file");
      if (own) out_ += line(fmt::format("{} = {}", key(name + "_file"), in_quotes(file)), origin(*own));
    }
    if (!config_.producer.properties.contains("socket.nagle.disable")) {
      out_ += line("# \"socket.nagle.disable\" = true", "the default");
    }
  }

  Config config_;
  Feed nobody_;
  std::string out_;
};

}  // namespace

std::string render(const Config& config) { return Renderer{config}.all(); }

}  // namespace tickbridge::config
