// Every interleaving of a very small world, with whatever may break in it at every point: a search through its states.
// A state that was met before is not gone on from again.
#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "journal/model/choices.h"
#include "journal/model/daemon.h"
#include "journal/model/world.h"

namespace tickbridge::journal::model {
namespace {

constexpr std::uint64_t kRecheck = 64;

std::uint64_t digest_of(const World& world) {
  Digest digest;
  digest.add(world);
  return digest.value();
}

class Search {
 public:
  void explore(const Settings& settings) {
    Combinations none;
    World world{settings, none};
    world.start_daemon();
    visit(world);
    std::cout << seen_.size() << " states, " << actions_ << " actions, " << ends_.size() << " ends, " << rechecked_
              << " of the states met again compared\n";
  }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  // What state do the actions possible here lead to? That is asked again of some states that are met again: equal
  // digests must have equal futures.
  void visit(const World& world) {
    const auto [at, fresh] = seen_.try_emplace(digest_of(world), 0);
    if (!fresh && (++met_again_ % kRecheck != 0 || at->second == 0)) return;
    Digest future;
    Combinations choices;
    do {
      World next{world, choices};
      const bool on = next.go_on();
      future.add(digest_of(next));
      if (!fresh) continue;
      ++actions_;
      on ? visit(next) : end(next);
    } while (problem_.empty() && choices.next());
    if (!problem_.empty()) return;
    if (fresh) seen_[digest_of(world)] = future.value();
    if (fresh) return;
    ++rechecked_;
    if (at->second != future.value()) problem_ = "two states with one digest have two futures: something is not in it";
  }
  void end(const World& world) {
    if (!ends_.insert(digest_of(world)).second) return;
    Combinations choices;
    do {
      World last{world, choices};
      problem_ = last.finish();
    } while (problem_.empty() && choices.next());
  }

  std::unordered_map<std::uint64_t, std::uint64_t> seen_;  // digest → that of what may come next
  std::unordered_set<std::uint64_t> ends_;
  std::uint64_t actions_ = 0;
  std::uint64_t met_again_ = 0;
  std::uint64_t rechecked_ = 0;
  std::string problem_;
};

// One partition, a checkpoint after every packet.
Settings tiny(std::size_t packets) {
  Settings settings;
  settings.partitions = 1;
  settings.packets = packets;
  settings.piece = 1;
  settings.checkpoint_every = 1;
  settings.forget_notes = true;
  settings.checkpoints_at_jumps = 1;
  return settings;
}

// Checkpoints only where there is nothing else to do.
Settings with_few_checkpoints(std::size_t packets) {
  Settings settings = tiny(packets);
  settings.checkpoint_every = packets + 1;
  return settings;
}

void explore(const Settings& settings) {
  Search search;
  search.explore(settings);
  EXPECT_EQ(search.problem(), "");
}

TEST(Interleavings, OneKill) { explore(tiny(2)); }

TEST(Interleavings, TwoKills) {
  Settings settings = with_few_checkpoints(2);
  settings.crashes = 2;
  explore(settings);
}

TEST(Interleavings, OneKillAndTwoPartitions) {
  Settings settings = with_few_checkpoints(2);
  settings.partitions = 2;
  explore(settings);
}

TEST(Interleavings, OneKillAndRequestsThatComeBehindTheFence) {
  Settings settings = with_few_checkpoints(2);
  settings.late_requests = true;
  explore(settings);
}

TEST(Interleavings, OneKillAndAForeignWrite) {
  Settings settings = with_few_checkpoints(2);
  settings.foreign_writes = 1;
  explore(settings);
}

TEST(Interleavings, OneKillAndAFollowerThatHidesRecords) {
  Settings settings = with_few_checkpoints(2);
  settings.slow_followers = 1;
  explore(settings);
}

TEST(Interleavings, OneKillAndACleanStop) {
  Settings settings = tiny(1);
  settings.stops = 1;
  explore(settings);
}

}  // namespace
}  // namespace tickbridge::journal::model
