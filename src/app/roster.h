#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/feed_unit.h"
#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "metrics/registry.h"
#include "pipeline/hours.h"

namespace tickbridge::app {

/// The feeds at work: a unit for each feed of the configuration that is inside its hours. Where the configuration or
/// the clock says otherwise, a unit ends at a checkpoint, and when all that leave have left (a topic has one writer)
/// others begin. Main thread, unless said.
class Roster {
 public:
  using Config = std::shared_ptr<const config::Config>;  // shared by the units that work under it
  struct Needs {
    std::function<Surroundings(Config config, bool patient, bool first)> surroundings;
    metrics::Registry& registry;
    boost::asio::io_context& io;
    std::function<void()> on_idle;  ///< what was to leave has left, what was to begin has begun
  };
  explicit Roster(Needs needs);

  /// What may be wrong with a configuration here: the time zones, the feeds' files. Errors: kConfig.
  [[nodiscard]] static Result<void> check(const config::Config& config);
  /// The first configuration; nothing begins. REQUIRES here and below: check() has found nothing.
  void plan(Config config);
  /// Kafka is there: the feeds begin.
  void start();
  /// Another configuration. `renewed`: all feeds begin anew under it.
  void adopt(Config config, bool renewed);
  /// A feed has started, ended, stopped or failed.
  void look();
  /// All end; then finished().
  void stop();

  [[nodiscard]] bool over() const;      ///< every feed's session has ended with --exit-at-end, or it has failed
  [[nodiscard]] bool finished() const;  ///< after stop(): nothing is left to be done
  [[nodiscard]] bool settled() const;   ///< nobody leaves
  [[nodiscard]] bool busy() const;      ///< a thread waits for Kafka

  void for_each(const std::function<void(FeedUnit&)>& what) const;
  /// Writes the units' gauges. Any thread.
  void sample() const;
  /// Where a feed's records go; nothing for one that is not at work. Any thread.
  [[nodiscard]] ops::Placement placement(std::string_view feed) const;

 private:
  struct Unit {
    Config config;
    const config::Feed* listed = nullptr;  // in `config`
    std::uint64_t generation = 0;
    std::unique_ptr<FeedUnit> feed;
    bool leaving = false;
  };
  using Feeds = std::vector<std::unique_ptr<FeedUnit>>;
  using Hours = std::map<std::string, pipeline::Hours>;

  [[nodiscard]] static Result<Hours> hours_of(const config::Config& config);
  void reconcile();
  [[nodiscard]] const config::Feed* wanted(const std::string& name) const;
  [[nodiscard]] bool stays(const Unit& unit) const;
  [[nodiscard]] bool open(const config::Feed& feed) const;
  void dismiss(Unit& unit);
  void let_go();
  void look_again();
  void forget(std::unique_ptr<FeedUnit> feed);
  void sweep_later();
  void begin(const config::Feed& feed);
  void show_closed();
  void await_hours();

  const Needs needs_;
  boost::asio::steady_timer clock_;
  boost::asio::steady_timer again_;
  boost::asio::steady_timer leftovers_timer_;
  Config config_;
  Hours hours_;
  std::uint64_t generation_ = 0;
  bool started_ = false;
  bool starting_ = false;
  bool stopping_ = false;
  bool idle_ = true;
  std::set<std::string> begun_;  // names that had a unit
  mutable std::mutex mutex_;     // guards units_ against sample() and placement()
  std::vector<Unit> units_;
  Feeds leftovers_;  // their last handlers may still come
};

}  // namespace tickbridge::app
