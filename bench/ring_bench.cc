// What does handing bytes over through the ring cost a piece: wrote, publish, claim, release? By the size of a piece;
// the bytes themselves are not touched.
#include <benchmark/benchmark.h>

#include <thread>

#include "ring/byte_ring.h"

namespace tickbridge::ring {
namespace {

constexpr std::size_t kRing = std::size_t{64} << 20U;
constexpr std::size_t kCuts = std::size_t{32} << 10U;  // as with tasks of 128 KiB
constexpr std::size_t kPieces = 100'000;               // from one thread to the other, an iteration

bool write(ByteRing& ring, std::size_t piece) {
  if (ring.writable().size() < piece) return false;
  ring.wrote(piece);
  ring.publish(piece, 1);
  return true;
}

void OneThread(benchmark::State& state) {
  ByteRing ring = ByteRing::create(kRing, kCuts).value();
  const auto piece = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(write(ring, piece));
    benchmark::DoNotOptimize(ring.release(ring.claim(piece).end));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(OneThread)->Arg(43)->Arg(1 << 10)->Arg(16 << 10)->Arg(128 << 10);

/// Wall time: both threads are at work, and spin where the other one is behind.
void TwoThreads(benchmark::State& state) {
  ByteRing ring = ByteRing::create(kRing, kCuts).value();
  const auto piece = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    std::jthread writer{[&] {
      for (std::size_t written = 0; written < kPieces;) {
        if (write(ring, piece)) {
          ++written;
        } else {
          std::this_thread::yield();
        }
      }
    }};
    for (std::uint64_t taken = 0; taken < kPieces * piece;) {
      const Claim claim = ring.claim(std::size_t{128} << 10U);
      taken += claim.size();
      if (claim.size() == 0) {
        std::this_thread::yield();
      } else {
        benchmark::DoNotOptimize(ring.release(claim.end));
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPieces));
}
BENCHMARK(TwoThreads)->Arg(43)->Arg(1 << 10)->Arg(16 << 10)->Arg(128 << 10)->UseRealTime();

}  // namespace
}  // namespace tickbridge::ring
