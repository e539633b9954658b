#include "ring/byte_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "ring/flag.h"
#include "support/seed.h"

namespace tickbridge::ring {
namespace {

ByteRing make(std::size_t bytes, std::size_t spacing = 1024) {
  return std::move(ByteRing::create(bytes, spacing).value());
}

void write(ByteRing& ring, std::size_t n, std::byte fill = std::byte{1}) {
  ASSERT_GE(ring.writable().size(), n);
  std::fill_n(ring.writable().begin(), n, fill);
  ring.wrote(n);
}

TEST(ByteRing, IsFreeAtFirstAndRoundsItsSizeUp) {
  ByteRing ring = make(5000);
  EXPECT_EQ(ring.size(), 8192U);
  EXPECT_EQ(ring.writable().size(), 8192U);
  EXPECT_FALSE(ring.has_unclaimed());
  EXPECT_EQ(ring.claim(100).size(), 0U);
}

TEST(ByteRing, IsContiguousOverItsEnd) {
  ByteRing ring = make(4096);
  for (int round = 0; round < 10; ++round) {
    write(ring, 3000, std::byte(round));
    ring.publish(3000, round);
    const Claim claim = ring.claim(4096);
    ASSERT_EQ(claim.size(), 3000U);
    const Bytes bytes = ring.bytes(claim.begin, claim.end);
    EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(), [round](std::byte b) { return b == std::byte(round); }));
    EXPECT_EQ(claim.received_ns, round);
    EXPECT_FALSE(ring.release(claim.end));
  }
}

TEST(ByteRing, AClaimKnowsWhenItsFirstByteArrived) {
  ByteRing ring = make(8192);
  const auto add = [&](std::size_t n, std::int64_t at) {
    write(ring, n);
    ring.publish(n, at);
  };
  add(100, 10);
  add(100, 20);
  Claim claim = ring.claim(8192);
  EXPECT_EQ(claim.arrived_ns, 10);
  EXPECT_EQ(claim.received_ns, 20);
  EXPECT_EQ(ring.claim(8192).size(), 0U) << "and changes nothing";
  add(100, 1000);
  EXPECT_EQ(ring.claim(8192).arrived_ns, 1000) << "not when the one before ended";
  add(1024, 2000);
  add(1024, 3000);
  EXPECT_EQ(ring.claim(1024).arrived_ns, 2000);
  claim = ring.claim(1024);
  EXPECT_EQ(claim.arrived_ns, 2000) << "with a backlog: when the byte before it arrived";
  EXPECT_EQ(claim.received_ns, 3000);
}

TEST(ByteRing, ShowsOnlyWhatIsPublished) {
  ByteRing ring = make(4096);
  write(ring, 100);
  EXPECT_EQ(ring.unpublished().size(), 100U);
  EXPECT_FALSE(ring.has_unclaimed());
  ring.publish(60, 1);
  EXPECT_EQ(ring.unpublished().size(), 40U);
  EXPECT_EQ(ring.claim(4096).size(), 60U);
  ring.discard_unpublished();
  EXPECT_EQ(ring.unpublished().size(), 0U);
}

TEST(ByteRing, CutsALongBacklogIntoClaims) {
  ByteRing ring = make(1 << 16U, 1000);
  for (int i = 0; i < 60; ++i) {
    write(ring, 700);
    ring.publish(700, i);
  }
  std::uint64_t at = 0;
  int claims = 0;
  while (ring.has_unclaimed()) {
    const Claim claim = ring.claim(4000);
    EXPECT_EQ(claim.begin, at);
    EXPECT_LE(claim.size(), 4000U);
    EXPECT_GT(claim.size(), 0U);
    EXPECT_EQ(claim.size() % 700, 0U);
    at = claim.end;
    ++claims;
  }
  EXPECT_EQ(at, 60U * 700U);
  EXPECT_LE(claims, 16);
}

TEST(ByteRing, GivesAPacketLargerThanAClaimWhole) {
  ByteRing ring = make(1 << 16U, 1000);
  write(ring, 20000);
  ring.publish(20000, 1);
  write(ring, 100);
  ring.publish(100, 2);
  EXPECT_EQ(ring.claim(4000).size(), 20000U);
  EXPECT_EQ(ring.claim(4000).size(), 100U);
}

TEST(ByteRing, TellsWhoReleasesThatTheWriterWaits) {
  ByteRing ring = make(4096);
  EXPECT_TRUE(ring.wait_for_space(4096));
  write(ring, 4096);
  ring.publish(4096, 1);
  EXPECT_EQ(ring.writable().size(), 0U);
  EXPECT_FALSE(ring.wait_for_space(1000));
  static_cast<void>(ring.claim(4096));
  EXPECT_FALSE(ring.release(500)) << "not enough yet";
  EXPECT_TRUE(ring.release(1200));
  EXPECT_FALSE(ring.release(1300)) << "told once";
  EXPECT_EQ(ring.writable().size(), 1300U);
}

// One writer, several claimers, releases in claim order: every byte comes through once, in order, although the ring is
// small, writes have any size, and the writer sleeps whenever the ring is full.
TEST(ByteRingStress, CarriesEveryByteInOrder) {
  std::mt19937_64 random{tests::seed()};
  ByteRing ring = make(1 << 14U, 512);
  constexpr std::uint64_t kTotal = 4 << 20U;
  std::atomic<std::uint32_t> wake{0};
  std::atomic<bool> wrong{false};
  TryFlag claiming;
  std::atomic<std::uint64_t> turn{0};  // the position whose release is next

  const auto reader = [&] {
    while (turn.load() != kTotal && !wrong) {
      if (!ring.has_unclaimed() || !claiming.try_hold()) {
        std::this_thread::yield();
        continue;
      }
      const Claim claim = ring.claim(2048);
      claiming.release();
      if (claim.size() == 0) continue;
      const Bytes bytes = ring.bytes(claim.begin, claim.end);
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] != static_cast<std::byte>((claim.begin + i) * 131U >> 3U)) wrong = true;
      }
      while (turn.load() != claim.begin && !wrong) std::this_thread::yield();
      if (ring.release(claim.end)) {
        wake.fetch_add(1);
        wake.notify_one();
      }
      turn = claim.end;
    }
  };
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back(reader);

  for (std::uint64_t at = 0; at < kTotal && !wrong;) {
    const std::size_t n = std::min<std::uint64_t>(1 + random() % 3000, kTotal - at);
    std::uint32_t seen = wake.load();
    while (ring.writable().size() < n) {
      if (!ring.wait_for_space(n)) wake.wait(seen);
      seen = wake.load();
    }
    for (std::size_t i = 0; i < n; ++i)
      ring.writable()[0] = static_cast<std::byte>((at + i) * 131U >> 3U), ring.wrote(1);
    ring.publish(n, static_cast<std::int64_t>(at));
    at += n;
  }
  readers.clear();
  EXPECT_FALSE(wrong);
  EXPECT_EQ(turn.load(), kTotal);
  EXPECT_TRUE(ring.drained());
}

}  // namespace
}  // namespace tickbridge::ring
