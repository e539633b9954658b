#include "config/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/flags.h"
#include "config/generate_parts.h"
#include "config/java_names.h"
#include "config/table.h"

namespace tickbridge::config {
namespace {

/// Breaks text into lines of at most `width` letters, each after `indent`.
std::string wrapped(std::string_view text, std::size_t width, std::string_view indent) {
  std::string out;
  while (!text.empty()) {
    std::size_t cut = text.size();
    if (cut > width) {
      cut = text.rfind(' ', width);
      if (cut == std::string_view::npos) cut = std::min(text.find(' '), text.size());
    }
    out += fmt::format("{}{}\n", indent, text.substr(0, cut));
    text = cut >= text.size() ? std::string_view{} : text.substr(cut + 1);
  }
  return out;
}

}  // namespace

std::string default_of(const Option& option) {
  Config config;
  Feed feed;
  return show(option, option.field(config, feed)).value_or(std::string{option.fallback});
}

std::string with_name(std::string_view path, std::string_view name) {
  std::string text{path};
  if (const std::size_t star = text.find("feed.*"); star != std::string::npos) text.replace(star + 5, 1, name);
  return text;
}

std::string_view title_doc(std::string_view table) {
  if (table == "feed.*")
    return "One table a feed. The name is the feed's identity: it stands in checkpoints, metrics and logs. All are "
           "reloadable: on SIGHUP a feed with a changed option ends at a checkpoint and begins anew, one that is not "
           "in "
           "the file any more ends, and a new one begins; the others do not notice.";
  if (table == "feed.*.soupbintcp") return "Only for transport = \"soupbintcp\".";
  if (table == "feed.*.frames")
    return "Only for transport = \"frames\": how a packet's length is found. No replay there: delivery must be "
           "\"at_most_once\".";
  if (table == "pipeline") return "Threads and memory between socket and Kafka.";
  if (table == "producer")
    return "Kafka's producer, shared by all feeds. The names with dots are those of Apache Kafka's Java producer, with "
           "Java's meaning; all after `producer.` is one key.";
  if (table == "topics") return "What to do about data topics that are missing.";
  if (table == "checkpoint") return "How far the output got is written to Kafka too.";
  if (table == "http") return "Dashboard, metrics, health.";
  if (table == "log") return "The daemon's own log, on standard error or in the journal; docs/events.md has every event.";
  return "";
}

namespace {

// --- help ---

std::string help_flags() {
  std::string out;
  for (const Flag& flag : flags()) {
    out += fmt::format("  {:<24} {}\n", fmt::format("{} {}", flag.name, flag.value), flag.doc);
  }
  return out;
}

std::string help_option(const Option& option) {
  return fmt::format("  {} = {}\n", with_name(option.path, "NAME"), default_of(option)) +
         wrapped(option.doc, 100, "      ") + wrapped("Allowed: " + allowed(option), 100, "      ");
}

// --- the reference page ---

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    if (c == '<') {
      out += "&lt;";
    } else if (c == '*') {
      out += "\\*";
    } else {
      out += c;
    }
  }
  return out;
}

/// A feed's options all are, which the table's head says.
std::string_view reload_doc(const Option& option) {
  if (option.is_feed() || option.reload() == Reload::kRestart) return {};
  if (option.reload() == Reload::kAtOnce) return " *Reloadable.*";
  return " *Reloadable: all feeds begin anew.*";
}

std::string reference_row(const Option& option) {
  const std::string more{reload_doc(option)};
  const std::string library =
      option.library.empty() || option.library == key_of(option.path) ? "" : fmt::format(" → `{}`", option.library);
  const std::string secret = option.secret ? " *Never shown.*" : "";
  const std::string fallback = default_of(option);
  return fmt::format("| `{}`{} | {} | {} | {}{}{} |\n", key_of(option.path), library,
                     fallback.empty() || fallback == "[]" ? "none" : fmt::format("`{}`", fallback),
                     cell(allowed(option)), cell(option.doc), more, secret);
}

std::string reference_table(std::string_view table) {
  std::string out = table.empty() ? "\n## At the top of the file\n"
                                  : fmt::format("\n## `[{}]`\n\n{}\n", with_name(table, "NAME"), title_doc(table));
  out += "\n| option | default | allowed | what it does |\n|---|---|---|---|\n";
  for (const Option& option : options()) {
    if (table_of(option.path) == table) out += reference_row(option);
  }
  return out;
}

std::string refused_rows(std::span<const Refused> names) {
  std::string out = "\n| name | why not, and what to do |\n|---|---|\n";
  for (const Refused& refused : names) out += fmt::format("| `{}` | {} |\n", refused.name, cell(refused.advice));
  return out;
}

constexpr std::string_view kIntroduction = R"(# Configuration

<!-- Made by tickbridge-docs from the table of options in src/config; do not edit. -->

tickbridge reads one TOML file: `--config FILE`, or `/etc/tickbridge/tickbridge.toml` if it exists. Without a file the
defaults below hold, with one feed named `default`; its address is given by `--host` and `--port`.

- Every option has a full name: its table's and its own, such as `feed.nasdaq.topic` or `producer.linger.ms`.
  `--set NAME=VALUE` sets it and wins over `--host` and `--port`, which win over the file.
- Durations are text with a unit: `"250ms"`, `"5s"`, `"1m"`, `"2h"`. Sizes are bytes: a number, or `"64KiB"`, `"64MiB"`,
  `"1GiB"`. Java's `….ms` are numbers of milliseconds.
- `--print-config` shows the effective configuration, each option with the line or the flag that it came from; secrets
  are shown as `***`. `--check-config` only says whether it is right.
- An unknown name, a wrong value or a contradiction ends the start with exit code 78 and a line for each:
  `file:line: what is wrong; what is allowed; what to do`. A wrong command line is 64.
)";

constexpr std::string_view kLibrary = R"(
## `[producer.librdkafka]`

Any property of the client library by its own name, as
[its documentation](https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md) lists them; the library checks
them when the producer is made. A property may be set once: by Java's name or by the library's, not by both.

The daemon sets these itself where nobody else does:

| property | value | why |
|---|---|---|
| `socket.nagle.disable` | `true` | small requests leave at once |
| `message.timeout.ms` | `0` | a record is never given up |
| `enable.idempotence` | `true` | the brokers drop repeats and keep the order |
| `enable.gapless.guarantee` | as `enable.idempotence` | a refused record stops the producer instead of leaving a hole |
| `retries` | without end; 0 in `at_most_once` without idempotence | |
| `queue.buffering.max.messages`, `queue.buffering.max.kbytes` | from `max_in_flight_messages`, `buffer.memory` | |
| `allow.auto.create.topics` | `false` | topics are created as `[topics]` says |
| `log.connection.close` | `true` | a listener that wants TLS or a login just closes; idle connections that end are logged as debug |

These are the daemon's, and refused:
)";

constexpr std::string_view kContradictions = R"(
## What contradicts what

Each of these ends the start with exit code 78 and a line that names both settings and their places.

| setting | and |
|---|---|
| `transport = "frames"` | any `delivery` but `"at_most_once"`: frames cannot be replayed |
| `when_full = "drop"`, `send = "fire_and_forget"` | any `delivery` but `"at_most_once"` |
| `send = "fire_and_forget"` | `acks`: it sets `acks = 0` itself |
| `delivery = "exactly_once"` or `"transactional"` | `acks` other than all, any `retries`, any `delivery.timeout.ms`, `enable.idempotence = false` |
| `delivery = "at_least_once"` | `enable.idempotence = false`, `acks = 1` or `retries = 0` with more than one request in flight; `acks = 0` |
| `enable.idempotence` (on by default) | more than 5 requests in flight |
| `enable.idempotence = true` | `acks` other than all, `retries = 0` |
| a topic of two feeds | `delivery = "exactly_once"` of either |
| `dead_letter_topic` | any feed's `topic` |
| `checkpoint.topic`, and it with `.state` | any feed's `topic` or `dead_letter_topic` |
| `topics.config` with `cleanup.policy = "compact"` | `delivery = "exactly_once"` |
| `partitioner = "round_robin"` | any `key` but `"none"` |
| `partitioner = "explicit"` | `partitions` without `"*"` |
| `partitions` | any `partitioner` but `"explicit"` |
| `hosts` | `host` or `port` |
| options of the other transport, a `compression_starts` without zlib-stream | they would have no effect |
| `reconnect_min` | a shorter `reconnect_max` |
| `soupbintcp.heartbeat` | a `soupbintcp.silence` that is not longer |
| `frames.header_bytes` | a length that lies behind it; a smaller `max_packet_bytes` |
| `pipeline.task_bytes` | a `pipeline.ring_bytes` of less than 4 times as much |
| `linger.ms` | a `delivery.timeout.ms` that is not longer |
)";

// --- the example file ---

std::string example_option(const Option& option) {
  const std::string name{key_of(option.path)};
  const std::string key = name.find('.') == std::string::npos ? name : in_quotes(name);
  std::string out = wrapped(option.doc, 110, "# ") + wrapped("Allowed: " + allowed(option), 110, "# ");
  if (option.path == "feed.*.hosts") return out + "hosts = [\"localhost:9000\"]\n";
  const std::string value = default_of(option);
  if (option.path == "feed.*.host") return out + "#host = \"localhost\"\n";
  if (option.path == "feed.*.port") return out + "#port = 9000\n";
  const bool text = (option.kind == Kind::kText || option.kind == Kind::kWord) && !value.starts_with('"');
  if (value == "never") return out + fmt::format("#{} = 120000 # default: never\n", key);
  return out + fmt::format("#{} = {}\n", key, text ? in_quotes(value) : value);
}

std::string example_table(std::string_view table) {
  std::string out;
  if (!table.empty()) {
    out += fmt::format("\n{}[{}]\n", wrapped(title_doc(table), 110, "# "), with_name(table, "nasdaq"));
  }
  for (const Option& option : options()) {
    if (table_of(option.path) == table) out += "\n" + example_option(option);
  }
  return out;
}

}  // namespace

std::string help() {
  std::string out =
      "tickbridge: an exchange's TCP feed into Apache Kafka, in order, nothing lost\n\n"
      "Usage: tickbridge [flags]\n"
      "       tickbridge doctor [--login] [--json] [flags]   look whether it would run, and say what to do where not\n\n" +
      help_flags() + "\nThe options most used, with their defaults (in the file, or --set NAME=VALUE):\n";
  for (const Option& option : options()) {
    if (option.in_help) out += help_option(option);
  }
  return out +
         "\nAll options: docs/configuration.md, or --print-config.\n"
         "Exit codes: 0 fine, 64 usage, 65 data, 69 unavailable, 70 internal, 75 start again, 76 protocol, 78 "
         "config.\n";
}

std::string reference() {
  std::string out{kIntroduction};
  out += "\n## Flags\n\n| flag | what it does |\n|---|---|\n";
  for (const Flag& flag : flags()) {
    out += fmt::format("| `{}{}{}` | {} |\n", flag.name, flag.value.empty() ? "" : " ", flag.value, flag.doc);
  }
  for (const std::string_view table : tables()) {
    out += reference_table(table);
    if (table != "producer") continue;
    out += "\nOther names of the Java producer are known and refused:\n" + refused_rows(refused_java_names());
    out += std::string{kLibrary} + refused_rows(owned_properties());
  }
  return out + std::string{kContradictions};
}

std::string example() {
  std::string out =
      "# tickbridge's configuration: every option with its default. Made by tickbridge-docs from the table of options\n"
      "# in src/config. Take the # before an option away to change it. docs/configuration.md has the same as a page.\n";
  for (const std::string_view table : tables()) {
    out += example_table(table);
    if (table != "producer") continue;
    out +=
        "\n# Any property of the client library, by its own name.\n[producer.librdkafka]\n\n"
        "#\"socket.nagle.disable\" = true\n";
  }
  return out;
}

}  // namespace tickbridge::config
