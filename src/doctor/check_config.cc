#include <fmt/chrono.h>
#include <fmt/format.h>

#include "doctor/checks.h"
#include "pipeline/hours.h"
#include "pipeline/start_facts.h"
#include "pipeline/trading_day.h"
#include "sink/options.h"

namespace tickbridge::doctor {

namespace {

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
}

// load() has read them all, and told what it cannot read.
void check_secrets(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  const auto& warnings = context.invocation.warnings;
  for (const std::string& text : warnings) out.push_back(warning("configuration", text));
  if (warnings.empty())
    out.push_back(ok("secrets", "every file that an option names can be read, secrets by nobody else"));
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
