#include "ops/pages.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "ops/assets.h"
#include "ops/exposition.h"
#include "ops/index.h"
#include "ops/status.h"

namespace tickbridge::ops {

namespace {

constexpr const char* kJson = "application/json";

Reply index(const Sources& sources, std::string_view) {
  return {200, "text/html; charset=utf-8", render_index(sources, SteadyClock::now())};
}

Reply exposition(const Sources& sources, std::string_view) {
  auto families = metrics::collect(*sources.registry, metrics::sample_system(), SteadyClock::now());
  if (sources.extra) std::ranges::move(sources.extra(), std::back_inserter(families));
  return {200, kExpositionType, render_exposition(families)};
}

Reply status(const Sources& sources, std::string_view) {
  return {200, kJson, render_status(sources, SteadyClock::now())};
}

Reply latency(const Sources& sources, std::string_view) { return {200, kJson, render_latency(*sources.registry)}; }

Reply partitions(const Sources& sources, std::string_view query) {
  constexpr std::string_view kFeed = "feed=";  // names need no escapes: letters, digits, _ and -
  return {200, kJson, render_partitions(sources, query.starts_with(kFeed) ? query.substr(kFeed.size()) : "")};
}

Reply newest_notices(const Sources& sources, std::string_view) { return {200, kJson, render_notices(sources)}; }

Reply verdict(const std::function<std::string()>& ask) {
  const std::string why_not = ask ? ask() : std::string{};
  return why_not.empty() ? plain(200, "ok") : plain(503, one_line(why_not));
}

Reply ready(const Sources& sources, std::string_view) { return verdict(sources.ready); }
Reply healthy(const Sources& sources, std::string_view) { return verdict(sources.healthy); }

template <const Asset& kAsset>
Reply asset(const Sources&, std::string_view) {
  return {200, kAsset.type, std::string{kAsset.bytes}};
}

struct Page {
  std::string_view path;
  Reply (*render)(const Sources&, std::string_view query);
  bool sampled;
};
constexpr std::array kPages{
    Page{"/", index, true},
    Page{"/metrics", exposition, true},
    Page{"/healthz", healthy, false},
    Page{"/readyz", ready, false},
    Page{"/api/status", status, true},
    Page{"/api/latency", latency, false},
    Page{"/api/partitions", partitions, false},
    Page{"/api/notices", newest_notices, false},
    Page{"/dashboard/icon.svg", asset<kDashboardIcon>, false},
    Page{"/dashboard/dashboard.css", asset<kDashboardStyle>, false},
    Page{"/dashboard/dashboard.js", asset<kDashboardScript>, false},
    Page{"/dashboard/dom.js", asset<kDashboardDom>, false},
    Page{"/dashboard/format.js", asset<kDashboardFormat>, false},
    Page{"/dashboard/model.js", asset<kDashboardModel>, false},
    Page{"/dashboard/panel.js", asset<kDashboardPanel>, false},
    Page{"/dashboard/view.js", asset<kDashboardView>, false},
};

}  // namespace

Reply plain(unsigned status, std::string text) { return {.status = status, .body = std::move(text) + "\n"}; }

Reply answer(std::string_view target, const Sources& sources) {
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view query = target.substr(std::min(path.size() + 1, target.size()));
  const auto page = std::ranges::find(kPages, path, &Page::path);
  if (page == kPages.end()) {
    std::string text = "not found; there are:";
    for (const Page& known : kPages) text += "\n" + std::string{known.path};
    return plain(404, std::move(text));
  }
  if (page->sampled && sources.sample) sources.sample();
  if (page->sampled && sources.recent != nullptr) sources.recent->look(*sources.registry, SteadyClock::now());
  return page->render(sources, query);
}

}  // namespace tickbridge::ops
