#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "journal/model/choices.h"
#include "journal/model/feed.h"
#include "journal/model/kafka.h"

namespace tickbridge::journal::model {

class Daemon;

constexpr std::size_t kMostPartitions = 8;

/// How large a world is, and how often what may break in it.
struct Settings {
  std::uint64_t seed = 1;  ///< of the feed
  std::int32_t partitions = 2;
  std::size_t packets = 5;  ///< a session
  std::size_t sessions = 1;
  bool late_symbols = true;
  std::size_t piece = 2;             ///< packets that commit takes at once
  std::size_t window = 8;            ///< records in flight
  std::size_t checkpoint_every = 2;  ///< packets
  bool daemon_first = true;          ///< the normal schedule: the daemon as far as it comes, or the network
  bool forget_notes = false;         ///< Kafka::forget_notes_between(), unless somebody watches: fewer states
  bool late_requests = false;        ///< a dead process's requests may arrive behind its successor's fence
  int checkpoints_at_jumps = 1'000;  ///< between a jump and its judgement
  int crashes = 1;
  int second_daemons = 0;
  int pauses = 0;
  int stops = 0;  ///< SIGTERM
  int foreign_writes = 0;
  int leaders_lost = 0;
  int gaps = 0;
  int double_sends = 0;
  int compactions = 0;
  int retentions = 0;
  int growths = 0;
  int sloppy_fences = 0;   ///< rounds that leave a partition out
  int slow_followers = 0;  ///< watermarks that stand still from some time on, until a fence
};

/// What a run found out, besides whether it went well.
struct Tally {
  std::uint64_t crashes = 0;
  std::uint64_t recoveries = 0;
  std::uint64_t named = 0;
  std::uint64_t matched = 0;
  std::uint64_t unalignable = 0;  ///< ended with 65 where somebody else had written and nothing else proved anything
  std::uint64_t left = 0;         ///< daemons that left with 76
};

/// What there is besides the daemons and what the exchange sends.
struct WorldState {
  struct Missing {
    std::string session;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  struct Shape {
    std::string session;
    std::uint64_t from = 0;
    std::int32_t partitions = 0;
  };
  Settings settings;
  Kafka kafka;
  std::size_t session = 0;  ///< the exchange's current one
  std::uint64_t first = 1;  ///< what it still has of it
  bool calm = false;        ///< no faults any more
  std::vector<bool> slow;   ///< by partition: its watermark stands still

  // What daemons report.
  std::vector<std::set<std::int64_t>> named;   ///< by partition: strangers told
  std::vector<Missing> missing;                ///< what decisions have given up
  std::vector<Shape> shapes;                   ///< partition counts in force
  std::vector<std::set<std::int64_t>> closed;  ///< suffixes that a new session has closed
  bool guessed = false;                        ///< something was counted, not found
  bool strange = false;                        ///< somebody else has written, or something twice
  bool rivals = false;                         ///< a second daemon was started
  std::string problem;
};

/// Feed, exchange, Kafka, daemons: everything but the schedule. One run.
class World : public WorldState {
 public:
  World(const Settings& settings, Choices& choices);
  /// Another world that goes on from where `before` stands. REQUIRES: `before` outlives it and stands still.
  World(const World& before, Choices& choices);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Runs with faults, then once more without, and compares. Empty: all is well; else what is wrong, and what happened.
  [[nodiscard]] std::string run();
  /// The end of a run that was driven by hand: whoever lives is killed, daemons start without faults until one stops.
  [[nodiscard]] std::string finish();

  Choices* choices;
  std::vector<Session> sessions;
  std::vector<std::unique_ptr<Daemon>> daemons;
  Tally tally;

  void say(std::string what) { trace_.push_back(std::move(what)); }
  void wrong(const std::string& what) {
    if (problem.empty()) problem = what;
  }
  void name_strangers(const std::vector<Stranger>& strangers);
  [[nodiscard]] const Session& current() const { return sessions[session]; }
  /// Whether the end of that session comes right before the packet.
  [[nodiscard]] bool ends_before(const std::string& session_name, std::uint64_t sequence) const;
  [[nodiscard]] bool interval_passed(const Daemon& watcher) const;
  [[nodiscard]] bool somebody_looks() const;  ///< for a living owner
  [[nodiscard]] bool others_alive(const Daemon& besides) const;
  [[nodiscard]] bool watched(const Daemon& owner) const;
  [[nodiscard]] int owner_of(std::uint64_t epoch, const Daemon& besides) const;
  [[nodiscard]] bool still_owns(int daemon) const;
  void owner_rests(int daemon);  ///< it writes no checkpoints for a time: who watches may take it for dead
  /// A fence's round; true: every partition ends with a marker, and clients see the ends.
  bool fence_round();
  void add_to(Digest& digest) const;

  // One action at a time.
  void start_daemon();
  /// The next action; a daemon that has stopped is followed by another. False: the run is over.
  bool go_on();
  bool tick();
  void crash(std::size_t daemon);
  void take_request(const Request& request);  ///< a record of one of the compacted topics is appended

 private:
  struct Action {
    enum class Kind : std::uint8_t {
      kDaemon,
      kAppend,
      kWatermark,
      kAcknowledge,
      kRequest,
      kCrash,
      kSecond,
      kPause,
      kStop,
      kResume,
      kForeign,
      kLeaderLost,
      kLeaderBack,
      kGap,
      kSession,
      kSendAgain,
      kCompact,
      kRetain,
      kGrow,
      kSlowFollower
    };
    Kind kind;
    std::size_t a = 0;
    std::size_t b = 0;
  };
  [[nodiscard]] std::vector<Action> actions() const;
  void add_network(std::vector<Action>& out) const;
  [[nodiscard]] std::vector<Action> faults() const;
  void apply(const Action& action);
  void acknowledge(std::size_t session_number, std::size_t queue);
  void lose_requests(int owner);
  void open_gap();
  void next_session();
  [[nodiscard]] bool directory_safe() const;
  void settle_the_dead();
  void final_starts();
  [[nodiscard]] bool exhausted() const;
  void compare();
  void compare_partition(std::size_t p, const std::vector<std::pair<std::uint64_t, bool>>& expected);
  [[nodiscard]] bool given_up(const std::string& session_name, std::uint64_t sequence) const;
  [[nodiscard]] std::string report() const;
  void tell_trace(std::string& out) const;

  const World* before_ = nullptr;  // where the trace begins
  std::vector<std::string> trace_;
};

}  // namespace tickbridge::journal::model
