#include "pipeline/inflate_stage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "pipeline/wire.h"

namespace tickbridge::pipeline {
namespace {

namespace wire = tests::wire;

// Requests can come late (the plain ring has room again): a worker then looks while the next connection begins.
TEST(InflateStage, BeginsConnectionsBesideLateRequests) {
  auto plain = ring::ByteRing::create(1 << 17U, 1024).value();
  codec::Options options;
  options.compression = codec::Compression::kZlibStream;
  InflateStage stage{options,
                     ring::ByteRing::create(1 << 17U, 1024).value(),
                     plain,
                     {.on_scan = [](std::uint64_t, const net::Scan&) {}, .on_raw_space = [] {}, .on_published = [] {}}};
  std::jthread late{[&stage](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      stage.request();
      static_cast<void>(stage.run());
    }
  }};
  const std::string packets = wire::accepted("S1", 1) + wire::soup('S', "one") + wire::soup('S', "two");
  const std::string sent = wire::zlib(packets + "\x01");  // ends inside a packet: what is left must not stay
  for (std::uint64_t connection = 1; connection <= 500; ++connection) {
    stage.begin_connection(connection);
    std::copy_n(as_bytes(sent).begin(), sent.size(), stage.raw().writable().begin());
    stage.raw().wrote(sent.size());
    stage.raw().publish(sent.size(), 1);
    while (!stage.idle()) std::this_thread::yield();
    const ring::Claim claim = plain.claim(plain.size());
    ASSERT_EQ(as_text(plain.bytes(claim.begin, claim.end)), packets);
    static_cast<void>(plain.release(claim.end));
  }
}

}  // namespace
}  // namespace tickbridge::pipeline
