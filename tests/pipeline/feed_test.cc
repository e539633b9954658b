#include "pipeline/feed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <thread>

#include "pipeline/rig.h"
#include "routing/partitioner.h"
#include "support/seed.h"

namespace tickbridge::pipeline {
namespace {

namespace wire = tests::wire;
using metrics::FeedCounter;
using tests::FakeLane;
using tests::publish_as_is;
using tests::Rig;
using tests::small;

constexpr std::int32_t kPartitions = 5;

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
      if (codec.transport == codec::Transport::kSoupBinTcp && random() % 50 == 0)
        bytes += wire::soup("+HU"[random() % 3]);
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

class FeedMatrix
    : public ::testing::TestWithParam<std::tuple<codec::Transport, codec::Compression, codec::PayloadFormat, int>> {};

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

// Decode goes on beside a commit of many tasks: each one that is retired is free for a parked worker.
TEST(Feed, CallsAWorkerForEachTaskThatComesFreeWhileCommitGoesOn) {
  ring::Parking parking;
  metrics::FeedMetrics metrics{"test"};
  FakeLane lane{1};
  lane.set_room(0);
  Feed::Settings settings = small({});
  auto feed =
      Feed::create(std::move(settings), parking, metrics, {.on_space = [] {}, .on_scan = {}, .on_failed = {}}).value();
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

// A wake-up costs more than a small task; a large one would keep the reader from reading.
TEST(Feed, TheReaderDoesASmallTaskWhenAllWorkersSleep) {
  ring::Parking parking;
  metrics::FeedMetrics metrics{"test"};
  FakeLane lane{1};
  auto feed = Feed::create(small({}), parking, metrics, {.on_space = [] {}, .on_scan = {}, .on_failed = {}}).value();
  feed->attach({}, TradingDay::create("2020-01-30", "America/New_York").value(), {}, lane);
  const auto announce = [&](const std::string& bytes) {
    std::copy_n(as_bytes(bytes).begin(), bytes.size(), feed->ring().writable().begin());
    feed->ring().wrote(bytes.size());
    feed->ring().publish(bytes.size(), 1);
    feed->announce();
  };
  announce(wire::accepted("S1", 1) + wire::soup('S', wire::order_delete(0, 1, 1)));
  EXPECT_TRUE(lane.taken[0].empty()) << "a worker is awake";
  while (feed->work()) {
  }
  EXPECT_EQ(lane.taken[0].size(), 1U);

  const ring::Parking::Ticket ticket = parking.ticket();  // now it sleeps
  announce(wire::soup('S', wire::order_delete(0, 1, 2)));
  EXPECT_EQ(lane.taken[0].size(), 2U);
  EXPECT_EQ(parking.ticket(), ticket) << "nobody was woken";
  parking.stay();

  std::string large;
  while (large.size() < 17'000) large += wire::soup('S', wire::order_delete(0, 1, 3));
  announce(large);
  EXPECT_EQ(lane.taken[0].size(), 2U);
  EXPECT_NE(parking.ticket(), ticket);
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
                           {.on_space = [] {},
                            .on_scan = {},
                            .on_failed = {},
                            .on_mark = {},
                            .on_barrier =
                                [&](const Barrier& barrier) {
                                  EXPECT_EQ(barrier.kind, Barrier::Kind::kDrain);
                                  transactions.push_back(lane.taken[0].size() - before);
                                  before = lane.taken[0].size();
                                  standing = true;
                                }})
                  .value();
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
