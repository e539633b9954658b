#include "net/arrival.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/clock.h"

namespace tickbridge::net {
namespace {

constexpr std::int64_t kMs = 1'000'000;

std::int64_t awake = 0;
std::int64_t told_awake() noexcept { return awake; }

SocketRead emptying(std::int64_t began_ns, std::int64_t newest_ns) {
  return {.size = 100, .emptied = true, .began_ns = began_ns, .newest_ns = newest_ns};
}
SocketRead full(std::size_t size, std::int64_t began_ns, std::int64_t newest_ns) {
  return {.size = size, .began_ns = began_ns, .newest_ns = newest_ns};
}

class Arrivals : public ::testing::Test {
 protected:
  Arrivals() { awake = 0; }
  std::int64_t take(const SocketRead& read, bool one_packet = false) {
    const std::int64_t oldest = arrival_.oldest(read, one_packet);
    arrival_.seen(read);
    return oldest;
  }
  Arrival arrival_{told_awake};
};

TEST_F(Arrivals, OnePacketArrivedWhenTheKernelSays) {
  arrival_.connected(10 * kMs);
  EXPECT_EQ(take(emptying(90 * kMs, 89 * kMs), true), 89 * kMs);
}

TEST_F(Arrivals, SeveralMayHavePiledUpSinceTheSocketWasEmpty) {
  arrival_.connected(10 * kMs);
  EXPECT_EQ(take(emptying(10 * kMs + 15'000, 10 * kMs + 14'000)), 10 * kMs);
  EXPECT_EQ(take(emptying(10 * kMs + 30'000, 10 * kMs + 29'000)), 10 * kMs + 15'000) << "just before it was emptied";
  arrival_.seen({.error = EAGAIN, .emptied = true, .began_ns = 11 * kMs});
  EXPECT_EQ(take(emptying(11 * kMs + 9'000, 11 * kMs + 8'000)), 11 * kMs) << "or seen empty";
}

TEST_F(Arrivals, AfterAQuietTimeTheFirstByteWokeTheThread) {
  arrival_.connected(0);
  take(emptying(1000 * kMs, 1000 * kMs));  // from here on it is known how long the thread was awake
  awake += 7 * kMs;                        // it ran, and waited for a core
  EXPECT_EQ(take(emptying(2000 * kMs, 2000 * kMs)), 1993 * kMs);
  EXPECT_EQ(take(emptying(3000 * kMs, 2999 * kMs)), 2999 * kMs) << "never later than the newest";
}

TEST_F(Arrivals, WithoutTheKernelsFiguresAQuietTimeCountsWhole) {
  arrival_.connected(0);
  awake = -1;
  take(emptying(1000 * kMs, 1000 * kMs));
  EXPECT_EQ(take(emptying(2000 * kMs, 2000 * kMs)), 1000 * kMs);
}

TEST_F(Arrivals, WhatFillsTheReadsArrivedAfterWhatWasReadAMebibyteBefore) {
  constexpr std::size_t kHalf = std::size_t{512} << 10U;
  arrival_.connected(10);
  EXPECT_EQ(take(full(kHalf, 1000, 900)), 10);
  EXPECT_EQ(take(full(kHalf, 2000, 1900)), 10);
  EXPECT_EQ(take(full(kHalf, 3000, 2900)), 10);
  EXPECT_EQ(take(full(kHalf, 4000, 3900)), 10);
  EXPECT_EQ(take(full(kHalf, 5000, 4900)), 1900);
}

/// Both ends of a connection.
class Connection {
 public:
  Connection() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener, any, size), 0);
    EXPECT_EQ(::listen(listener, 1), 0);
    ::getsockname(listener, any, &size);
    far = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(far, any, size), 0);
    near = ::accept(listener, nullptr, nullptr);
    ::close(listener);
  }
  ~Connection() {
    ::close(far);
    ::close(near);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  int far = -1, near = -1;
};

TEST(ReadStamped, TellsWhatIsThereAndWhenItArrived) {
  const Connection connection;
  std::array<std::byte, 8> room{};
  stamp_arrivals(connection.near);
  EXPECT_EQ(read_stamped(connection.near, room).error, EAGAIN);

  const std::int64_t before = wall_nanoseconds();
  ASSERT_EQ(::send(connection.far, "abcdefghij", 10, 0), 10);
  SocketRead read = read_stamped(connection.near, room);
  EXPECT_EQ(read.size, 8U);
  EXPECT_FALSE(read.emptied);
  EXPECT_EQ(room[7], std::byte{'h'});
  EXPECT_GE(read.began_ns, before);
  EXPECT_GE(read.newest_ns, before);
  EXPECT_LE(read.newest_ns, wall_nanoseconds());
  read = read_stamped(connection.near, room);
  EXPECT_EQ(read.size, 2U);
  EXPECT_TRUE(read.emptied);

  ::shutdown(connection.far, SHUT_WR);
  read = read_stamped(connection.near, room);
  EXPECT_EQ(read.size, 0U);
  EXPECT_EQ(read.error, 0) << "the other side has closed";
}

TEST(Awake, GrowsWithTheThreadsWork) {
  const std::int64_t before = awake_ns();
  while (wall_nanoseconds() % kMs < kMs / 2) {
  }
  while (wall_nanoseconds() % kMs >= kMs / 2) {
  }
  EXPECT_TRUE(before == -1 || awake_ns() > before);
}

}  // namespace
}  // namespace tickbridge::net
