// What does it cost to route a message? (8,000 instruments used by a Zipf law, as on a busy day; 12 partitions)
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cmath>
#include <random>
#include <vector>

#include "routing/directory.h"

namespace tickbridge::routing {
namespace {

constexpr std::uint16_t kInstruments = 8000;
constexpr std::int32_t kPartitions = 12;
constexpr std::size_t kMessages = 1U << 20U;

std::vector<std::uint16_t> instruments_by_zipf() {
  std::vector<double> weights(kInstruments);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 1.0 / static_cast<double>(i + 1);
  std::discrete_distribution<std::uint16_t> rank(weights.begin(), weights.end());
  std::mt19937 random(7);
  std::vector<std::uint16_t> numbers(kMessages);
  // ranks are scattered over the numbers, as the exchange numbers by alphabet and not by volume
  for (auto& number : numbers) number = static_cast<std::uint16_t>(rank(random) * 4801U % kInstruments + 1);
  return numbers;
}

Directory full_directory(Key key) {
  Directory directory({.key = key, .partitioner = PartitionerKind::kMurmur2, .partitions = {}}, kPartitions);
  for (unsigned i = 1; i <= kInstruments; ++i) {
    benchmark::DoNotOptimize(directory.learn(static_cast<std::uint16_t>(i), fmt::format("S{}", i)));
  }
  return directory;
}

/// Key and partition, and the key's first byte, since the hand-over copies it.
void RouteMessage(benchmark::State& state) {
  const auto numbers = instruments_by_zipf();
  Directory directory = full_directory(Key::kSymbol);
  std::size_t next = 0;
  for (auto _ : state) {
    const Route route = directory.route(numbers[next++ & (kMessages - 1)]);
    benchmark::DoNotOptimize(route.key.front());
    benchmark::DoNotOptimize(route.partition);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(RouteMessage);

void RouteMessageWithoutKeys(benchmark::State& state) {
  const auto numbers = instruments_by_zipf();
  Directory directory = full_directory(Key::kNone);
  std::size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(directory.route(numbers[next++ & (kMessages - 1)]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(RouteMessageWithoutKeys);

/// The start of a day: a directory message for each instrument.
void LearnSymbol(benchmark::State& state) {
  Directory directory = full_directory(Key::kSymbol);
  unsigned next = 0;
  for (auto _ : state) {
    const auto number = static_cast<std::uint16_t>(next++ % kInstruments + 1);
    benchmark::DoNotOptimize(directory.learn(number, "AAPL    "));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(LearnSymbol);

}  // namespace
}  // namespace tickbridge::routing
