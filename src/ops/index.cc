#include "ops/index.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/text.h"
#include "ops/assets.h"
#include "ops/notices.h"

namespace tickbridge::ops {

using metrics::FeedCounter;
using metrics::FeedGauge;
using metrics::FeedMetrics;
using metrics::FeedState;

std::string html(std::string_view text) {
  std::string out;
  for (const char c : valid_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

namespace {

/// 1,234,567
std::string grouped(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string grouped(double number) { return grouped(static_cast<std::uint64_t>(std::llround(std::max(number, 0.0)))); }

std::string duration(double seconds) {
  const auto all = static_cast<std::uint64_t>(std::max(seconds, 0.0));
  const std::uint64_t days = all / 86'400;
  const std::uint64_t hours = all / 3'600 % 24;
  const std::uint64_t minutes = all / 60 % 60;
  if (days != 0) return fmt::format("{} d {} h", days, hours);
  if (hours != 0) return fmt::format("{} h {} min", hours, minutes);
  return minutes != 0 ? fmt::format("{} min {} s", minutes, all % 60) : fmt::format("{} s", all);
}

std::string milliseconds_text(std::uint64_t ns) {
  const double ms = static_cast<double>(ns) / 1e6;
  return ms < 10 ? fmt::format("{:.2g}", ms) : fmt::format("{:.0f}", ms);
}

std::string share(std::int64_t used, std::int64_t of) {
  return of <= 0 ? "–" : fmt::format("{:.0f} %", 100.0 * static_cast<double>(used) / static_cast<double>(of));
}

std::string_view state_word(FeedState state) {
  if (state == FeedState::kClosed) return "outside its hours";
  return state == FeedState::kLoggingIn ? "logging in" : metrics::name(state);
}

std::string times_cell(const Lately::Times& times) {
  if (times.count == 0) return "<td>–</td>";
  return fmt::format("<td>{} / {} / {}</td>", milliseconds_text(times.median_ns), milliseconds_text(times.p99_ns),
                     milliseconds_text(times.p999_ns));
}

/// What went wrong last, in a row of its own.
std::string problem_row(const FeedMetrics& feed, const std::vector<Notice>& told) {
  const auto cell = [](std::int64_t at_ns, const std::string& text) {
    return fmt::format(R"(<tr class="problem"><td class="text" colspan="16"><time>{}</time> {}</td></tr>)"
                       "\n",
                       time_text(at_ns), html(text));
  };
  if (const std::string problem = feed.last_error(); !problem.empty()) return cell(feed.last_error_ns(), problem);
  const Notice* const notice = newest_about(told, feed.feed());
  return notice == nullptr ? "" : cell(notice->at_ns, notice->text);
}

std::string row(const FeedMetrics& feed, const Lately& lately, const std::vector<Notice>& told) {
  const std::string problem = problem_row(feed, told);
  std::string out =
      fmt::format(R"(<tr{}><th scope="row" class="text">{}</th><td class="text"><span class="state {}">{}</span></td>)",
                  problem.empty() ? "" : R"( class="has-problem")", html(feed.feed()), metrics::name(feed.state()),
                  state_word(feed.state()));
  out += fmt::format(R"(<td class="text">{}</td><td>{}</td><td>{}</td><td>{}</td>)", html(feed.session()),
                     grouped(static_cast<std::uint64_t>(feed.value(FeedGauge::kNextSequence))),
                     grouped(lately.messages_per_second), grouped(lately.bytes_per_second));
  for (const Lately::Times& times : lately.latency) out += times_cell(times);
  out += fmt::format("<td>{}</td><td>{}</td>",
                     share(feed.value(FeedGauge::kRingUsedBytes), feed.value(FeedGauge::kRingBytes)),
                     share(feed.value(FeedGauge::kInFlight), feed.value(FeedGauge::kInFlightLimit)));
  for (const auto counter :
       {FeedCounter::kMessagesAcknowledged, FeedCounter::kGaps, FeedCounter::kMessagesDeadLettered}) {
    out += fmt::format("<td>{}</td>", grouped(feed.value(counter)));
  }
  out += fmt::format("<td>{}</td>", grouped(metrics::messages_dropped(feed)));
  for (const auto counter : {FeedCounter::kReconnects, FeedCounter::kForeignWrites}) {
    out += fmt::format("<td>{}</td>", grouped(feed.value(counter)));
  }
  return out + "</tr>\n" + problem;
}

std::string rows(const Sources& sources, const std::vector<Notice>& told) {
  std::string out;
  for (const FeedMetrics* feed : sources.registry->feeds()) {
    out += row(*feed, sources.recent != nullptr ? sources.recent->lately(feed->feed()) : Lately{}, told);
  }
  return out;
}

std::string verdict(std::string_view good, std::string_view bad, const std::function<std::string()>& ask) {
  const std::string why_not = ask ? ask() : std::string{};
  if (why_not.empty()) return fmt::format(R"(<span class="pill good">{}</span>)", good);
  return fmt::format(R"(<span class="pill bad">{}: {}</span>)", bad, html(why_not));
}

std::string kafka(bool connected) {
  return connected ? R"(<span class="pill good">Kafka connected</span>)" : R"(<span class="pill bad">no Kafka</span>)";
}

std::string list(const std::vector<Notice>& told) {
  std::string out;
  for (auto notice = told.rbegin(); notice != told.rend(); ++notice) {
    out += fmt::format(R"(<li class="{}"><time>{}</time> {}</li>)"
                       "\n",
                       notice->error ? "error" : "warn", time_text(notice->at_ns), html(notice->text));
  }
  return out.empty() ? "<li>none</li>" : out;
}

/// `page` with each {{place}} replaced by what `fill` says; what is filled in is not looked at again.
template <class Fill>
std::string filled(std::string_view page, const Fill& fill) {
  std::string out;
  for (std::size_t open = page.find("{{"); open != std::string_view::npos; open = page.find("{{")) {
    const std::size_t close = page.find("}}", open);
    out += page.substr(0, open);
    out += fill(page.substr(open + 2, close - open - 2));
    page.remove_prefix(close + 2);
  }
  return out += page;
}

}  // namespace

std::string render_index(const Sources& sources, SteadyTime now) {
  const std::vector<Notice> told = notices().newest;
  return filled(kDashboardPage.bytes, [&](std::string_view place) -> std::string {
    if (place == "version") return html(sources.registry->version());
    if (place == "uptime") return duration(sources.registry->uptime_seconds(now));
    if (place == "ready") return verdict("ready", "not ready", sources.ready);
    if (place == "healthy") return verdict("healthy", "not healthy", sources.healthy);
    if (place == "kafka") return sources.connected ? kafka(sources.connected()) : std::string{};
    if (place == "rows") return rows(sources, told);
    return place == "notices" ? list(told) : std::string{};
  });
}

}  // namespace tickbridge::ops
