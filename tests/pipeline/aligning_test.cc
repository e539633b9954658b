// A feed that compares what is replayed with what the log holds behind the checkpoint.
#include <gtest/gtest.h>

#include "journal/record_hash.h"
#include "pipeline/rig.h"

namespace tickbridge::pipeline {
namespace {

namespace wire = tests::wire;
using tests::FakeLane;
using tests::small;

constexpr std::uint64_t kForeign = 1'000'000;

/// A feed that aligns one partition, worked by hand: packet n of a session is one delete of order n.
class Aligning {
 public:
  explicit Aligning(Resume resume, FeedPolicies policies = {}) {
    feed_ = Feed::create(small({}), parking_, metrics_,
                         {.on_space = [] {},
                          .on_scan = {},
                          .on_failed = [this](const Error& e) { problem = e.message; },
                          .on_mark = [this](const MarkReport& report) { take(report); },
                          .on_barrier =
                              [this](Barrier barrier) {
                                take(barrier.report);
                                barriers.push_back(std::move(barrier));
                              }})
                .value();
    Committer::Settings commit;
    commit.policies = policies;
    commit.resume = std::move(resume);
    feed_->attach(std::move(commit), TradingDay::create("2020-01-30", "America/New_York").value(), {}, lane);
  }
  static std::string message(std::uint64_t order) { return wire::order_delete(0, order, 1); }
  static std::string packet(std::uint64_t order) { return wire::soup('S', message(order)); }
  /// A checkpoint of session S1 behind packet `done`, and the orders that the log holds behind it, from offset 0 on.
  static Resume behind(std::uint64_t done, const std::vector<std::uint64_t>& orders) {
    Resume resume;
    resume.session = "S1";
    resume.next_sequence = done + 1;
    resume.journaled = true;
    resume.state.emplace();
    journal::Suffix& suffix = resume.suffixes.emplace_back();
    suffix.from.position = {done, 0};
    for (const std::uint64_t order : orders) {
      const std::string value = message(order);
      suffix.found.push_back({suffix.end++, journal::record_hash({}, as_bytes(value))});
    }
    return resume;
  }
  void write(const std::string& bytes) {
    std::copy_n(as_bytes(bytes).begin(), bytes.size(), feed_->ring().writable().begin());
    feed_->ring().wrote(bytes.size());
    feed_->ring().publish(bytes.size(), 1);
    work();
    feed_->pass_barrier();
    work();
    feed_->want_mark();
    work();
  }
  [[nodiscard]] std::vector<std::string> written() const {
    std::vector<std::string> out;
    for (const FakeLane::Taken& taken : lane.taken[0]) out.push_back(taken.value);
    return out;
  }

  FakeLane lane{1};
  std::vector<Barrier> barriers;
  std::vector<std::int64_t> strangers;  ///< offsets
  MarkReport last;
  std::string problem;

 private:
  void work() {
    while (feed_->work()) {
    }
  }
  void take(const MarkReport& report) {
    for (const journal::Stranger& stranger : report.strangers) strangers.push_back(stranger.offset);
    last = report;
  }

  ring::Parking parking_;
  metrics::FeedMetrics metrics_{"test"};
  std::unique_ptr<Feed> feed_;
};

TEST(Feed, ComparesNothingOfTheNextSessionWithTheLogOfTheOneBefore) {
  Aligning feed{Aligning::behind(2, {3, kForeign})};
  feed.write(wire::accepted("S1", 3) + Aligning::packet(3));
  feed.write(wire::accepted("S2", 1) + Aligning::packet(11) + Aligning::packet(12) + Aligning::packet(13));
  const std::vector<std::string> all{Aligning::message(11), Aligning::message(12), Aligning::message(13)};
  EXPECT_EQ(feed.written(), all);
  EXPECT_TRUE(feed.last.matched.empty()) << "positions of the session before";
  EXPECT_TRUE(feed.last.aligned);
  EXPECT_TRUE(feed.strangers.empty()) << "S1 was left before its end: it may be from behind sequence 3";
}

TEST(Feed, TellsAtTheEndOfTheSessionWhatIsLeftInTheLog) {
  Aligning feed{Aligning::behind(2, {3, kForeign})};
  feed.write(wire::accepted("S1", 3) + Aligning::packet(3));
  EXPECT_FALSE(feed.last.aligned);
  feed.write(wire::soup('Z'));
  EXPECT_TRUE(feed.last.aligned) << "a stop would not be clean";
  EXPECT_EQ(feed.strangers, (std::vector<std::int64_t>{1}));
  EXPECT_TRUE(feed.written().empty());
}

TEST(Feed, TellsWhatLiesBehindASessionWhoseEndTheCheckpointKnows) {
  for (const std::string session : {"S1", "S2"}) {
    Resume resume = Aligning::behind(2, {kForeign});
    resume.session_ended = true;
    FeedPolicies policies;
    policies.on_gap = OnGap::kContinue;
    Aligning feed{std::move(resume), policies};
    feed.write(wire::accepted(session, 3));  // S2: the exchange has its first packets no longer
    EXPECT_TRUE(feed.last.aligned);
    EXPECT_EQ(feed.strangers, (std::vector<std::int64_t>{0})) << session;
  }
}

TEST(Feed, TellsNoRecordFromInsideAGapAsSomebodyElses) {
  FeedPolicies policies;
  policies.on_gap = OnGap::kContinue;
  Aligning feed{Aligning::behind(2, {3, 4, 5, 6}), policies};
  feed.write(wire::accepted("S1", 3) + Aligning::packet(3));
  feed.write(wire::accepted("S1", 6) + Aligning::packet(6) + Aligning::packet(7));
  EXPECT_EQ(feed.problem, "");
  EXPECT_TRUE(feed.strangers.empty()) << "4 and 5";
  EXPECT_EQ(feed.written(), std::vector<std::string>{Aligning::message(7)});
  ASSERT_EQ(feed.barriers.size(), 2U);
  EXPECT_EQ(feed.barriers[1].kind, Barrier::Kind::kGap);
  ASSERT_EQ(feed.barriers[1].report.matched.size(), 1U);
  EXPECT_TRUE(feed.barriers[1].report.matched[0].second.gap) << "the barrier's checkpoint says so too";
}

}  // namespace
}  // namespace tickbridge::pipeline
