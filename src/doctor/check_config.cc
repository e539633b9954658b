#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/secret_name.h"
#include "config/java_names.h"
#include "doctor/checks.h"
#include "pipeline/hours.h"
#include "pipeline/start_facts.h"
#include "pipeline/trading_day.h"
#include "sink/options.h"

namespace tickbridge::doctor {

namespace {

constexpr mode_t kOthers = S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;

/// The last part of an option's name that says what it is: producer.librdkafka.sasl.password → sasl.password.
std::string_view property_of(std::string_view option) {
  for (const std::string_view table : {"producer.librdkafka.", "producer."}) {
    if (option.starts_with(table)) return option.substr(table.size());
  }
  return {};
}

/// A secret that stands in the file itself; empty: none.
std::string secret_in(const config::Invocation& invocation) {
  for (const auto& [option, place] : invocation.config.origins) {
    const std::string_view property = property_of(option);
    if (!property.empty() && is_secret_name(property) && place.starts_with(invocation.file + ":")) return option;
  }
  return {};
}

Finding secret_file(const std::string& option, const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0 || ::access(path.c_str(), R_OK) != 0) {
    return failure(
        option, ExitCode::kConfig,
        fmt::format("\"{}\" cannot be read: {}; name a file that this user may read", path, std::strerror(errno)));
  }
  if (!S_ISREG(found.st_mode) || found.st_size == 0) {
    return failure(
        option, ExitCode::kConfig,
        fmt::format("\"{}\" is {}; put the secret into it", path, S_ISREG(found.st_mode) ? "empty" : "no file"));
  }
  if ((found.st_mode & kOthers) != 0) {
    return warning(option, fmt::format("\"{}\" can be read or written by others (mode {:03o}); run: chmod 600 {}", path,
                                       found.st_mode & 0777U, path));
  }
  return ok(option, fmt::format("\"{}\" is readable, for its owner only", path));
}

/// The files that hold secrets, by option.
std::vector<std::pair<std::string, std::string>> secret_files(const config::Config& config) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const config::Feed& feed : config.feeds) {
    if (!feed.net.password_file.empty())
      files.emplace_back(fmt::format("feed.{}.password_file", feed.name), feed.net.password_file);
  }
  for (const char* const name : {"ssl.key.location", "ssl.keystore.location"}) {
    const auto found = config.producer.properties.find(name);
    if (found != config.producer.properties.end()) files.emplace_back(fmt::format("producer.{}", name), found->second);
  }
  return files;
}

void tell_times(const std::string& subject, const config::Feed& feed, Findings& out) {
  const std::int64_t now_ns = wall_nanoseconds();
  const auto day = pipeline::TradingDay::create(feed.policies.trading_date, feed.policies.time_zone);
  const auto hours = pipeline::Hours::create(feed.policies);
  if (!day || !hours) {
    out.push_back(failure(subject, day ? hours.error() : day.error()));
    return;
  }
  const auto change = hours->next_change_ms(now_ns);
  const std::string next = change ? fmt::format(" until {}", hours->local(*change)) : " always";
  out.push_back(
      ok(subject, fmt::format("trading date {} in {}: its midnight is {:%F %T} UTC; {}{}", feed.policies.trading_date,
                              feed.policies.time_zone, fmt::gmtime(day->midnight_ms(now_ns) / 1000),
                              hours->open(now_ns) ? "open" : "closed", next)));
}

}  // namespace

void check_file(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  const config::Invocation& given = context.invocation;
  out.push_back(ok("configuration", fmt::format("{} is sound: {} feed(s), {} option(s) set", given.file,
                                                context.config.feeds.size(), context.config.origins.size())));
  const std::string secret = secret_in(given);
  struct stat found{};
  if (secret.empty() || ::stat(given.file.c_str(), &found) != 0) return;
  if ((found.st_mode & kOthers) != 0) {
    out.push_back(warning("configuration",
                          fmt::format("{} holds a secret ({}) and can be read or written by others (mode {:03o}); run: "
                                      "chmod 600 {}",
                                      given.file, secret, found.st_mode & 0777U, given.file)));
  }
}

void check_secrets(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  for (const auto& [option, path] : secret_files(context.config)) out.push_back(secret_file(option, path));
}

void check_feeds(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  for (const config::Feed& feed : context.config.feeds) {
    const std::string subject = fmt::format("feed {}", feed.name);
    tell_times(subject, feed, out);
    const std::string advice =
        pipeline::check_intervals(feed.name, feed.sink.delivery, context.config.checkpoint.interval,
                                  context.config.producer.transaction_interval);
    if (!advice.empty()) out.push_back(warning(subject, advice));
  }
}

}  // namespace tickbridge::doctor
