// What do decoding and committing cost a message, without the client library? A task of 128 KiB of 40-byte messages,
// again and again, into a lane that takes everything. Arguments: partitions, instruments.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <random>
#include <string>

#include "metrics/feed_metrics.h"
#include "null_lane.h"
#include "pipeline/commit.h"
#include "pipeline/decode.h"
#include "pipeline/wire.h"

namespace tickbridge::pipeline {
namespace {

namespace wire = tests::wire;
constexpr std::size_t kTaskBytes = 131'072;

std::string add_order(std::uint16_t instrument, std::uint64_t number) {
  return wire::itch_header('F', instrument, 34'200'000'000'000 + number) + wire::be(number) + "B" +
         wire::be(std::uint32_t{100}) + "AAPL    " + wire::be(std::uint32_t{1'000'000}) + "NSDQ";
}

/// A feed's decode and commit, called by hand.
class Stages {
 public:
  Stages(std::int32_t partitions, std::uint16_t instruments, Timestamp timestamp) : lane_{partitions} {
    Committer::Settings settings;
    settings.policies.timestamp = timestamp;
    settings.resume.journaled = true;
    settings.resume.next_sequence = 0;
    const routing::Options routing;
    committer_.emplace(std::move(settings), protocol_, TradingDay::create("2020-01-30", "America/New_York").value(),
                       routing::Directory{routing, partitions}, lane_, metrics_, kTaskBytes / 12);
    run(wire::accepted("S1", 1));
    std::string directory;
    for (unsigned i = 1; i <= instruments; ++i) {
      directory += wire::soup('S', wire::directory(static_cast<std::uint16_t>(i), fmt::format("S{}", i)));
    }
    run(directory);
    put(orders(instruments));
  }
  void decode() {
    task_.begin(claim_);
    decoder_.decode(task_, ring_);
  }
  bool commit() { return committer_->commit(task_, {}, {}) == Committer::Progress::kDone; }
  [[nodiscard]] std::uint64_t committed() const { return metrics_.value(metrics::FeedCounter::kMessagesCommitted); }
  [[nodiscard]] std::int64_t messages() const { return static_cast<std::int64_t>(task_.count); }

 private:
  static std::string orders(std::uint16_t instruments) {
    std::vector<double> weights;
    for (unsigned i = 1; i <= instruments; ++i) weights.push_back(1.0 / i);
    std::discrete_distribution<unsigned> rank(weights.begin(), weights.end());
    std::mt19937 random(7);
    std::string out;
    for (std::uint64_t number = 0; out.size() + 43 <= kTaskBytes; ++number) {
      // ranks are scattered over the numbers, as the exchange numbers by alphabet and not by volume
      const auto instrument = static_cast<std::uint16_t>(rank(random) * 4801U % instruments + 1);
      out += wire::soup('S', add_order(instrument, number));
    }
    return out;
  }
  void put(std::string_view bytes) {
    std::copy_n(as_bytes(bytes).begin(), bytes.size(), ring_.writable().begin());
    ring_.wrote(bytes.size());
    ring_.publish(bytes.size(), 1);
    claim_ = ring_.claim(bytes.size());
    decode();
  }
  /// To its end; those that are measured are never finished, so they are not repeats the next time.
  void run(std::string_view bytes) {
    put(bytes);
    for (;;) {
      while (committer_->commit(task_, {}, {}) == Committer::Progress::kBarrier)
        std::ignore = committer_->take_barrier();
      if (task_.finished()) break;
      decoder_.decode(task_, ring_);
    }
    committer_->finish(task_);
  }

  const codec::Protocol& protocol_ = *codec::Protocol::find("itch50");
  Decoder decoder_{{}, protocol_};
  ring::ByteRing ring_ = ring::ByteRing::create(std::size_t{1} << 20U, 1 << 20U).value();
  Task task_{kTaskBytes / 12, 0, std::nullopt};
  ring::Claim claim_;
  metrics::FeedMetrics metrics_{"bench"};
  bench::NullLane lane_;
  std::optional<Committer> committer_;
};

void Decode(benchmark::State& state) {
  Stages stages{12, 8'000, Timestamp::kSend};
  for (auto _ : state) stages.decode();
  state.SetItemsProcessed(state.iterations() * stages.messages());
}
BENCHMARK(Decode);

void commit(benchmark::State& state, Timestamp timestamp) {
  Stages stages{static_cast<std::int32_t>(state.range(0)), static_cast<std::uint16_t>(state.range(1)), timestamp};
  const std::uint64_t before = stages.committed();
  for (auto _ : state) benchmark::DoNotOptimize(stages.commit());
  const std::int64_t messages = state.iterations() * stages.messages();
  if (stages.committed() - before != static_cast<std::uint64_t>(messages)) state.SkipWithError("not all was committed");
  state.SetItemsProcessed(messages);
}
void CommitSend(benchmark::State& state) { commit(state, Timestamp::kSend); }
void CommitExchange(benchmark::State& state) { commit(state, Timestamp::kExchange); }
BENCHMARK(CommitSend)->Args({12, 8'000})->Args({1, 10})->Args({256, 10'000});
BENCHMARK(CommitExchange)->Args({12, 8'000});

}  // namespace
}  // namespace tickbridge::pipeline

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::err);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
