// A feed that dies again and again: whatever of what it handed over was appended, and whatever of that was
// acknowledged, the log ends up as if nothing had happened. The whole of commit with the journal's real parts; Kafka is
// a vector.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "journal/marks.h"
#include "journal/record_hash.h"
#include "pipeline/fake_lane.h"
#include "pipeline/feed.h"
#include "pipeline/wire.h"
#include "support/seed.h"

namespace tickbridge::pipeline {
namespace {

namespace wire = tests::wire;
using tests::FakeLane;
using Log = std::vector<std::vector<FakeLane::Taken>>;  // by partition

constexpr std::int32_t kPartitions = 4;
constexpr std::uint16_t kInstruments = 12;

/// Packets of a session in which symbols are learnt late, twice, and replaced. With MoldUDP64 inside, whose own session
/// changes now and then: numbers mean other instruments from there on.
std::vector<std::string> make_packets(std::mt19937_64& random, std::size_t count, bool mold) {
  std::vector<std::string> packets;
  std::uint64_t session = 1;
  std::uint64_t next = 1;
  for (std::size_t i = 0; i < count; ++i) {
    std::string payload;
    const std::size_t messages = 1 + random() % 6;
    for (std::size_t n = messages; n > 0; --n) {
      const auto locate = static_cast<std::uint16_t>(random() % kInstruments);
      const bool learns = random() % 10 == 0 && locate != 0;
      payload += wire::block(learns ? wire::directory(locate, "SYM" + std::to_string(random() % 20), i + 1)
                                    : wire::order_delete(locate, random(), i * 1'000'000));
    }
    if (mold && random() % 40 == 0) ++session, next = 1;
    if (mold) payload = wire::mold("M" + std::to_string(session), next, static_cast<std::uint16_t>(messages), payload);
    next += messages;
    packets.push_back(wire::soup('S', payload));
  }
  return packets;
}

std::uint64_t hash(const FakeLane::Taken& record) { return journal::record_hash(record.key, as_bytes(record.value)); }

/// What outlives a life.
struct World {
  Log log{kPartitions};
  std::vector<journal::StateEntry> entries;
  std::uint64_t next_sequence = 1;
  std::optional<journal::FunctionState> state;
  std::vector<journal::PartitionState> partitions{kPartitions};

  [[nodiscard]] Resume resume() const {
    Resume where;
    where.session = "S1";
    where.next_sequence = next_sequence;
    where.journaled = true;
    where.state = state;
    for (const journal::StateEntry& entry : entries) {
      if (entry.position.sequence < next_sequence) where.entries.push_back(entry);
    }
    std::stable_sort(where.entries.begin(), where.entries.end(),
                     [](const auto& a, const auto& b) { return a.position < b.position; });
    for (std::size_t p = 0; p < log.size(); ++p) {
      journal::Suffix suffix{.from = partitions[p], .end = static_cast<std::int64_t>(log[p].size()), .found = {}};
      for (auto o = static_cast<std::size_t>(partitions[p].offset + 1); o < log[p].size(); ++o) {
        suffix.found.push_back({static_cast<std::int64_t>(o), hash(log[p][o])});
      }
      where.suffixes.push_back(std::move(suffix));
    }
    return where;
  }
};

/// One life, driven by hand.
class Life {
 public:
  Life(World& world, std::mt19937_64& random, bool mold)
      : world_{world}, random_{random}, lane_{kPartitions, random() | 1U} {
    Feed::Settings settings;
    settings.codec.payload = mold ? codec::PayloadFormat::kMoldUdp64 : codec::PayloadFormat::kBlock;
    settings.pipeline.ring_bytes = 1 << 17U;
    settings.pipeline.task_bytes = 1024;
    settings.name = "test";
    feed_ = Feed::create(std::move(settings), parking_, metrics_,
                         {.on_space = [] {},
                          .on_scan = [](std::uint64_t, const net::Scan&) {},
                          .on_failed = [this](const Error& problem) { problem_ = problem.message; },
                          .on_mark = [this](const MarkReport& report) { take(report); },
                          .on_barrier = [this](const Barrier& barrier) { own(barrier); }})
                .value();
    Committer::Settings commit;
    commit.feed = "test";
    commit.resume = world.resume();
    feed_->attach(std::move(commit), TradingDay::create("2020-01-30", "America/New_York").value(), {}, lane_);
  }

  void run(const std::vector<std::string>& packets, std::size_t count) {
    std::string bytes = wire::accepted("S1", world_.next_sequence);
    const std::size_t first = world_.next_sequence - 1;
    for (std::size_t i = first; i < std::min(first + count, packets.size()); ++i) bytes += packets[i];
    net::PacketScanner scanner{{}};
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = std::min<std::size_t>(1 + random_() % 2000, bytes.size() - at);
      std::copy_n(as_bytes(bytes).begin() + static_cast<std::ptrdiff_t>(at), n, feed_->ring().writable().begin());
      feed_->ring().wrote(n);
      net::Scan scan;
      do {
        scan = scanner.scan(feed_->ring().unpublished());
        feed_->ring().publish(scan.whole, 7);
      } while (scan.stop == net::Scan::Stop::kAccepted);
      at += n;
      if (random_() % 3 == 0) feed_->want_mark();
      work();
    }
  }

  /// Of what was handed over some is appended, and some of that acknowledged; then the life is over.
  void die(bool gently) {
    if (gently) {
      work();
      feed_->want_mark();
      work();
    }
    std::vector<journal::Acked> acked;
    for (std::size_t p = 0; p < lane_.taken.size(); ++p) {
      const std::vector<FakeLane::Taken>& taken = lane_.taken[p];
      const std::size_t appended = gently ? taken.size() : random_() % (taken.size() + 1);
      const std::size_t told = gently ? appended : random_() % (appended + 1);
      const auto base = static_cast<std::int64_t>(world_.log[p].size());
      world_.log[p].insert(world_.log[p].end(), taken.begin(), taken.begin() + static_cast<std::ptrdiff_t>(appended));
      acked.push_back({.count = told, .last_offset = base + static_cast<std::int64_t>(told) - 1, .before_jump = 0});
    }
    if (!marks_ || random_() % 8 == 0) return;  // no checkpoint was written
    marks_->acknowledge(acked, lane_.dead.size(), state_batches_);
    world_.partitions = marks_->partitions();
    world_.next_sequence = marks_->next_sequence();
    world_.state = marks_->state();
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  void work() {
    for (int idle = 0; idle < 30 && problem_.empty(); ++idle) {
      if (lane_.asked.exchange(0) != 0) feed_->kick();
      if (feed_->work()) idle = 0;
      if (feed_->drained()) return;
    }
  }
  void own(const Barrier& barrier) {
    ASSERT_EQ(barrier.kind, Barrier::Kind::kOwn);
    std::vector<journal::PartitionState> start;
    for (const auto& [partition, reached] : barrier.report.matched) start.push_back(reached);
    if (start.empty()) start = world_.partitions;
    marks_.emplace(barrier.report.mark.next_sequence, barrier.report.mark.state, std::move(start));
    feed_->pass_barrier();
  }
  void take(const MarkReport& report) {
    if (!marks_) return;
    EXPECT_TRUE(report.strangers.empty());
    for (const auto& [partition, found] : report.matched) marks_->matched(partition, found);
    world_.entries.insert(world_.entries.end(), report.learnt.begin(), report.learnt.end());
    state_batches_ = report.mark.state_batches;
    marks_->add(report.mark);
  }

  World& world_;
  std::mt19937_64& random_;
  ring::Parking parking_;
  metrics::FeedMetrics metrics_{"test"};
  FakeLane lane_;
  std::unique_ptr<Feed> feed_;
  std::optional<journal::Marks> marks_;
  std::uint64_t state_batches_ = 0;
  std::string problem_;
};

TEST(Lives, EndInTheLogOfOneLifeWithoutDeath) {
  const std::uint64_t seed = tests::seed();
  for (std::uint64_t round = 0; round < 150; ++round) {
    std::mt19937_64 random{seed + round};
    const bool mold = round % 3 == 2;
    const std::vector<std::string> packets = make_packets(random, 40 + random() % 400, mold);
    World undisturbed;
    {
      Life life{undisturbed, random, mold};
      life.run(packets, packets.size());
      life.die(true);
    }
    World world;
    for (std::size_t death = random() % 6; death > 0; --death) {
      Life life{world, random, mold};
      life.run(packets, random() % (packets.size() / 2));
      life.die(false);
      ASSERT_EQ(life.problem(), "") << "seed " << seed << " round " << round;
    }
    Life life{world, random, mold};
    life.run(packets, packets.size());
    life.die(true);
    ASSERT_EQ(life.problem(), "") << "seed " << seed << " round " << round;
    for (std::size_t p = 0; p < world.log.size(); ++p) {
      ASSERT_EQ(world.log[p].size(), undisturbed.log[p].size())
          << "seed " << seed << " round " << round << " partition " << p;
      ASSERT_TRUE(world.log[p] == undisturbed.log[p]) << "seed " << seed << " round " << round << " partition " << p;
    }
  }
}

}  // namespace
}  // namespace tickbridge::pipeline
