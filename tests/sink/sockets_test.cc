#include "sink/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace tickbridge::sink {
namespace {

/// A process that has written more than the other side has taken, and is killed.
struct Victim {
  pid_t process = -1;
  int reader = -1;           ///< the connection's other end
  std::int64_t written = 0;  ///< bytes, into the kernel
};

std::int64_t fill(int descriptor) {
  std::array<char, 65536> junk{};
  fcntl(descriptor, F_SETFL, O_NONBLOCK);
  std::int64_t written = 0;
  for (ssize_t part = 0; (part = send(descriptor, junk.data(), junk.size(), MSG_NOSIGNAL)) > 0;) written += part;
  return written;
}

Victim kill_while_sending(int descriptor) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int small = 4096;
  setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(listener, 1), 0);
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::array<int, 2> told{};
  EXPECT_EQ(pipe(told.data()), 0);
  Victim victim;
  victim.process = fork();
  if (victim.process == 0) {
    if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) _exit(1);
    const std::int64_t written = fill(descriptor);
    (void)!write(told[1], &written, sizeof written);
    pause();
    _exit(0);
  }
  close(descriptor);
  victim.reader = accept(listener, nullptr, nullptr);
  EXPECT_EQ(read(told[0], &victim.written, sizeof victim.written), static_cast<ssize_t>(sizeof victim.written));
  kill(victim.process, SIGKILL);
  waitpid(victim.process, nullptr, 0);
  for (const int one : {listener, told[0], told[1]}) close(one);
  return victim;
}

/// Bytes that still arrive; errno says how it ended.
std::int64_t drain(int reader) {
  std::array<char, 65536> junk{};
  std::int64_t arrived = 0;
  errno = 0;
  for (ssize_t part = 0; (part = read(reader, junk.data(), junk.size())) > 0;) arrived += part;
  close(reader);
  return arrived;
}

TEST(Sockets, WhatAKilledProcessHadWrittenIsNotSentAnyMore) {
  const Victim victim = kill_while_sending(resetting_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr));
  ASSERT_GT(victim.written, 0);
  EXPECT_LT(drain(victim.reader), victim.written);
}

TEST(Sockets, AnOrdinarySocketSendsItAll) {
  const Victim victim = kill_while_sending(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
  ASSERT_GT(victim.written, 0);
  EXPECT_EQ(drain(victim.reader), victim.written) << "the test above proves nothing then";
}

}  // namespace
}  // namespace tickbridge::sink
