#include "app/roster.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

#include "base/log.h"

namespace tickbridge::app {

namespace asio = boost::asio;
using metrics::FeedState;

namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr milliseconds kClockLook{30'000};  // the wall clock may be set meanwhile
constexpr milliseconds kLeftoversLook{1'000};
constexpr milliseconds kBusyLook{50};

}  // namespace

Roster::Roster(Needs needs)
    : needs_{std::move(needs)}, clock_{needs_.io}, again_{needs_.io}, leftovers_timer_{needs_.io} {}

// --- what is wanted ---

Result<Roster::Hours> Roster::hours_of(const config::Config& config) {
  Hours all;
  for (const config::Feed& feed : config.feeds) {
    auto hours = pipeline::Hours::create(feed.policies);
    if (!hours) return error(hours.error().code, fmt::format("feed.{}.{}", feed.name, hours.error().message));
    all.emplace(feed.name, std::move(*hours));
  }
  return all;
}

Result<void> Roster::check(const config::Config& config) {
  auto hours = hours_of(config);
  if (!hours) return hours.error();
  for (const config::Feed& feed : config.feeds) {
    if (auto usable = FeedUnit::check_files(config, feed); !usable) return usable.error();
  }
  return {};
}

void Roster::plan(Config config) {
  hours_ = *hours_of(*config);
  config_ = std::move(config);
  for (const config::Feed& feed : config_->feeds) needs_.registry.add_feed(feed.name);
  show_closed();
}

void Roster::start() {
  started_ = true;
  for (const config::Feed& feed : config_->feeds) {
    if (open(feed)) continue;
    const auto change = hours_.at(feed.name).next_change_ms(wall_nanoseconds());
    log_event(Event::kFeedClosed, of_feed(feed.name), "closed{}",
              change ? fmt::format(" until {}", hours_.at(feed.name).local(*change)) : std::string{});
  }
  starting_ = true;
  reconcile();
  starting_ = false;
  await_hours();
}

void Roster::adopt(Config config, bool renewed) {
  if (renewed) ++generation_;
  idle_ = false;
  plan(std::move(config));
  reconcile();
  await_hours();
}

bool Roster::open(const config::Feed& feed) const { return hours_.at(feed.name).open(wall_nanoseconds()); }

const config::Feed* Roster::wanted(const std::string& name) const {
  const auto at = std::ranges::find(config_->feeds, name, &config::Feed::name);
  return at == config_->feeds.end() || !open(*at) ? nullptr : &*at;
}

bool Roster::stays(const Unit& unit) const {
  const config::Feed* const feed = wanted(unit.feed->config().name);
  return feed != nullptr && unit.generation == generation_ && config::same(*feed, *unit.listed);
}

// --- from what is to what is wanted ---

void Roster::reconcile() {
  if (!started_ || stopping_) return;
  for (Unit& unit : units_) {
    if (!unit.leaving && !stays(unit)) dismiss(unit);
  }
  let_go();
  if (!settled()) return;
  for (const config::Feed& feed : config_->feeds) {
    const bool there =
        std::ranges::any_of(units_, [&](const Unit& unit) { return unit.feed->config().name == feed.name; });
    if (!there && open(feed)) begin(feed);
  }
  if (!std::exchange(idle_, true)) needs_.on_idle();
}

void Roster::dismiss(Unit& unit) {
  const std::string& name = unit.feed->config().name;
  const bool listed = std::ranges::find(config_->feeds, name, &config::Feed::name) != config_->feeds.end();
  log_event(Event::kFeedLeaves, of_feed(name), "ends at a checkpoint: {}",
            !listed                   ? "it is not in the configuration any more"
            : wanted(name) != nullptr ? "its configuration has changed; then it begins anew"
                                      : "its hours are over");
  unit.leaving = true;
  idle_ = false;
  unit.feed->stop();
}

void Roster::let_go() {
  const std::scoped_lock lock{mutex_};
  for (Unit& unit : units_) {
    if (!unit.leaving || !unit.feed->finished()) continue;
    if (unit.feed->busy()) {  // in Kafka: who begins anew must not meet it there
      look_again();
      continue;
    }
    log_event(Event::kFeedLeft, of_feed(unit.feed->config().name), "has ended{}",
              unit.feed->code() == ExitCode::kOk ? std::string{}
                                                 : fmt::format(" with code {}", static_cast<int>(unit.feed->code())));
    unit.feed->release();
    forget(std::move(unit.feed));
  }
  std::erase_if(units_, [](const Unit& unit) { return unit.feed == nullptr; });
  show_closed();
}

void Roster::look_again() {
  again_.expires_after(kBusyLook);
  again_.async_wait([this](boost::system::error_code code) {
    if (!code) look();
  });
}

// Handlers that were posted while it worked come first; a host's name that is being looked up may take longer.
void Roster::forget(std::unique_ptr<FeedUnit> feed) {
  leftovers_.push_back(std::move(feed));
  sweep_later();
}

void Roster::sweep_later() {
  leftovers_timer_.expires_after(kLeftoversLook);
  leftovers_timer_.async_wait([this](boost::system::error_code code) {
    if (code) return;
    const auto gone = std::ranges::partition(leftovers_, [](const auto& left) { return !left->gone(); });
    auto doomed = std::make_shared<Feeds>();  // handlers are copied
    std::ranges::move(gone, std::back_inserter(*doomed));
    leftovers_.erase(gone.begin(), gone.end());
    asio::post(needs_.io, [doomed] { doomed->clear(); });  // behind what they have posted themselves
    if (!leftovers_.empty()) sweep_later();
  });
}

// Only those that begin with the daemon give up where Kafka or the exchange is not there in time.
void Roster::begin(const config::Feed& feed) {
  const bool first = begun_.insert(feed.name).second;
  Surroundings surroundings = needs_.surroundings(config_, !starting_, first);
  config::Feed own = feed;
  if (surroundings.forced_start) own.net.start = *surroundings.forced_start;
  Unit unit{
      .config = config_,
      .listed = &feed,
      .generation = generation_,
      .feed = std::make_unique<FeedUnit>(std::move(surroundings), std::move(own), needs_.registry.add_feed(feed.name))};
  FeedUnit& begun = *unit.feed;
  {
    const std::scoped_lock lock{mutex_};
    units_.push_back(std::move(unit));
  }
  begun.start();
}

// Those that are listed and have no unit are outside their hours; the others have left for good.
void Roster::show_closed() {
  const auto works = [this](std::string_view name) {
    return std::ranges::any_of(units_, [name](const Unit& unit) { return unit.feed->config().name == name; });
  };
  for (const metrics::FeedMetrics* const feed : needs_.registry.feeds()) {
    if (works(feed->feed())) continue;
    const auto listed = std::ranges::find(config_->feeds, feed->feed(), &config::Feed::name);
    if (listed == config_->feeds.end()) {
      needs_.registry.remove_feed(feed->feed());
    } else if (!open(*listed)) {
      needs_.registry.add_feed(feed->feed()).set_state(FeedState::kClosed);
    }
  }
}

// --- the clock ---

void Roster::await_hours() {
  const std::int64_t now_ns = wall_nanoseconds();
  std::optional<std::int64_t> next_ms;
  for (const auto& [name, hours] : hours_) {
    const auto change = hours.next_change_ms(now_ns);
    if (change && (!next_ms || *change < *next_ms)) next_ms = change;
  }
  if (!next_ms) return static_cast<void>(clock_.cancel());
  clock_.expires_after(std::clamp(milliseconds{*next_ms - now_ns / kMs}, milliseconds{1}, kClockLook));
  clock_.async_wait([this](boost::system::error_code code) {
    if (code || stopping_) return;
    reconcile();
    await_hours();
  });
}

// --- the end ---

void Roster::look() {
  if (started_ && !stopping_ && !settled()) reconcile();
}

void Roster::stop() {
  stopping_ = true;
  clock_.cancel();
  for (const Unit& unit : units_) unit.feed->stop();
}

bool Roster::over() const {
  return settled() && units_.size() == config_->feeds.size() &&
         std::ranges::all_of(units_, [](const Unit& unit) { return unit.feed->over(); });
}

bool Roster::finished() const {
  return std::ranges::all_of(units_, [](const Unit& unit) { return unit.feed->finished(); });
}

bool Roster::settled() const {
  return std::ranges::none_of(units_, [](const Unit& unit) { return unit.leaving; });
}

bool Roster::busy() const {
  const auto waits = [](const auto& feed) { return feed->busy(); };
  return std::ranges::any_of(units_, waits, &Unit::feed) || std::ranges::any_of(leftovers_, waits);
}

void Roster::for_each(const std::function<void(FeedUnit&)>& what) const {
  for (const Unit& unit : units_) what(*unit.feed);
}

void Roster::sample() const {
  const std::scoped_lock lock{mutex_};
  for (const Unit& unit : units_) unit.feed->sample();
}

ops::Placement Roster::placement(std::string_view feed) const {
  const std::scoped_lock lock{mutex_};
  for (const Unit& unit : units_) {
    if (unit.feed->config().name == feed && !unit.leaving) return unit.feed->placement();
  }
  return {};
}

}  // namespace tickbridge::app
