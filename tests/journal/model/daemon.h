#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "journal/model/digest.h"
#include "journal/model/feed.h"
#include "journal/model/journal_state.h"
#include "journal/model/kafka.h"

namespace tickbridge::journal::model {

class World;

/// All that a daemon knows.
struct DaemonState {
  struct Barrier {
    enum class Kind : std::uint8_t { kGap, kSession, kParameters };
    Kind kind;
    bool written = false;
  };
  struct Group {
    std::size_t queue = 0;
    std::vector<std::uint64_t> hashes;
    Position last;
  };
  struct Jump {
    std::size_t partition;
    std::int64_t expected;
    std::int64_t found;
  };

  int id_ = 0;
  std::string instance_;
  bool dead = false;
  bool paused = false;
  bool stopping = false;  ///< SIGTERM
  int steady_owner = -1;  ///< who owned, awake, when this one began to watch, and ever since
  int writes_in_flight = 0;
  std::optional<int> exit_;
  std::string why_;

  // start
  Step step_ = Step::kReadCheckpoints;
  StartFacts facts_;
  std::optional<Checkpoint> base_;
  std::uint64_t highest_ = 0;
  std::optional<KnownLiveness> liveness_;
  int looks_ = 0;
  bool company_ = false;                       // somebody else has lived since the watch began
  std::vector<std::uint64_t> seen_intervals_;  // of each daemon, when the watch began
  std::uint64_t epoch_ = 0;                    // 0: owns nothing
  std::int32_t count_ = 0;                     // partitions in use
  bool change_due_ = false;
  Parameters parameters_;
  std::vector<std::int64_t> ends_;
  std::vector<Suffix> suffixes_;
  LoginFinding login_;
  std::string joined_;  // the session
  bool owned_ = false;

  // a life
  std::size_t producer_ = 0;
  std::optional<Function> function_;
  std::optional<ToldAligner> aligner_;
  std::optional<KnownMarks> marks_;
  Checkpoint current_;
  std::uint64_t cursor_ = 1;
  std::deque<Group> groups_;
  std::vector<Handed> handed_;
  std::uint64_t dead_letters_ = 0;
  std::uint64_t dead_letters_acked_ = 0;
  std::uint64_t batches_ = 0;
  std::uint64_t batches_acked_ = 0;
  std::vector<StateEntry> learnt_;
  std::vector<Acked> acked_;
  std::vector<std::int64_t> predicted_;
  std::vector<Jump> jumps_;
  std::optional<Barrier> barrier_;
  std::uint64_t intervals_ = 0;
  std::uint64_t packets_since_ = 0;
  bool news_ = false;  // something acknowledged since the last checkpoint
  bool last_word_ = false;
  bool writing_ = false;  // a checkpoint is on its way
};

/// The daemon as recovery sees it: the journal room's own code, and what app and commit do around it. Each step() is
/// one action between two of which it may die.
class Daemon : private DaemonState {
 public:
  Daemon(World& world, int id);
  /// The same one in another world.
  Daemon(World& world, const Daemon& other) : DaemonState{other}, world_{world} {}

  [[nodiscard]] bool can_step() const;
  void step();
  void acknowledged(std::size_t queue, const Batch& batch);
  void written(const Request& request);

  [[nodiscard]] bool running() const noexcept { return !exit_ && !dead; }
  [[nodiscard]] std::size_t session_number() const noexcept { return producer_; }
  [[nodiscard]] Step where() const noexcept { return step_; }
  [[nodiscard]] bool watching() const noexcept { return running() && step_ == Step::kWatchOwner; }
  [[nodiscard]] bool looking() const noexcept { return running() && liveness_.has_value(); }
  [[nodiscard]] bool owner() const noexcept { return running() && step_ == Step::kRun; }
  [[nodiscard]] std::uint64_t intervals() const noexcept { return intervals_; }
  [[nodiscard]] std::optional<int> exit_code() const noexcept { return exit_; }
  [[nodiscard]] int id() const noexcept { return id_; }
  [[nodiscard]] const std::string& why() const noexcept { return why_; }

  using DaemonState::dead;
  using DaemonState::paused;
  using DaemonState::steady_owner;
  using DaemonState::stopping;
  using DaemonState::writes_in_flight;
  void add_to(Digest& digest) const;

 private:
  void leave(int code, const std::string& why);
  void begin(bool in_place);
  void advance();
  [[nodiscard]] std::vector<Checkpoint> read_notes() const;

  void read_checkpoints();
  void watch_owner();
  void fence();
  void read_ends();
  void read_suffix();
  void log_in();
  void own();
  void read_back();
  void note_decisions();
  void take_over();

  void run();
  [[nodiscard]] bool can_run() const;
  void judge_jumps();
  void hand_over();
  void interval();
  void mark();
  void write_checkpoint(std::string decision, Follows follows);
  void send(Checkpoint checkpoint);
  [[nodiscard]] bool fetch();
  [[nodiscard]] bool commit(std::uint64_t first, std::uint64_t end);
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] bool settled();
  void acknowledge_marks();
  void pass_barrier();
  void cross_gap();
  void cross_session();
  void stop_cleanly();
  void see_witnesses();
  [[nodiscard]] std::size_t in_flight() const;
  [[nodiscard]] bool finished() const;
  [[nodiscard]] bool ended() const;
  [[nodiscard]] bool more_to_come() const;
  [[nodiscard]] bool caught_up() const;

  World& world_;

  friend class World;
};

}  // namespace tickbridge::journal::model
