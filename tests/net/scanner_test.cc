#include "net/scanner.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "pipeline/wire.h"
#include "support/seed.h"

namespace tickbridge::net {
namespace {

namespace wire = tests::wire;
using Stop = Scan::Stop;

const std::string kAccepted = wire::accepted("S1", 7);

Scan scan(PacketScanner& scanner, std::string_view bytes) { return scanner.scan(as_bytes(bytes)); }

/// A scanner behind the login's answer.
PacketScanner logged_in() {
  PacketScanner scanner{{}};
  EXPECT_EQ(scan(scanner, kAccepted).stop, Stop::kAccepted);
  return scanner;
}
void expect_broken(PacketScanner scanner, std::string_view bytes) {
  const std::string good = wire::soup('H');
  const Scan found = scan(scanner, good + std::string{bytes});
  EXPECT_EQ(found.stop, Stop::kBroken);
  EXPECT_EQ(found.whole, good.size()) << "what came before is sound";
  ASSERT_NE(found.problem, nullptr);
}

TEST(PacketScanner, StopsBehindTheLoginsAnswer) {
  PacketScanner scanner{{}};
  const std::string bytes = kAccepted + wire::soup('S', "one");
  const Scan found = scan(scanner, bytes);
  EXPECT_EQ(found.stop, Stop::kAccepted);
  EXPECT_EQ(found.whole, kAccepted.size());
  EXPECT_EQ(found.accepted.session, "S1");
  EXPECT_EQ(found.accepted.sequence, 7U);
  EXPECT_EQ(found.sequenced, 0U);
  const Scan next = scan(scanner, bytes.substr(found.whole));
  EXPECT_EQ(next.stop, Stop::kMore);
  EXPECT_EQ(next.sequenced, 1U);
}

TEST(PacketScanner, StopsBehindARejection) {
  PacketScanner scanner{{}};
  const Scan found = scan(scanner, wire::soup('J', "S") + "whatever");
  EXPECT_EQ(found.stop, Stop::kRejected);
  EXPECT_EQ(found.rejection, 'S');
  EXPECT_EQ(found.whole, 4U);
}

TEST(PacketScanner, StopsBehindTheEndOfTheSession) {
  PacketScanner scanner = logged_in();
  const Scan found = scan(scanner, wire::soup('S', "one") + wire::soup('Z') + wire::soup('S', "two"));
  EXPECT_EQ(found.stop, Stop::kEnded);
  EXPECT_EQ(found.sequenced, 1U);
  EXPECT_EQ(found.whole, 9U);
}

TEST(PacketScanner, CountsSequencedPacketsAndThoseThatCarryNothing) {
  PacketScanner scanner = logged_in();
  const std::string bytes = wire::soup('S', "one") + wire::soup('+', "debug") + wire::soup('S') + wire::soup('H') +
                            wire::soup('U', "unsequenced") + wire::soup('S', "three");
  const Scan found = scan(scanner, bytes);
  EXPECT_EQ(found.stop, Stop::kMore);
  EXPECT_EQ(found.whole, bytes.size());
  EXPECT_EQ(found.sequenced, 3U);
  EXPECT_EQ(found.ignored, 2U);
}

TEST(PacketScanner, TakesDebugAndHeartbeatsBeforeTheLoginsAnswer) {
  PacketScanner scanner{{}};
  const std::string before = wire::soup('+', "hello") + wire::soup('H');
  const Scan found = scan(scanner, before + kAccepted);
  EXPECT_EQ(found.stop, Stop::kAccepted);
  EXPECT_EQ(found.whole, before.size() + kAccepted.size());
}

TEST(PacketScanner, WaitsForTheRestOfAPacket) {
  PacketScanner scanner = logged_in();
  const std::string packet = wire::soup('S', "payload");
  for (std::size_t size = 0; size < packet.size(); ++size) {
    const Scan found = scan(scanner, packet + packet.substr(0, size));
    EXPECT_EQ(found.stop, Stop::kMore);
    EXPECT_EQ(found.whole, packet.size());
    EXPECT_EQ(found.sequenced, 1U);
  }
}

TEST(PacketScanner, IsBrokenByDataBeforeTheLoginsAnswer) {
  expect_broken(PacketScanner{{}}, wire::soup('S', "one"));
  expect_broken(PacketScanner{{}}, wire::soup('Z'));
}

TEST(PacketScanner, IsBrokenByASecondAnswer) {
  expect_broken(logged_in(), kAccepted);
  expect_broken(logged_in(), wire::soup('J', "A"));
}

TEST(PacketScanner, IsBrokenByAnAnswerThatSaysNothing) {
  expect_broken(PacketScanner{{}}, wire::soup('A', "S1"));
  expect_broken(PacketScanner{{}}, wire::soup('A', std::string(30, 'x')));
  expect_broken(PacketScanner{{}}, wire::soup('J'));
  expect_broken(PacketScanner{{}}, wire::soup('J', "AA"));
}

TEST(PacketScanner, IsBrokenByLengthZeroAndByTypesNoServerSends) {
  expect_broken(logged_in(), std::string_view{"\0\0", 2});
  for (const char type : {'L', 'R', 'O', 's', '\0', '\xFF'}) {
    expect_broken(logged_in(), wire::soup(type, "x"));
    expect_broken(PacketScanner{{}}, wire::soup(type, "x"));
  }
}

TEST(PacketScanner, BeginsWithALoginAgainOnEachConnection) {
  PacketScanner scanner = logged_in();
  scanner.connected();
  EXPECT_EQ(scan(scanner, kAccepted).stop, Stop::kAccepted);
}

TEST(PacketScanner, NeedsNoLoginInFrames) {
  codec::Options options;
  options.transport = codec::Transport::kFrames;
  PacketScanner scanner{options};
  const Scan found = scan(scanner, wire::block("A") + wire::block("") + wire::block("Z") + std::string{"\0\5x", 3});
  EXPECT_EQ(found.stop, Stop::kMore);
  EXPECT_EQ(found.sequenced, 3U) << "all packets are";
  EXPECT_EQ(found.whole, 8U);
}

TEST(PacketScanner, IsBrokenByAFrameThatCannotBe) {
  codec::Options options;
  options.transport = codec::Transport::kFrames;
  options.frames.max_packet_bytes = 16;
  PacketScanner scanner{options};
  const Scan found = scan(scanner, wire::block("A") + wire::block(std::string(15, 'x')));
  EXPECT_EQ(found.stop, Stop::kBroken);
  EXPECT_EQ(found.whole, 3U);
}

/// What a connection brought, in pieces as it likes: all stops in order and what was counted.
struct Heard {
  std::vector<Stop> stops;
  std::uint64_t whole = 0;
  std::uint64_t sequenced = 0;
  std::uint64_t ignored = 0;
  bool operator==(const Heard&) const = default;
};
template <class Piece>
Heard hear(std::string_view bytes, Piece piece) {
  PacketScanner scanner{{}};
  Heard heard;
  std::size_t end = 0;
  while (end < bytes.size()) {
    end = std::min(bytes.size(), end + piece());
    for (;;) {
      const Scan found = scan(scanner, bytes.substr(heard.whole, end - heard.whole));
      heard.whole += found.whole;
      heard.sequenced += found.sequenced;
      heard.ignored += found.ignored;
      if (found.stop == Stop::kMore) break;
      heard.stops.push_back(found.stop);
      if (found.stop == Stop::kBroken) return heard;
    }
  }
  return heard;
}

TEST(PacketScanner, FindsTheSameHoweverTheBytesAreSplit) {
  std::mt19937_64 random{tests::seed()};
  for (int i = 0; i < 300; ++i) {
    std::string bytes = wire::soup('+', "hello") + kAccepted;
    for (std::size_t n = random() % 30; n > 0; --n)
      bytes += wire::soup("SSSSSH+U"[random() % 8], std::string(random() % 50, 'x'));
    if (i % 3 == 0) bytes += wire::soup('Z');
    if (i % 5 == 0) bytes += wire::soup('?', "garbage") + "more";
    const Heard whole = hear(bytes, [&] { return bytes.size(); });
    EXPECT_EQ(hear(bytes, [] { return std::size_t{1}; }), whole);
    EXPECT_EQ(hear(bytes, [&] { return 1 + random() % 60; }), whole);
  }
}

}  // namespace
}  // namespace tickbridge::net
