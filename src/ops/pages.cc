#include "ops/pages.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "ops/exposition.h"

namespace tickbridge::ops {

namespace {

Reply index(const Sources& sources) {
  return {200, "text/html; charset=utf-8", render_index(*sources.registry, SteadyClock::now())};
}

Reply exposition(const Sources& sources) {
  auto families = metrics::collect(*sources.registry, metrics::sample_system(), SteadyClock::now());
  if (sources.extra) std::ranges::move(sources.extra(), std::back_inserter(families));
  return {200, kExpositionType, render_exposition(families)};
}

Reply status(const Sources& sources) {
  return {200, "application/json", render_status(*sources.registry, SteadyClock::now())};
}

Reply latency(const Sources& sources) { return {200, "application/json", render_latency(*sources.registry)}; }

Reply verdict(const std::function<std::string()>& ask) {
  const std::string why_not = ask ? ask() : std::string{};
  return why_not.empty() ? plain(200, "ok") : plain(503, one_line(why_not));
}

Reply ready(const Sources& sources) { return verdict(sources.ready); }
Reply healthy(const Sources& sources) { return verdict(sources.healthy); }

struct Page {
  std::string_view path;
  Reply (*render)(const Sources&);
  bool sampled;
};
constexpr std::array kPages{
    Page{"/", index, true},        Page{"/metrics", exposition, true}, Page{"/healthz", healthy, false},
    Page{"/readyz", ready, false}, Page{"/api/status", status, true},  Page{"/api/latency", latency, false},
};

}  // namespace

Reply plain(unsigned status, std::string text) { return {.status = status, .body = std::move(text) + "\n"}; }

Reply answer(std::string_view target, const Sources& sources) {
  const std::string_view path = target.substr(0, target.find('?'));
  const auto page = std::ranges::find(kPages, path, &Page::path);
  if (page == kPages.end()) {
    std::string text = "not found; there are:";
    for (const Page& known : kPages) text += "\n" + std::string{known.path};
    return plain(404, std::move(text));
  }
  if (page->sampled && sources.sample) sources.sample();
  return page->render(sources);
}

}  // namespace tickbridge::ops
