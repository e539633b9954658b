#include "pipeline/feed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <thread>

#include "journal/record_hash.h"
#include "pipeline/fake_lane.h"
#include "pipeline/wire.h"
#include "pipeline/workers.h"
#include "routing/partitioner.h"
#include "support/seed.h"

namespace tickbridge::pipeline {
namespace {

namespace wire = tests::wire;
using metrics::FeedCounter;
using tests::FakeLane;

constexpr std::int32_t kPartitions = 5;

/// A feed with its workers and a lane, fed by hand as a reader would.
class Rig {
 public:
  Rig(Feed::Settings settings, FakeLane& lane, std::size_t workers, Committer::Settings commit = {})
      : metrics_{"test"}, lane_{lane} {
    settings.name = commit.feed = "test";
    settings.workers = workers;
    codec_ = settings.codec;
    auto made = Feed::create(std::move(settings), parking_, metrics_,
                             {.on_space = [this] { space_.fetch_add(1), space_.notify_all(); },
                              .on_scan = [](std::uint64_t, const net::Scan&) {},
                              .on_failed = [this](const Error& e) { problem_ = e, failed_ = true; }});
    feed_ = std::move(made.value());
    feed_->attach(std::move(commit), TradingDay::create("2020-01-30", "America/New_York").value(), {}, lane);
    scanner_.emplace(codec_);
    feed_->begin_connection(1);
    std::vector<Feed*> feeds{feed_.get()};
    workers_.emplace(workers, feeds, parking_);
    kicker_ = std::jthread{[this](const std::stop_token& stop) {  // stands for the delivery thread
      while (!stop.stop_requested()) {
        if (lane_.asked.exchange(0) != 0) feed_->kick();
        std::this_thread::yield();
      }
    }};
  }

  void write(std::string_view bytes) {
    while (!bytes.empty() && !failed_) {
      const std::uint32_t seen = space_.load();
      const MutableBytes room = feed_->ring().writable();
      if (room.empty()) {
        if (!feed_->ring().wait_for_space(1)) space_.wait(seen);
        continue;
      }
      const std::size_t n = std::min(room.size(), bytes.size());
      std::copy_n(as_bytes(bytes).begin(), n, room.begin());
      feed_->ring().wrote(n);
      bytes.remove_prefix(n);
      publish(n);
    }
  }
  void publish(std::size_t n) {
    if (feed_->scans()) {
      feed_->ring().publish(n, 7);
    } else {
      net::Scan scan;
      do {
        scan = scanner_->scan(feed_->ring().unpublished());
        feed_->ring().publish(scan.whole, 7);
      } while (scan.stop != net::Scan::Stop::kMore && scan.stop != net::Scan::Stop::kBroken);
    }
    feed_->announce();
  }
  void await() {
    while (!feed_->drained()) std::this_thread::yield();
  }
  std::uint64_t count(FeedCounter counter) const { return metrics_.value(counter); }
  Feed& feed() { return *feed_; }
  bool failed() const { return failed_; }
  const Error& problem() const { return problem_; }

 private:
  codec::Options codec_;
  ring::Parking parking_;
  metrics::FeedMetrics metrics_;
  FakeLane& lane_;
  std::atomic<std::uint32_t> space_{0};
  std::atomic<bool> failed_{false};
  Error problem_;
  std::unique_ptr<Feed> feed_;
  std::optional<net::PacketScanner> scanner_;
  std::optional<Workers> workers_;
  std::jthread kicker_;
};

Feed::Settings small(codec::Options codec) {
  Feed::Settings settings;
  settings.codec = codec;
  settings.pipeline.ring_bytes = 1 << 17U;
  settings.pipeline.task_bytes = 4096;  // many tasks, and several pieces in some
  return settings;
}

/// A session: directory first, then orders of its instruments, cut into packets, and what must come out.
struct Script {
  std::string bytes;
  std::vector<std::vector<FakeLane::Taken>> expected{kPartitions};

  Script(codec::Options codec, std::mt19937_64& random, std::size_t messages) {
    const std::size_t instruments = 40;
    bytes = codec.transport == codec::Transport::kSoupBinTcp ? wire::accepted("S1", 1) : "";
    std::size_t made = 0;
    std::uint64_t sequence = 1;
    std::uint64_t mold = 1;
    while (made < messages) {
      const bool single = codec.payload == codec::PayloadFormat::kMessage;
      const std::size_t n = single ? 1 : 1 + random() % 30;
      std::string payload;
      for (std::size_t i = 0; i < n; ++i) {
        const std::string message = next(made++, instruments, random, sequence);
        payload += single ? message : wire::block(message);
      }
      if (codec.payload == codec::PayloadFormat::kMoldUdp64) {
        payload = wire::mold("M1", mold, static_cast<std::uint16_t>(n), payload);
        mold += n;
      }
      if (codec.compression == codec::Compression::kZlib) payload = wire::zlib(payload);
      bytes += codec.transport == codec::Transport::kSoupBinTcp ? wire::soup('S', payload) : wire::block(payload);
      if (codec.transport == codec::Transport::kSoupBinTcp && random() % 50 == 0) bytes += wire::soup("+HU"[random() % 3]);
      ++sequence;
    }
    if (codec.compression == codec::Compression::kZlibStream) bytes = wire::zlib(bytes);
  }

  std::string next(std::size_t i, std::size_t instruments, std::mt19937_64& random, std::uint64_t sequence) {
    const bool teach = i < instruments;
    const auto locate = static_cast<std::uint16_t>(1 + (teach ? i : random() % instruments));
    const std::string symbol = "SYM" + std::to_string(locate);
    const std::uint64_t time = i * 1'000'000;
    std::string message = teach ? wire::directory(locate, symbol, time) : wire::order_delete(locate, i, time);
    const auto partition = (routing::murmur2(symbol) & 0x7fffffffU) % kPartitions;
    constexpr std::int64_t kMidnight = 1'580'360'400'000;  // 2020-01-30 00:00 in New York
    expected[partition].push_back({symbol, message, kMidnight + static_cast<std::int64_t>(i), sequence});
    return message;
  }
};

struct Shape {
  codec::Transport transport;
  codec::Compression compression;
  codec::PayloadFormat payload;
};

class FeedMatrix : public ::testing::TestWithParam<std::tuple<codec::Transport, codec::Compression, codec::PayloadFormat, int>> {};

// Whatever the shape of the feed, the number of workers, the places where the input is cut and the moods of the
// producer: each partition gets exactly its messages, in order.
TEST_P(FeedMatrix, HandsOverExactlyTheFeedInOrder) {
  codec::Options codec;
  int workers = 0;
  std::tie(codec.transport, codec.compression, codec.payload, workers) = GetParam();
  std::mt19937_64 random{tests::seed()};
  const Script script{codec, random, 4000};
  FakeLane lane{kPartitions, random() | 1U};
  Rig rig{small(codec), lane, static_cast<std::size_t>(workers)};
  std::string_view rest = script.bytes;
  const std::size_t longest = 1 + random() % 5000;
  while (!rest.empty()) {
    const std::size_t n = std::min<std::size_t>(rest.size(), 1 + random() % longest);
    rig.write(rest.substr(0, n));
    rest.remove_prefix(n);
  }
  rig.await();
  ASSERT_FALSE(rig.failed()) << rig.problem().message;
  for (std::size_t p = 0; p < kPartitions; ++p) EXPECT_EQ(lane.taken[p], script.expected[p]) << "partition " << p;
  EXPECT_TRUE(lane.dead.empty());
  EXPECT_EQ(rig.count(FeedCounter::kMessagesReceived), rig.count(FeedCounter::kMessagesCommitted));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, FeedMatrix,
    ::testing::Combine(::testing::Values(codec::Transport::kSoupBinTcp, codec::Transport::kFrames),
                       ::testing::Values(codec::Compression::kNone, codec::Compression::kZlib,
                                         codec::Compression::kZlibAuto, codec::Compression::kZlibStream),
                       ::testing::Values(codec::PayloadFormat::kMessage, codec::PayloadFormat::kBlock,
                                         codec::PayloadFormat::kMoldUdp64),
                       ::testing::Values(1, 2, 4, 16)));

TEST(Feed, GoesOnByteByByte) {
  std::mt19937_64 random{tests::seed()};
  codec::Options codec;
  codec.payload = codec::PayloadFormat::kBlock;
  const Script script{codec, random, 300};
  FakeLane lane{kPartitions};
  Rig rig{small(codec), lane, 2};
  for (const char byte : script.bytes) rig.write({&byte, 1});
  rig.await();
  for (std::size_t p = 0; p < kPartitions; ++p) EXPECT_EQ(lane.taken[p], script.expected[p]);
}

TEST(Feed, TakesTheLargestPacketsWithinItsFixedMemory) {
  codec::Options codec;
  codec.payload = codec::PayloadFormat::kBlock;
  std::string payload;
  std::size_t n = 0;
  while (payload.size() + 21 < 65534) ++n, payload += wire::block(wire::order_delete(0, n, n));
  FakeLane lane{1};
  Rig rig{small(codec), lane, 2};
  rig.write(wire::accepted("S1", 1));
  for (int i = 0; i < 10; ++i) rig.write(wire::soup('S', payload));
  rig.await();
  ASSERT_EQ(lane.taken[0].size(), 10 * n);
  EXPECT_EQ(lane.taken[0].back().sequence, 10U);
}

TEST(Feed, StopsReadingWhenTheProducerIsFullAndGoesOnWhenThereIsRoom) {
  codec::Options codec;
  FakeLane lane{1};
  lane.set_room(0);
  Rig rig{small(codec), lane, 2};
  const std::string packet = wire::soup('S', wire::order_delete(0, 1, 1));
  rig.write(wire::accepted("S1", 1));
  const std::size_t before = rig.feed().ring().size() / packet.size();
  std::size_t written = 0;
  while (rig.feed().ring().writable().size() >= packet.size()) rig.write(packet), ++written;
  EXPECT_GE(written + 2, before - 2);
  EXPECT_FALSE(rig.feed().drained());
  lane.set_room(FakeLane::kUnlimited);
  lane.asked = 1;
  for (int i = 0; i < 1000; ++i) rig.write(packet), ++written;
  rig.await();
  EXPECT_EQ(lane.taken[0].size(), written);
}

// A lane with room for 3 records, and no more; then 10 packets.
void overflow(Rig& rig, FakeLane& lane) {
  lane.set_room(3);
  std::string packets = wire::accepted("S1", 1);
  for (std::uint64_t i = 1; i <= 10; ++i) packets += wire::soup('S', wire::order_delete(0, i, 1));
  rig.write(packets);
}

Committer::Settings when_full(sink::WhenFull what) {
  Committer::Settings settings;
  settings.when_full = what;
  settings.max_block = milliseconds{20};
  return settings;
}

TEST(Feed, StopsWith75WhenThereIsNoRoomForTooLongAndItWasToldTo) {
  FakeLane lane{1};
  Rig rig{small({}), lane, 2, when_full(sink::WhenFull::kStop)};
  overflow(rig, lane);
  rig.await();
  while (!rig.failed()) std::this_thread::yield();
  EXPECT_EQ(rig.problem().code, ExitCode::kUnacknowledged);
  EXPECT_NE(rig.problem().message.find("when_full = \"stop\""), std::string::npos) << rig.problem().message;
  EXPECT_EQ(lane.taken[0].size(), 3U);
}

TEST(Feed, DropsAndCountsWhenThereIsNoRoomForTooLongAndItWasToldTo) {
  FakeLane lane{1};
  Rig rig{small({}), lane, 2, when_full(sink::WhenFull::kDrop)};
  overflow(rig, lane);
  rig.await();
  EXPECT_EQ(lane.taken[0].size(), 3U);
  EXPECT_EQ(rig.count(FeedCounter::kDroppedFull), 7U);
  EXPECT_EQ(rig.count(FeedCounter::kMessagesReceived), 10U);
  lane.set_room(FakeLane::kUnlimited);
  rig.write(wire::soup('S', wire::order_delete(0, 11, 1)));
  rig.await();
  ASSERT_EQ(lane.taken[0].size(), 4U);
  EXPECT_EQ(lane.taken[0].back().sequence, 11U);
}

TEST(Feed, DeadLettersABadPacketWholeAndGoesOn) {
  codec::Options codec;
  codec.payload = codec::PayloadFormat::kBlock;
  FakeLane lane{1};
  Rig rig{small(codec), lane, 1};
  const std::string good = wire::block(wire::order_delete(0, 1, 1));
  rig.write(wire::accepted("S1", 1) + wire::soup('S', good) + wire::soup('S', good + "x") + wire::soup('S', good));
  rig.await();
  EXPECT_EQ(lane.taken[0].size(), 2U);
  ASSERT_EQ(lane.dead.size(), 1U);
  EXPECT_EQ(lane.dead[0].reason, codec::name(codec::Reason::kSplit));
  EXPECT_EQ(lane.dead[0].session, "S1");
  EXPECT_EQ(lane.dead[0].sequence, 2U);
  EXPECT_EQ(lane.dead[0].value, good + "x");
  EXPECT_EQ(lane.dead[0].full_size, 0U) << "it is not cut";
}

TEST(Feed, DropsRepeatsAfterALoginAnsweredLower) {
  FakeLane lane{1};
  Rig rig{small({}), lane, 1};
  const auto packet = [](std::uint64_t i) { return wire::soup('S', wire::order_delete(0, i, 1)); };
  rig.write(wire::accepted("S1", 1) + packet(1) + packet(2) + packet(3));
  rig.await();
  // The rig's scanner knows one connection: the second one's packets are published by hand.
  const std::string second = wire::accepted("S1", 2) + packet(2) + packet(3) + packet(4);
  std::copy_n(as_bytes(second).begin(), second.size(), rig.feed().ring().writable().begin());
  rig.feed().ring().wrote(second.size());
  rig.feed().ring().publish(second.size(), 8);
  rig.feed().announce();
  rig.await();
  ASSERT_EQ(lane.taken[0].size(), 4U);
  EXPECT_EQ(lane.taken[0][3].sequence, 4U);
  EXPECT_EQ(rig.count(FeedCounter::kSequenceRepeats), 2U);
  EXPECT_EQ(rig.count(FeedCounter::kDroppedRepeat), 2U);
}

// Publishes bytes as they are, in one go: the rig's scanner knows one connection.
void publish_as_is(Rig& rig, const std::string& bytes) {
  std::copy_n(as_bytes(bytes).begin(), bytes.size(), rig.feed().ring().writable().begin());
  rig.feed().ring().wrote(bytes.size());
  rig.feed().ring().publish(bytes.size(), 8);
  rig.feed().announce();
}

TEST(Feed, NamesTheSessionAndSequenceOfWhatCameBeforeALoginInTheSameTask) {
  FakeLane lane{1};
  Rig rig{small({}), lane, 1};
  const std::string good = wire::soup('S', wire::order_delete(0, 1, 1));
  const std::string bad = wire::soup('S', "D too short");
  publish_as_is(rig, wire::accepted("S1", 1) + good + bad + wire::soup('Z', "") + wire::accepted("S2", 1) + good);
  rig.await();
  ASSERT_EQ(lane.dead.size(), 1U);
  EXPECT_EQ(lane.dead[0].session, "S1");
  EXPECT_EQ(lane.dead[0].sequence, 2U);
  ASSERT_EQ(lane.taken[0].size(), 2U);
  EXPECT_EQ(lane.taken[0][0].sequence, 1U);
  EXPECT_EQ(lane.taken[0][1].sequence, 1U);
}

TEST(Feed, TellsOfASessionThatWasLeftBeforeItsEnd) {
  FakeLane lane{1};
  Rig rig{small({}), lane, 1};
  const std::string good = wire::soup('S', wire::order_delete(0, 1, 1));
  publish_as_is(rig, wire::accepted("S1", 1) + good + good + wire::accepted("S2", 1) + good);
  rig.await();
  ASSERT_EQ(lane.dead.size(), 1U);
  EXPECT_EQ(lane.dead[0].reason, "gap");
  EXPECT_EQ(lane.dead[0].session, "S1");
  EXPECT_EQ(lane.dead[0].sequence, 3U);
  EXPECT_EQ(rig.count(FeedCounter::kGaps), 1U);
  EXPECT_EQ(rig.count(FeedCounter::kMessagesDeadLettered), 1U);
  EXPECT_EQ(rig.count(FeedCounter::kGapLetters), 1U);
  EXPECT_EQ(lane.taken[0].size(), 3U);
}

class ASessionThatComesBack : public ::testing::Test {
 protected:
  /// S1, left before its end, another one, and S1 again.
  void run(Committer::Settings commit) {
    rig.emplace(small(codec), lane, 1, std::move(commit));
    const auto packet = [](std::uint64_t n) { return wire::soup('S', wire::order_delete(1, n, 0)); };
    publish_as_is(*rig, wire::accepted("S1", 1) + packet(1) + packet(2) + wire::accepted("S2", 1) + packet(3) +
                            wire::accepted("S1", 1) + packet(1));
  }
  codec::Options codec;
  FakeLane lane{kPartitions, 1};
  std::optional<Rig> rig;
};

TEST_F(ASessionThatComesBack, StopsAFeedThatWritesNothingTwice) {
  Committer::Settings commit;
  commit.resume.single = true;
  run(std::move(commit));
  while (!rig->failed()) std::this_thread::yield();
  EXPECT_EQ(rig->problem().code, ExitCode::kData);
  EXPECT_NE(rig->problem().message.find("--start 3"), std::string::npos) << rig->problem().message;
  EXPECT_EQ(rig->count(FeedCounter::kMessagesCommitted), 3U);
}

TEST_F(ASessionThatComesBack, IsWrittenAgainWhereSomeMayBeTwice) {
  run({});
  rig->await();
  EXPECT_FALSE(rig->failed());
  EXPECT_EQ(rig->count(FeedCounter::kMessagesCommitted), 4U);
}

TEST_F(ASessionThatComesBack, IsKnownToTheNextLife) {
  Committer::Settings commit;
  commit.resume.single = true;
  commit.resume.session = "S3";
  const std::int64_t today = TradingDay::create("2020-01-30", "America/New_York").value().midnight_ms(0);
  commit.resume.left = {{"S2", 7, today}, {"S1", 9, today}};
  run(std::move(commit));
  while (!rig->failed()) std::this_thread::yield();
  EXPECT_NE(rig->problem().message.find("session S1 has come back, which was left before its end, at sequence 9"), std::string::npos)
      << rig->problem().message;
  EXPECT_EQ(rig->count(FeedCounter::kMessagesCommitted), 0U);
}

TEST(Feed, CountsARepeatedMoldPacketOnce) {
  codec::Options codec;
  codec.payload = codec::PayloadFormat::kMoldUdp64;
  FakeLane lane{1};
  Rig rig{small(codec), lane, 1};
  const auto packet = [](std::uint64_t i) {
    return wire::soup('S', wire::mold("M1", i, 1, wire::block(wire::order_delete(0, i, 1))));
  };
  publish_as_is(rig, wire::accepted("S1", 1) + packet(1) + packet(2));
  publish_as_is(rig, wire::accepted("S1", 1) + packet(1) + packet(2) + packet(3));
  rig.await();
  EXPECT_EQ(lane.taken[0].size(), 3U);
  EXPECT_EQ(rig.count(FeedCounter::kSequenceRepeats), 2U);
  EXPECT_EQ(rig.count(FeedCounter::kDroppedRepeat), 2U);
}

TEST(Feed, CutsADeadLetterToWhatItsTopicTakesAndSaysSo) {
  codec::Options codec;
  codec.protocol = "raw";
  FakeLane lane{1};
  Rig rig{small(codec), lane, 1};
  publish_as_is(rig, wire::accepted("S1", 1) + wire::soup('S', std::string(2000, 'x')));
  rig.await();
  ASSERT_EQ(lane.dead.size(), 1U);
  EXPECT_EQ(lane.dead[0].reason, codec::name(codec::Reason::kTooLarge));
  EXPECT_EQ(lane.dead[0].value, std::string(lane.dead_letter_max_bytes(), 'x'));
  EXPECT_EQ(lane.dead[0].full_size, 2000U);
}

TEST(Feed, TakesAnAnswerOfAnotherSessionThanTheConfiguredOneFromItsBeginning) {
  FakeLane lane{1};
  Committer::Settings commit;
  commit.resume.session = "S1";
  commit.resume.next_sequence = 500;
  Rig rig{small({}), lane, 1, commit};
  publish_as_is(rig, wire::accepted("S2", 1) + wire::soup('S', wire::order_delete(0, 1, 1)));
  rig.await();
  EXPECT_EQ(lane.taken[0].size(), 1U);
  EXPECT_EQ(rig.count(FeedCounter::kSessionChanges), 1U);
}

// Decode goes on beside a commit of many tasks: each one that is retired is free for a parked worker.
TEST(Feed, CallsAWorkerForEachTaskThatComesFreeWhileCommitGoesOn) {
  ring::Parking parking;
  metrics::FeedMetrics metrics{"test"};
  FakeLane lane{1};
  lane.set_room(0);
  Feed::Settings settings = small({});
  auto feed = Feed::create(std::move(settings), parking, metrics, {.on_space = [] {}, .on_scan = {}, .on_failed = {}}).value();
  feed->attach({}, TradingDay::create("2020-01-30", "America/New_York").value(), {}, lane);
  std::string bytes = wire::accepted("S1", 1);
  while (bytes.size() < 30'000) bytes += wire::soup('S', wire::order_delete(0, 1, 1));
  for (std::size_t at = 0; at < bytes.size();) {  // several tasks, more than the feed has
    const std::size_t n = std::min<std::size_t>(bytes.size() - at, at == 0 ? 33 + 22 * 180 : 22 * 180);
    std::copy_n(as_bytes(bytes).begin() + static_cast<std::ptrdiff_t>(at), n, feed->ring().writable().begin());
    feed->ring().wrote(n);
    feed->ring().publish(n, 1);
    at += n;
  }
  while (feed->work()) {
  }
  ASSERT_TRUE(feed->has_work() == false && feed->ring().has_unclaimed());  // all its tasks wait for room
  lane.set_room(FakeLane::kUnlimited);
  feed->kick();
  const auto ticket = parking.ticket();
  parking.stay();
  std::vector<bool> called;
  lane.before_hand_over = [&] {
    called.push_back(parking.ticket() != ticket);
    parking.stay();
  };
  ASSERT_TRUE(feed->work());
  ASSERT_GE(called.size(), 2U);
  EXPECT_FALSE(called[0]);
  EXPECT_TRUE(called[1]);
}

TEST(Feed, StandsAtABarrierWheneverATransactionIsFull) {
  constexpr std::uint64_t kMost = 500;
  ring::Parking parking;
  metrics::FeedMetrics metrics{"test"};
  FakeLane lane{1};
  std::vector<std::size_t> transactions;
  std::size_t before = 0;
  bool standing = false;
  auto feed = Feed::create(small({}), parking, metrics,
                           {.on_space = [] {}, .on_scan = {}, .on_failed = {}, .on_mark = {},
                            .on_barrier = [&](const Barrier& barrier) {
                              EXPECT_EQ(barrier.kind, Barrier::Kind::kDrain);
                              transactions.push_back(lane.taken[0].size() - before);
                              before = lane.taken[0].size();
                              standing = true;
                            }}).value();
  Committer::Settings commit;
  commit.transaction_messages = kMost;
  feed->attach(std::move(commit), TradingDay::create("2020-01-30", "America/New_York").value(), {}, lane);
  const auto write = [&](const std::string& bytes) {
    std::copy_n(as_bytes(bytes).begin(), bytes.size(), feed->ring().writable().begin());
    feed->ring().wrote(bytes.size());
    feed->ring().publish(bytes.size(), 1);
    while (feed->work()) {
    }
  };
  write(wire::accepted("S1", 1));
  std::string packets;
  for (int i = 0; i < 40; ++i) packets += wire::soup('S', wire::order_delete(0, 1, 1));
  for (int i = 0; i < 100; ++i) {
    write(packets);
    const std::size_t stood = lane.taken[0].size();
    if (!std::exchange(standing, false)) continue;
    write(packets);
    EXPECT_EQ(lane.taken[0].size(), stood) << "handed over at a barrier";
    feed->pass_barrier();
    while (feed->work()) {
    }
  }
  ASSERT_GE(transactions.size(), 8U);
  for (const std::size_t count : transactions) {
    EXPECT_GE(count, kMost);
    EXPECT_LT(count, kMost + 200);  // a task more at most
  }
}

TEST(Feed, TellsNothingThatWasLearntInTheSessionBefore) {
  ring::Parking parking;
  metrics::FeedMetrics metrics{"test"};
  FakeLane lane{1};
  std::vector<Barrier> barriers;
  auto feed = Feed::create(small({}), parking, metrics,
                           {.on_space = [] {}, .on_scan = {}, .on_failed = {}, .on_mark = {},
                            .on_barrier = [&](Barrier barrier) { barriers.push_back(std::move(barrier)); }}).value();
  Committer::Settings commit;
  commit.resume.journaled = true;
  feed->attach(std::move(commit), TradingDay::create("2020-01-30", "America/New_York").value(), {}, lane);
  const auto session = [&](const std::string& name) {
    const std::string bytes = wire::accepted(name, 1) + wire::soup('S', wire::order_delete(7, 1, 1));
    std::copy_n(as_bytes(bytes).begin(), bytes.size(), feed->ring().writable().begin());
    feed->ring().wrote(bytes.size());
    feed->ring().publish(bytes.size(), 1);
    while (feed->work()) {
    }
    feed->pass_barrier();
    while (feed->work()) {
    }
  };
  session("S1");
  session("S2");
  ASSERT_EQ(barriers.size(), 2U);
  EXPECT_EQ(barriers[1].kind, Barrier::Kind::kSession);
  EXPECT_EQ(barriers[1].report.session, "S2");
  EXPECT_TRUE(barriers[1].report.learnt.empty()) << "#7 of the session before";
}

/// A feed that aligns one partition, worked by hand: packet n of a session is one delete of order n.
class Aligning {
 public:
  explicit Aligning(Resume resume, FeedPolicies policies = {}) {
    feed_ = Feed::create(small({}), parking_, metrics_,
                         {.on_space = [] {}, .on_scan = {}, .on_failed = [this](const Error& e) { problem = e.message; },
                          .on_mark = [this](const MarkReport& report) { take(report); },
                          .on_barrier = [this](Barrier barrier) {
                            take(barrier.report);
                            barriers.push_back(std::move(barrier));
                          }}).value();
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

constexpr std::uint64_t kForeign = 1'000'000;

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

TEST(Feed, CountsAGapAndGoesOn) {
  FakeLane lane{1};
  Rig rig{small({}), lane, 1};
  rig.write(wire::accepted("S1", 5) + wire::soup('S', wire::order_delete(0, 1, 1)));
  rig.await();
  EXPECT_EQ(rig.count(FeedCounter::kGaps), 1U);
  EXPECT_EQ(rig.count(FeedCounter::kMessagesMissing), 4U);
  ASSERT_EQ(lane.taken[0].size(), 1U);
  EXPECT_EQ(lane.taken[0][0].sequence, 5U);
}

TEST(Feed, StopsAtAGapWhenToldTo) {
  FakeLane lane{1};
  Committer::Settings commit;
  commit.policies.on_gap = OnGap::kStop;
  Rig rig{small({}), lane, 1, commit};
  rig.write(wire::accepted("S1", 5) + wire::soup('S', wire::order_delete(0, 1, 1)));
  while (!rig.failed()) std::this_thread::yield();
  EXPECT_EQ(rig.problem().code, ExitCode::kData);
  EXPECT_TRUE(lane.taken[0].empty());
}

TEST(Feed, StopsAtAnInvalidMessageWhenToldToAfterWhatCameBefore) {
  FakeLane lane{1};
  Committer::Settings commit;
  commit.policies.on_invalid = OnInvalid::kStop;
  Rig rig{small({}), lane, 1, commit};
  const std::string good = wire::soup('S', wire::order_delete(0, 1, 1));
  rig.write(wire::accepted("S1", 1) + good + wire::soup('S', "D too short") + good);
  while (!rig.failed()) std::this_thread::yield();
  EXPECT_EQ(rig.problem().code, ExitCode::kData);
  EXPECT_EQ(lane.taken[0].size(), 1U);
}

TEST(Feed, FollowsMoldSequencesThroughRepeatsAndGaps) {
  codec::Options codec;
  codec.transport = codec::Transport::kFrames;
  codec.payload = codec::PayloadFormat::kMoldUdp64;
  FakeLane lane{1};
  Rig rig{small(codec), lane, 1};
  const auto packet = [](std::uint64_t first, std::uint16_t count) {
    std::string blocks;
    for (std::uint64_t i = first; i < first + count; ++i) blocks += wire::block(wire::order_delete(0, i, 1));
    return wire::block(wire::mold("M1", first, count, blocks));
  };
  rig.write(packet(1, 3) + packet(2, 4) + wire::block(wire::mold("M1", 6, 0, "")) + packet(9, 2));
  rig.await();
  std::vector<std::string> values;
  for (const auto& taken : lane.taken[0]) values.push_back(taken.value.substr(11));
  std::vector<std::string> expected;
  for (const std::uint64_t i : {1U, 2U, 3U, 4U, 5U, 9U, 10U}) expected.push_back(wire::be(i));
  EXPECT_EQ(values, expected);
  EXPECT_EQ(rig.count(FeedCounter::kDroppedRepeat), 2U);
  EXPECT_EQ(rig.count(FeedCounter::kGaps), 1U);
  EXPECT_EQ(rig.count(FeedCounter::kMessagesMissing), 3U);
}

TEST(Feed, TriesADecodeAgainWhenTheEnvironmentFails) {
  FakeLane lane{1};
  std::atomic<int> failures{2};
  Feed::Settings settings = small({});
  settings.before_decode = [&failures] {
    if (failures.fetch_sub(1) > 0) throw std::bad_alloc{};
  };
  Rig rig{std::move(settings), lane, 1};
  rig.write(wire::accepted("S1", 1) + wire::soup('S', wire::order_delete(0, 1, 1)));
  rig.await();
  EXPECT_FALSE(rig.failed());
  EXPECT_EQ(lane.taken[0].size(), 1U);
  EXPECT_EQ(rig.count(FeedCounter::kDecodeRetries), 2U);
}

TEST(Feed, StopsWith70WhenTheEnvironmentGoesOnFailingAndTheThreadLives) {
  FakeLane lane{1};
  Feed::Settings settings = small({});
  settings.before_decode = [] { throw std::bad_alloc{}; };
  Rig rig{std::move(settings), lane, 1};
  rig.write(wire::accepted("S1", 1) + wire::soup('S', wire::order_delete(0, 1, 1)));
  while (!rig.failed()) std::this_thread::yield();
  EXPECT_EQ(rig.problem().code, ExitCode::kInternal);
  EXPECT_TRUE(rig.feed().drained());
}

}  // namespace
}  // namespace tickbridge::pipeline
