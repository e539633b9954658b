#include "journal/model/world.h"

#include <algorithm>
#include <utility>

#include "journal/model/daemon.h"

namespace tickbridge::journal::model {
namespace {

constexpr int kMostTicks = 4'000;
constexpr int kMostStarts = 12;

}  // namespace

World::World(const Settings& given, Choices& given_choices) : choices{&given_choices} {
  settings = given;
  kafka.partitions.resize(static_cast<std::size_t>(given.partitions));
  named.resize(kMostPartitions);
  closed.resize(kMostPartitions);
  for (std::size_t i = 0; i < settings.sessions; ++i) {
    sessions.push_back(
        make_session("S" + std::to_string(i), settings.seed * 31 + i, settings.packets, settings.late_symbols));
  }
  slow.assign(kMostPartitions, false);
}

World::World(const World& before, Choices& own_choices)
    : WorldState{before}, choices{&own_choices}, sessions{before.sessions}, tally{before.tally}, before_{&before} {
  for (const auto& daemon : before.daemons) daemons.push_back(std::make_unique<Daemon>(*this, *daemon));
}

World::~World() = default;

void World::add_to(Digest& digest) const {
  digest.add(static_cast<const WorldState&>(*this));
  for (const auto& daemon : daemons) digest.add(*daemon);
}

void World::name_strangers(const std::vector<Stranger>& strangers) {
  for (const Stranger& stranger : strangers) {
    if (stranger.kind == Stranger::Kind::kCounted) continue;
    say("named " + std::to_string(stranger.partition) + "/" + std::to_string(stranger.offset));
    named[static_cast<std::size_t>(stranger.partition)].insert(stranger.offset);
    ++tally.named;
  }
}

bool World::ends_before(const std::string& session_name, std::uint64_t sequence) const {
  const auto found = std::ranges::find(sessions, session_name, &Session::name);
  return found != sessions.end() && sequence > found->packets.size();
}

// Time passes for all: an interval is over when every owner that is awake has written its checkpoint.
bool World::interval_passed(const Daemon& watcher) const {
  return std::ranges::all_of(daemons, [&](const auto& daemon) {
    const auto number = static_cast<std::size_t>(daemon->id());
    const bool came_later = number >= watcher.seen_intervals_.size();
    if (daemon.get() == &watcher || came_later || !daemon->owner() || daemon->paused) return true;
    const std::uint64_t wanted = watcher.seen_intervals_[number] + static_cast<std::uint64_t>(watcher.looks_) + 1;
    return daemon->intervals() >= wanted && !daemon->writing_;
  });
}

bool World::somebody_looks() const {
  return std::ranges::any_of(daemons, [](const auto& daemon) { return daemon->looking(); });
}

bool World::others_alive(const Daemon& besides) const {
  return std::ranges::any_of(daemons,
                             [&](const auto& daemon) { return daemon.get() != &besides && daemon->running(); });
}

bool World::watched(const Daemon& owner) const {
  return std::ranges::any_of(daemons, [&](const auto& daemon) {
    return daemon.get() != &owner && daemon->watching() && !interval_passed(*daemon);
  });
}

int World::owner_of(std::uint64_t epoch, const Daemon& besides) const {
  const auto found = std::ranges::find_if(daemons, [&](const auto& daemon) {
    return daemon.get() != &besides && daemon->owner() && !daemon->paused && daemon->epoch_ == epoch;
  });
  return found == daemons.end() ? -1 : (*found)->id();
}

void World::owner_rests(int daemon) {
  for (const auto& other : daemons) {
    if (other->steady_owner == daemon) other->steady_owner = -1;
  }
}

bool World::still_owns(int daemon) const { return daemon >= 0 && daemons[static_cast<std::size_t>(daemon)]->owner(); }

bool World::fence_round() {
  const bool sloppy = settings.sloppy_fences > 0 && choices->fault(2) == 1;
  if (sloppy) --settings.sloppy_fences;
  bool all = true;
  for (std::size_t p = 0; p < kafka.partitions.size(); ++p) {
    PartitionLog& log = kafka.partitions[p];
    const bool left_out = sloppy && p == 0;
    const bool needed = log.log.empty() || log.log.back().kind != LogRecord::Kind::kMarker;
    if (!left_out) {
      log.log.push_back({LogRecord::Kind::kMarker, 0, false});
      log.watermark = log.end();
      slow[p] = false;
    }
    all = all && !(left_out && needed);
  }
  if (!settings.late_requests) {
    for (ProducerSession& session_of : kafka.sessions) {
      if (!session_of.dead) continue;
      for (auto& queue : session_of.sent) queue.clear();
    }
  }
  say("fence");
  return all;
}

void World::start_daemon() {
  for (const auto& daemon : daemons) daemon->company_ = true;
  daemons.push_back(std::make_unique<Daemon>(*this, static_cast<int>(daemons.size())));
  say("d" + std::to_string(daemons.size() - 1) + " starts");
}

void World::add_network(std::vector<Action>& out) const {
  using Kind = Action::Kind;
  for (std::size_t s = 0; s < kafka.sessions.size(); ++s) {
    const ProducerSession& session_of = kafka.sessions[s];
    for (std::size_t q = 0; q < session_of.sent.size(); ++q) {
      const bool letters = q + 1 == session_of.sent.size();
      if (!session_of.sent[q].empty() && (letters || !kafka.partitions[q].leaderless))
        out.push_back({Kind::kAppend, s, q});
    }
  }
  for (std::size_t p = 0; p < kafka.partitions.size(); ++p) {
    const PartitionLog& log = kafka.partitions[p];
    if (log.watermark < log.end() && !slow[p] && !log.leaderless) out.push_back({Kind::kWatermark, p, 0});
  }
  for (std::size_t s = 0; s < kafka.sessions.size(); ++s) {
    const ProducerSession& session_of = kafka.sessions[s];
    if (session_of.dead) continue;
    for (std::size_t q = 0; q < session_of.appended.size(); ++q) {
      if (session_of.appended[q].empty()) continue;
      const Batch& batch = session_of.appended[q].front();
      const bool letters = q + 1 == session_of.appended.size();
      const auto end = batch.base + static_cast<std::int64_t>(batch.hashes.size());
      if (letters || kafka.partitions[q].watermark >= end) out.push_back({Kind::kAcknowledge, s, q});
    }
  }
  std::set<std::pair<int, bool>> senders;  // one process's requests to one topic keep their order
  for (std::size_t r = 0; r < kafka.requests.size(); ++r) {
    const Request& request = kafka.requests[r];
    if (senders.emplace(request.owner, request.state.has_value()).second) out.push_back({Kind::kRequest, r, 0});
  }
}

std::vector<World::Action> World::actions() const {
  std::vector<Action> steps;
  for (std::size_t d = daemons.size(); d-- > 0;) {
    if (daemons[d]->can_step()) steps.push_back({Action::Kind::kDaemon, d, 0});
  }
  std::vector<Action> network;
  add_network(network);
  std::vector<Action>& before = settings.daemon_first && !calm ? steps : network;
  std::vector<Action>& after = settings.daemon_first && !calm ? network : steps;
  before.insert(before.end(), after.begin(), after.end());
  for (std::size_t d = 0; d < daemons.size(); ++d) {
    if (daemons[d]->running() && daemons[d]->paused) before.push_back({Action::Kind::kResume, d, 0});
  }
  for (std::size_t p = 0; p < kafka.partitions.size(); ++p) {
    if (kafka.partitions[p].leaderless || slow[p]) before.push_back({Action::Kind::kLeaderBack, p, 0});
  }
  if (before.empty() && session + 1 < sessions.size()) before.push_back({Action::Kind::kSession, 0, 0});
  return std::move(before);
}

std::vector<World::Action> World::faults() const {
  using Kind = Action::Kind;
  std::vector<Action> out;
  for (std::size_t d = 0; d < daemons.size(); ++d) {
    if (!daemons[d]->running()) continue;
    if (settings.crashes > 0) out.push_back({Kind::kCrash, d, 0});
    if (settings.pauses > 0 && !daemons[d]->paused) out.push_back({Kind::kPause, d, 0});
    if (settings.stops > 0 && daemons[d]->owner() && !daemons[d]->stopping) out.push_back({Kind::kStop, d, 0});
  }
  if (settings.second_daemons > 0) out.push_back({Kind::kSecond, 0, 0});
  for (std::size_t p = 0; p < kafka.partitions.size(); ++p) {
    if (settings.foreign_writes > 0) out.push_back({Kind::kForeign, p, 0});
    if (settings.leaders_lost > 0 && !kafka.partitions[p].leaderless) out.push_back({Kind::kLeaderLost, p, 0});
    if (settings.slow_followers > 0 && !slow[p]) out.push_back({Kind::kSlowFollower, p, 0});
    if (settings.retentions > 0) out.push_back({Kind::kRetain, p, 0});
  }
  if (settings.gaps > 0 && directory_safe()) out.push_back({Kind::kGap, 0, 0});
  if (session + 1 < sessions.size()) out.push_back({Kind::kSession, 0, 0});
  if (settings.compactions > 0) out.push_back({Kind::kCompact, 0, 0});
  if (settings.growths > 0 && kafka.partitions.size() < kMostPartitions) out.push_back({Kind::kGrow, 0, 0});
  for (std::size_t s = 0; s < kafka.sessions.size(); ++s) {
    for (std::size_t q = 0; q + 1 < kafka.sessions[s].appended.size(); ++q) {
      const bool some = !kafka.sessions[s].appended[q].empty() && !kafka.sessions[s].dead;
      if (settings.double_sends > 0 && some) out.push_back({Kind::kSendAgain, s, q});
    }
  }
  return out;
}

void World::crash(std::size_t d) {
  Daemon& daemon = *daemons[d];
  say("d" + std::to_string(d) + " is killed in step " + std::string{name(daemon.step_)});
  daemon.dead = true;
  kafka.sessions[daemon.session_number()].die();
  --settings.crashes;
  ++tally.crashes;
  lose_requests(daemon.id());
  if (std::ranges::none_of(daemons, [](const auto& other) { return other->running(); })) start_daemon();
}

// What a dead process had sent arrives later, or the last of it, by topic, never.
void World::lose_requests(int owner) {
  bool keeps[2] = {false, false};
  for (std::size_t r = kafka.requests.size(); r-- > 0;) {
    const Request& request = kafka.requests[r];
    bool& kept = keeps[request.state ? 1 : 0];
    if (request.owner != owner || kept) continue;
    kept = choices->choose(2) == 0;
    if (!kept) kafka.requests.erase(kafka.requests.begin() + static_cast<std::ptrdiff_t>(r));
  }
}

void World::acknowledge(std::size_t s, std::size_t q) {
  ProducerSession& session_of = kafka.sessions[s];
  const Batch batch = std::move(session_of.appended[q].front());
  session_of.appended[q].pop_front();
  for (const auto& daemon : daemons) {
    if (daemon->running() && daemon->session_number() == s) daemon->acknowledged(q, batch);
  }
}

void World::open_gap() {
  const std::uint64_t last = current().packets.size();
  first = std::min(last + 1, first + 1 + choices->choose(static_cast<std::size_t>(last)));
  if (first <= 4) first = std::min<std::uint64_t>(5, last + 1);  // what the directory says is never lost
  say("gap: the exchange begins at " + std::to_string(first));
}

// Whoever starts finds what the first packets say in a checkpoint.
bool World::directory_safe() const {
  std::vector<Checkpoint> notes;
  for (const Note& note : kafka.notes) {
    if (note.checkpoint) notes.push_back(*note.checkpoint);
  }
  const Checkpoint* const found = newest(notes);
  if (found == nullptr || found->session != current().name || found->next_sequence <= 4) return false;
  return std::ranges::all_of(daemons, [](const auto& daemon) {
    return !daemon->running() || daemon->owner() || daemon->step_ == Step::kReadCheckpoints;
  });
}

void World::next_session() {
  ++session;
  first = 1;
  say("another session");
}

void World::take_request(const Request& request) {
  if (request.state) return kafka.states.push_back(*request.state);
  if (const auto& checkpoint = request.note.checkpoint) {
    say("checkpoint " + std::to_string(checkpoint->epoch) + "." + std::to_string(checkpoint->number) + " F " +
        std::to_string(checkpoint->next_sequence) + (checkpoint->clean ? " clean" : ""));
    for (std::size_t p = 0; p < checkpoint->partitions.size() && !kafka.noted; ++p) {  // what was there before us
      for (std::int64_t o = 0; o <= checkpoint->partitions[p].offset; ++o) closed[p].insert(o);
    }
  }
  kafka.append_note(request.note);
  if (settings.forget_notes && !somebody_looks()) kafka.forget_notes_between();
}

void World::apply(const Action& action) {
  using Kind = Action::Kind;
  switch (action.kind) {
    case Kind::kDaemon:
      return daemons[action.a]->step();
    case Kind::kAppend:
      if (kafka.sessions[action.a].dead) {
        say("late append to " + std::to_string(action.b));
        strange = strange || settings.late_requests;  // else it comes before the fence
      }
      return kafka.append(kafka.sessions[action.a], action.b);
    case Kind::kWatermark:
      kafka.partitions[action.a].watermark = kafka.partitions[action.a].end();
      return;
    case Kind::kAcknowledge:
      return acknowledge(action.a, action.b);
    case Kind::kRequest: {
      const Request request = std::move(kafka.requests[action.a]);
      kafka.requests.erase(kafka.requests.begin() + static_cast<std::ptrdiff_t>(action.a));
      take_request(request);
      Daemon& owner = *daemons[static_cast<std::size_t>(request.owner)];
      if (owner.running()) owner.written(request);
      return;
    }
    case Kind::kCrash:
      return crash(action.a);
    case Kind::kSecond:
      --settings.second_daemons;
      rivals = true;
      return start_daemon();
    case Kind::kPause:
      --settings.pauses;
      rivals = true;
      daemons[action.a]->paused = true;
      owner_rests(static_cast<int>(action.a));
      say("d" + std::to_string(action.a) + " is stopped");
      if (std::ranges::none_of(daemons, [](const auto& other) { return other->running() && !other->paused; }))
        start_daemon();
      return;
    case Kind::kStop:
      --settings.stops;
      daemons[action.a]->stopping = true;
      return say("d" + std::to_string(action.a) + " is to stop");
    case Kind::kResume:
      daemons[action.a]->paused = false;
      strange = true;
      return say("d" + std::to_string(action.a) + " goes on");
    case Kind::kForeign: {
      --settings.foreign_writes;
      strange = true;
      PartitionLog& log = kafka.partitions[action.a];
      log.log.push_back(
          {LogRecord::Kind::kData, 0xF0000000U + static_cast<std::uint64_t>(settings.foreign_writes), true});
      return say("foreign record in " + std::to_string(action.a) + "/" + std::to_string(log.end() - 1));
    }
    case Kind::kLeaderLost:
      --settings.leaders_lost;
      kafka.partitions[action.a].leaderless = true;
      return say("no leader: " + std::to_string(action.a));
    case Kind::kSlowFollower:
      --settings.slow_followers;
      slow[action.a] = true;
      return say("slow follower: " + std::to_string(action.a));
    case Kind::kLeaderBack:
      kafka.partitions[action.a].leaderless = false;
      slow[action.a] = false;
      return;
    case Kind::kGap:
      --settings.gaps;
      return open_gap();
    case Kind::kSession:
      return next_session();
    case Kind::kSendAgain:
      --settings.double_sends;
      strange = true;
      say("sent again: " + std::to_string(action.b));
      return kafka.send_again(kafka.sessions[action.a], action.b);
    case Kind::kCompact:
      --settings.compactions;
      say("compaction");
      return kafka.compact(4);
    case Kind::kRetain: {
      --settings.retentions;
      PartitionLog& log = kafka.partitions[action.a];
      if (log.watermark > log.begin)
        log.begin +=
            1 + static_cast<std::int64_t>(choices->choose(static_cast<std::size_t>(log.watermark - log.begin)));
      return say("retention: " + std::to_string(action.a) + " begins at " + std::to_string(log.begin));
    }
    case Kind::kGrow:
      --settings.growths;
      kafka.partitions.emplace_back();
      return say("the topic grows");
  }
}

bool World::tick() {
  if (!calm) {
    const std::vector<Action> broken = faults();
    if (!broken.empty()) {
      if (const std::size_t choice = choices->fault(broken.size() + 1); choice != 0) {
        apply(broken[choice - 1]);
        return true;
      }
    }
  }
  const std::vector<Action> possible = actions();
  if (possible.empty()) return false;
  apply(possible[calm ? 0 : choices->choose(possible.size())]);
  return true;
}

bool World::go_on() {
  if (!problem.empty() || !tick()) return false;
  if (std::ranges::any_of(daemons, [](const auto& daemon) { return daemon->running(); })) return true;
  if (!daemons.back()->stopping) return false;
  start_daemon();
  return true;
}

std::string World::run() {
  start_daemon();
  for (int i = 0; i < kMostTicks && go_on(); ++i) continue;
  return finish();
}

std::string World::finish() {
  settle_the_dead();
  final_starts();
  if (problem.empty()) compare();
  return problem.empty() ? std::string{} : report();
}

// What is on its way arrives, or is lost; everybody is killed.
void World::settle_the_dead() {
  for (const auto& daemon : daemons) {
    if (daemon->running()) say("d" + std::to_string(daemon->id()) + " is killed at last");
    daemon->dead = true;
  }
  for (ProducerSession& session_of : kafka.sessions) {
    session_of.die();
    for (std::size_t q = 0; q < session_of.sent.size(); ++q) {
      std::size_t arrive = session_of.sent[q].empty() ? 0 : choices->choose(session_of.sent[q].size() + 1);
      for (; arrive > 0; --arrive) {
        strange = strange || settings.late_requests;
        say("late append to " + std::to_string(q));
        kafka.append(session_of, q);
      }
      session_of.sent[q].clear();
    }
  }
  while (!kafka.requests.empty()) {
    const bool arrives = choices->choose(2) == 0;
    Request request = std::move(kafka.requests.front());
    kafka.requests.pop_front();
    if (arrives) take_request(request);
  }
  while (session + 1 < sessions.size()) next_session();
  for (std::size_t p = 0; p < kafka.partitions.size(); ++p) {
    kafka.partitions[p].leaderless = false;
    kafka.partitions[p].watermark = kafka.partitions[p].end();
    slow[p] = false;
  }
}

// Starts until two in a row have stopped cleanly: the second one names what the first one could not know of.
void World::final_starts() {
  calm = true;
  int clean = 0;
  for (int start = 0; start < kMostStarts && clean < 2 && problem.empty(); ++start) {
    start_daemon();
    Daemon& last = *daemons.back();
    for (int i = 0; i < kMostTicks && last.running() && tick(); ++i) continue;
    if (last.running())
      return wrong("d" + std::to_string(last.id()) + " stands still in " + std::string{name(last.step_)});
    clean = last.exit_code() == 0 ? clean + 1 : 0;
    if (last.exit_code() == 65) break;
  }
  for (const auto& daemon : daemons) {
    if (daemon->exit_code() != 65) continue;
    const bool nothing_shows = daemon->why().find("nothing else shows") != std::string::npos;
    const bool unknowable = !missing.empty() && daemon->why().find("cannot be known") != std::string::npos;
    if ((!strange || !nothing_shows) && !unknowable && !guessed)
      wrong("d" + std::to_string(daemon->id()) + " cannot align although nobody else wrote");
  }
  if (problem.empty() && clean < 2) {
    if (daemons.back()->exit_code() != 65) return wrong("no start comes to an end");
    ++tally.unalignable;
    guessed = true;
  }
}

bool World::given_up(const std::string& session_name, std::uint64_t sequence) const {
  const bool joined = std::ranges::any_of(shapes, [&](const Shape& shape) { return shape.session == session_name; });
  return !joined || std::ranges::any_of(missing, [&](const Missing& gap) {
    return gap.session == session_name && sequence >= gap.begin && (gap.end == 0 || sequence < gap.end);
  });
}

void World::compare() {
  if (tally.named != 0 && !strange && !rivals) return wrong("strangers are named although nobody else wrote");
  if (guessed) return;
  std::vector<std::vector<std::pair<std::uint64_t, bool>>> expected(kafka.partitions.size());
  for (const Session& one : sessions) {
    Function function{settings.partitions};
    for (std::uint64_t sequence = 1; sequence <= one.packets.size(); ++sequence) {
      for (const Shape& shape : shapes) {
        if (shape.session == one.name && shape.from <= sequence) function.set_partitions(shape.partitions);
      }
      const bool optional = given_up(one.name, sequence);
      for (const Message& message : one.packets[sequence - 1]) {
        if (message.invalid) {
          if (!optional && std::ranges::find(kafka.dead_letters, message.content) == kafka.dead_letters.end()) {
            wrong("a dead letter is missing: sequence " + std::to_string(sequence));
          }
          continue;
        }
        const Output output = function.take(sequence, message);
        expected[static_cast<std::size_t>(output.partition)].emplace_back(output.hash, optional);
      }
    }
  }
  for (std::size_t p = 0; p < expected.size(); ++p) compare_partition(p, expected[p]);
}

void World::compare_partition(std::size_t p, const std::vector<std::pair<std::uint64_t, bool>>& expected) {
  std::size_t next = 0;
  const std::string where = "partition " + std::to_string(p) + ", offset ";
  for (std::size_t offset = 0; offset < kafka.partitions[p].log.size(); ++offset) {
    const LogRecord& record = kafka.partitions[p].log[offset];
    const auto at = static_cast<std::int64_t>(offset);
    if (record.kind == LogRecord::Kind::kMarker || named[p].contains(at)) continue;
    std::size_t found = next;
    while (found < expected.size() && expected[found].first != record.hash && expected[found].second) ++found;
    if (found < expected.size() && expected[found].first == record.hash) {
      next = found + 1;
      continue;
    }
    if (closed[p].contains(at)) continue;
    const bool foreign = record.foreign;
    return wrong(where + std::to_string(offset) +
                 (foreign ? ": foreign and not named" : ": doubled, or out of order, or one before it is lost"));
  }
  for (; next < expected.size(); ++next) {
    if (!expected[next].second) return wrong("partition " + std::to_string(p) + ": lost at its end");
  }
}

std::string World::report() const {
  std::string out = problem + "\n";
  tell_trace(out);
  for (std::size_t p = 0; p < kafka.partitions.size(); ++p) {
    out += "  log " + std::to_string(p) + ":";
    for (const LogRecord& record : kafka.partitions[p].log) {
      out += record.kind == LogRecord::Kind::kMarker
                 ? " |"
                 : " " + std::to_string(record.hash % 1'000) + (record.foreign ? "F" : "");
    }
    out += "\n";
  }
  return out;
}

void World::tell_trace(std::string& out) const {
  if (before_ != nullptr) before_->tell_trace(out);
  for (const std::string& line : trace_) out += "  " + line + "\n";
}

}  // namespace tickbridge::journal::model
