#include "codec/inflate.h"

#include <gtest/gtest.h>

#include <random>

#include "pipeline/wire.h"
#include "support/seed.h"

namespace tickbridge::codec {
namespace {

namespace wire = tests::wire;

struct Result {
  Reason reason;
  std::string text;
};
Result inflate(std::string_view packet, InflateLimits limits = {}) {
  PacketInflater inflater{limits};
  std::string out(limits.max_bytes, '\0');
  const Inflated inflated = inflater.inflate(as_bytes(packet), {reinterpret_cast<std::byte*>(out.data()), out.size()});
  return {inflated.reason, out.substr(0, inflated.size)};
}

/// Text that deflate cannot make much smaller.
std::string noise(std::size_t size, std::mt19937_64& random) {
  std::string text(size, '\0');
  for (char& byte : text) byte = static_cast<char>(random());
  return text;
}

TEST(PacketInflater, GivesBackWhatWasDeflated) {
  std::mt19937_64 random{tests::seed()};
  for (const std::string& text : {std::string{}, std::string{"a"}, std::string(3000, 'x'), noise(50'000, random)}) {
    const Result result = inflate(wire::zlib(text));
    EXPECT_EQ(result.reason, Reason::kNone);
    EXPECT_EQ(result.text, text);
  }
}

TEST(PacketInflater, RefusesAPacketCutAnywhere) {
  const std::string packet = wire::zlib("some text, some text, some more text");
  for (std::size_t size = 0; size < packet.size(); ++size) {
    EXPECT_EQ(inflate(packet.substr(0, size)).reason, Reason::kInflate) << size;
  }
}

TEST(PacketInflater, RefusesWhatFollowsTheStream) {
  EXPECT_EQ(inflate(wire::zlib("text") + "x").reason, Reason::kInflate);
  EXPECT_EQ(inflate(wire::zlib("text") + wire::zlib("text")).reason, Reason::kInflate);
}

TEST(PacketInflater, RefusesADamagedPacket) {
  std::string packet = wire::zlib("some text, some text, some more text");
  for (std::size_t at = 0; at < packet.size(); ++at) {
    std::string damaged = packet;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_NE(inflate(damaged).reason, Reason::kNone) << at;
  }
  EXPECT_EQ(inflate("plain text").reason, Reason::kInflate);
}

TEST(PacketInflater, RefusesABomb) {
  const std::string bomb = wire::zlib(std::string(1'000'000, '\0'));
  ASSERT_LT(bomb.size(), 1'100U) << "about 1000:1";
  EXPECT_EQ(inflate(bomb).reason, Reason::kInflateLimit);
  EXPECT_EQ(inflate(bomb, {.max_bytes = 1'000'000, .max_ratio = 10'000}).reason, Reason::kNone);
  EXPECT_EQ(inflate(bomb, {.max_bytes = 999'999, .max_ratio = 10'000}).reason, Reason::kInflateLimit);
}

TEST(PacketInflater, HoldsBothLimitsExactly) {
  const std::string packet = wire::zlib(std::string(4096, 'x'));
  const std::size_t ratio = 4096 / packet.size();
  EXPECT_EQ(inflate(packet, {.max_bytes = 4096, .max_ratio = ratio + 1}).reason, Reason::kNone);
  EXPECT_EQ(inflate(packet, {.max_bytes = 4095, .max_ratio = ratio + 1}).reason, Reason::kInflateLimit);
  EXPECT_EQ(inflate(packet, {.max_bytes = 4096, .max_ratio = ratio}).reason, Reason::kInflateLimit);
}

TEST(PacketInflater, GoesOnAfterABadPacket) {
  PacketInflater inflater{{}};
  std::string out(1'048'576, '\0');
  const MutableBytes room{reinterpret_cast<std::byte*>(out.data()), out.size()};
  EXPECT_EQ(inflater.inflate(as_bytes("garbage!"), room).reason, Reason::kInflate);
  EXPECT_EQ(inflater.inflate(as_bytes(wire::zlib(std::string(1'000'000, 'x'))), room).reason, Reason::kInflateLimit);
  EXPECT_EQ(inflater.inflate(as_bytes(wire::zlib("text")), room).size, 4U);
}

TEST(PacketInflater, KnowsTheHeaderOfAZlibStream) {
  const auto looks = [](std::string_view text) { return PacketInflater::looks_like_zlib(as_bytes(text)); };
  for (const char* const header : {"\x78\x01", "\x78\x5E", "\x78\x9C", "\x78\xDA", "\x48\x0D", "\x68\x05"}) {
    EXPECT_TRUE(looks(header + std::string(6, 'x')));
    EXPECT_FALSE(looks(header + std::string(5, 'x'))) << "shorter than the shortest stream";
  }
  EXPECT_FALSE(looks("\x78\x9D" + std::string(6, 'x'))) << "check bits";
  EXPECT_FALSE(looks("\x78\x20" + std::string(6, 'x'))) << "a preset dictionary, which nobody gave us";
  EXPECT_FALSE(looks("\x88\x1C" + std::string(6, 'x'))) << "a window beyond 32 KiB";
  EXPECT_FALSE(looks(""));
  std::mt19937_64 random{tests::seed()};
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(looks(wire::zlib(noise(random() % 100, random))));
}

// --- a stream in pieces ---

/// Feeds `stream` in pieces of `in_size` into room for `out_size`, as long as it is taken.
Result stream(StreamInflater& inflater, std::string_view stream, std::size_t in_size, std::size_t out_size) {
  Result result{Reason::kNone, {}};
  std::string room(out_size, '\0');
  std::size_t have = std::min(in_size, stream.size());  // bytes that have come and are not used up
  for (;;) {
    const StreamInflater::Step step =
        inflater.step(as_bytes(stream.substr(0, have)), {reinterpret_cast<std::byte*>(room.data()), room.size()});
    result.text.append(room, 0, step.given);
    result.reason = step.reason;
    stream.remove_prefix(step.taken);
    have -= step.taken;
    if (step.reason != Reason::kNone || step.ended) return result;
    if (step.given == room.size()) continue;  // more may be waiting
    if (have == stream.size()) return result;
    have = std::min(have + in_size, stream.size());
  }
}

TEST(StreamInflater, GivesTheSameWhateverThePieces) {
  std::mt19937_64 random{tests::seed()};
  const std::string text = noise(2'000, random) + std::string(5'000, 'x') + noise(300, random);
  const std::string deflated = wire::zlib(text);
  for (const std::size_t in : {std::size_t{1}, std::size_t{7}, std::size_t{1000}, deflated.size()}) {
    for (const std::size_t out : {std::size_t{1}, std::size_t{13}, std::size_t{4096}, std::size_t{100'000}}) {
      StreamInflater inflater{200};
      const Result result = stream(inflater, deflated, in, out);
      EXPECT_EQ(result.reason, Reason::kNone) << in << " " << out;
      EXPECT_EQ(result.text, text) << in << " " << out;
    }
  }
}

TEST(StreamInflater, TakesNothingBehindItsEnd) {
  StreamInflater inflater{200};
  const std::string deflated = wire::zlib("text");
  std::string room(100, '\0');
  const MutableBytes out{reinterpret_cast<std::byte*>(room.data()), room.size()};
  const auto step = inflater.step(as_bytes(deflated + "more"), out);
  EXPECT_TRUE(step.ended);
  EXPECT_EQ(step.taken, deflated.size());
  const auto next = inflater.step(as_bytes("more"), out);
  EXPECT_TRUE(next.ended);
  EXPECT_EQ(next.taken, 0U);
  inflater.reset();
  EXPECT_EQ(stream(inflater, deflated, 3, 3).text, "text");
}

TEST(StreamInflater, StandsStillWithoutInputOrRoom) {
  StreamInflater inflater{200};
  std::string room(100, '\0');
  const MutableBytes out{reinterpret_cast<std::byte*>(room.data()), room.size()};
  for (const auto& [in, where] : {std::pair{Bytes{}, out}, {Bytes{}, MutableBytes{}}}) {
    const auto step = inflater.step(in, where);
    EXPECT_EQ(step.reason, Reason::kNone);
    EXPECT_EQ(step.taken + step.given, 0U);
  }
  const std::string deflated = wire::zlib("text");
  EXPECT_EQ(inflater.step(as_bytes(deflated), {}).reason, Reason::kNone) << "no room is no fault of the stream";
  inflater.reset();
  EXPECT_EQ(stream(inflater, deflated, 100, 100).text, "text");
}

TEST(StreamInflater, RefusesGarbageAndKeepsRefusing) {
  StreamInflater inflater{200};
  std::string room(100, '\0');
  const MutableBytes out{reinterpret_cast<std::byte*>(room.data()), room.size()};
  EXPECT_EQ(inflater.step(as_bytes("not a zlib stream"), out).reason, Reason::kInflate);
  EXPECT_EQ(inflater.step(as_bytes(wire::zlib("text")), out).reason, Reason::kInflate);
  inflater.reset();
  EXPECT_EQ(stream(inflater, wire::zlib("text"), 100, 100).text, "text");
}

TEST(StreamInflater, StopsABombSoonAfterAMebibyte) {
  const std::string bomb = wire::zlib(std::string(50'000'000, '\0'));
  StreamInflater inflater{200};
  const Result result = stream(inflater, bomb, 4096, 65'536);
  EXPECT_EQ(result.reason, Reason::kInflateLimit);
  EXPECT_LT(result.text.size(), 6'000'000U);
  StreamInflater unlimited{0};
  EXPECT_EQ(stream(unlimited, bomb, 4096, 65'536).text.size(), 50'000'000U);
}

TEST(StreamInflater, JudgesNoRatioInTheFirstMebibyte) {
  const std::string text(1U << 20U, '\0');
  StreamInflater inflater{2};
  EXPECT_EQ(stream(inflater, wire::zlib(text), 4096, 65'536).reason, Reason::kNone);
}

TEST(Inflaters, SurviveDamagedStreams) {
  std::mt19937_64 random{tests::seed()};
  for (int i = 0; i < 2'000; ++i) {
    std::string packet = wire::zlib(noise(random() % 200, random) + std::string(random() % 200, 'x'));
    for (std::size_t n = 1 + random() % 4; n > 0; --n) packet[random() % packet.size()] = static_cast<char>(random());
    const InflateLimits limits{.max_bytes = 4096, .max_ratio = 200};
    ASSERT_LE(inflate(packet, limits).text.size(), limits.max_bytes);
    StreamInflater inflater{200};
    static_cast<void>(stream(inflater, packet, 1 + random() % 50, 1 + random() % 50));
  }
}

}  // namespace
}  // namespace tickbridge::codec
