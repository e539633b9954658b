#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/exit_code.h"
#include "base/result.h"
#include "codec/options.h"
#include "journal/options.h"
#include "net/options.h"
#include "ops/options.h"
#include "pipeline/options.h"
#include "routing/options.h"
#include "sink/options.h"

namespace tickbridge::config {

/// One `[feed.NAME]`. The name is the feed's identity.
struct Feed {
  std::string name;
  codec::Options codec;
  net::Options net;
  routing::Options routing;
  pipeline::FeedPolicies policies;
  sink::FeedOptions sink;
};

/// The whole effective configuration. A plain value: any thread may read its own copy.
struct Config {
  std::chrono::milliseconds startup_timeout{60'000};
  std::chrono::milliseconds shutdown_timeout{30'000};
  std::vector<Feed> feeds;  ///< in the file's order; at least one, each with an address
  pipeline::Options pipeline;
  sink::ProducerOptions producer;
  sink::TopicOptions topics;
  journal::Options checkpoint;
  ops::HttpOptions http;
  ops::LogOptions log;
  bool core_dumps = false;
  /// The producer's secrets: the library's property → the file that holds it, as written; "": none.
  std::map<std::string, std::string> secret_files;
  /// Where each option that is not at its default came from: its name as `--set` takes it → "file:line" or a flag.
  std::map<std::string, std::string> origins;
};

/// What the command line says beside the file. `--set` wins over `--host`/`--port`, which win over the file.
struct Overrides {
  std::vector<std::string> set;  ///< KEY=VALUE, in order
  std::optional<std::string> host;
  std::optional<std::uint16_t> port;
  std::optional<std::string> feed;  ///< which feed `host` and `port` are for; needed with several feeds
};

/// What to do: flags, file and `--set` merged and checked.
struct Invocation {
  Config config;
  std::string file;                  ///< its path, or "built-in defaults"
  std::optional<std::string> start;  ///< checkpoint | beginning | now | a sequence number
  bool exit_at_end = false;
  bool accept_change = false;
  bool check_config = false;
  bool print_config = false;
  std::vector<std::string> warnings;  ///< for the log
};

/// What to say before leaving: `--help`, `--version`, or what is wrong.
struct Exit {
  ExitCode code = ExitCode::kOk;
  std::string text;  ///< ends with a line feed
  bool to_stderr = false;
};

/// Reads the command line, the file and `--set`. Usage errors are kUsage (64), the configuration's kConfig (78).
[[nodiscard]] std::variant<Invocation, Exit> load(int argc, const char* const* argv);

/// Reads a configuration. Every line of an error's message begins with `file:line:` or the flag at fault.
[[nodiscard]] Result<Config> parse(std::string_view toml, std::string_view file_name, const Overrides& overrides = {});

/// The effective configuration as TOML, each option with where it came from; secrets as `***`.
[[nodiscard]] std::string render(const Config& config);

/// Whether another feed writes into its topic. What lies between its records is no stranger's then.
[[nodiscard]] bool shares_topic(const Config& config, const Feed& feed) noexcept;

/// The options of a feed that shape what it writes: name in the feed's table ("key", "frames.length_bytes") → value as
/// TOML.
[[nodiscard]] std::map<std::string, std::string> shaping(const Feed& feed);
/// `feed` with such options as they were once. Names that are not known any more are passed over. Errors: kConfig.
[[nodiscard]] Result<Feed> reshaped(const Feed& feed, const std::map<std::string, std::string>& values);

/// What a changed option takes to be taken over by a running daemon (SIGHUP).
enum class Reload : std::uint8_t {
  kAtOnce,
  kFeed,     ///< its feed begins anew, at a checkpoint
  kFeeds,    ///< all feeds do
  kRestart,  ///< the daemon does
};

/// An option that two configurations set differently.
struct Difference {
  std::string option;  ///< as `--set` takes it; "feed.NAME": a feed that only one of them has
  Reload takes = Reload::kRestart;
};
[[nodiscard]] std::vector<Difference> differences(const Config& before, const Config& after);
/// Whether the two are the same feed with the same options.
[[nodiscard]] bool same(const Feed& a, const Feed& b);
/// `fresh` with what takes a restart as it is in `running`.
[[nodiscard]] Config taken_over(const Config& running, const Config& fresh);

}  // namespace tickbridge::config
