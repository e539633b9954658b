// What do the codec's steps cost a message? codec_bench [FILE.itch] [--benchmark_…]; without a file
// (tickbridge-exchange
// --generate N --save FILE makes one) a built-in sample in a day's mix. Times are per message.
#include <benchmark/benchmark.h>
#include <zlib.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "codec/inflate.h"
#include "codec/message_table.h"
#include "codec/packet.h"
#include "codec/payload.h"

namespace tickbridge::codec {
namespace {

constexpr std::size_t kMessages = 200'000;
constexpr std::size_t kPerBlock = 30;

template <class T>
std::string be(T value) {
  std::string out(sizeof(T), '\0');
  store_be(MutableBytes{reinterpret_cast<std::byte*>(out.data()), out.size()}, 0, value);
  return out;
}
std::string with_length(std::string_view message) {
  return be(static_cast<std::uint16_t>(message.size())) + std::string{message};
}

/// A message of that type: random numbers, a symbol, known codes.
std::string message_of(const MessageType& type, std::uint64_t time, std::mt19937_64& random) {
  std::string message =
      type.type + be(static_cast<std::uint16_t>(random() % 8000 + 1)) + be(std::uint16_t{0}) + be(time).substr(2);
  for (const Field& field : type.fields) {
    if (field.kind == Field::Kind::kCode) {
      message += field.codes[random() % field.codes.size()];
    } else if (field.kind == Field::Kind::kText || field.kind == Field::Kind::kSymbol) {
      message += ("SYM" + std::to_string(random() % 10) + "    ").substr(0, field.size);
    } else {
      message += be(random() % 1'000'000).substr(8 - field.size);
    }
  }
  return message;
}

std::string built_in_sample() {
  const std::pair<char, int> mix[] = {{'A', 470}, {'D', 440}, {'E', 37}, {'U', 36},
                                      {'P', 9},   {'X', 5},   {'F', 2},  {'I', 1}};
  std::string types;
  for (const auto& [type, count] : mix) types.append(static_cast<std::size_t>(count), type);
  std::mt19937_64 random(7);
  std::string file;
  for (std::size_t i = 0; i < kMessages; ++i) {
    const char wanted = types[random() % types.size()];
    for (const MessageType& type : itch50_types()) {
      if (type.type == wanted) file += with_length(message_of(type, i * 100'000, random));
    }
  }
  return file;
}

/// The messages as a file has them: each with a length before it.
std::string file_bytes;  // NOLINT: set once in main

std::vector<Bytes> messages() {
  std::vector<Bytes> found;
  BlockReader reader{as_bytes(file_bytes)};
  for (Bytes message; found.size() < kMessages && reader.next(message);) found.push_back(message);
  return found;
}

/// Blocks of kPerBlock messages.
std::vector<std::string> blocks() {
  std::vector<std::string> found;
  std::size_t n = 0;
  for (const Bytes message : messages()) {
    if (n++ % kPerBlock == 0) found.emplace_back();
    found.back() += with_length(as_text(message));
  }
  return found;
}

void per_message(benchmark::State& state, std::size_t messages) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(messages));
  state.counters["per_message"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(messages),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void CheckMessage(benchmark::State& state) {
  const Protocol& itch = *Protocol::find("itch50");
  const auto all = messages();
  for (auto _ : state) {
    for (const Bytes message : all) benchmark::DoNotOptimize(itch.check(message));
  }
  per_message(state, all.size());
}
BENCHMARK(CheckMessage)->Unit(benchmark::kMicrosecond);

void CutSoupPacket(benchmark::State& state) {
  const auto all = messages();
  std::string stream;
  for (const Bytes message : all) {
    stream += be(static_cast<std::uint16_t>(message.size() + 1)) + "S" + std::string{as_text(message)};
  }
  const PacketCutter cutter{Options{}};
  for (auto _ : state) {
    Bytes rest = as_bytes(stream);
    for (;;) {
      const Packet packet = cutter.cut(rest);
      if (packet.status != Packet::Status::kWhole) break;
      benchmark::DoNotOptimize(packet.payload_size);
      rest = rest.subspan(packet.size);
    }
  }
  per_message(state, all.size());
}
BENCHMARK(CutSoupPacket)->Unit(benchmark::kMicrosecond);

void CutFrame(benchmark::State& state) {
  Options options;
  options.transport = Transport::kFrames;
  const PacketCutter cutter{options};
  for (auto _ : state) {
    Bytes rest = as_bytes(file_bytes);
    for (;;) {
      const Packet packet = cutter.cut(rest);
      if (packet.status != Packet::Status::kWhole) break;
      rest = rest.subspan(packet.size);
    }
  }
  BlockReader reader{as_bytes(file_bytes)};
  std::size_t count = 0;
  for (Bytes message; reader.next(message);) ++count;
  per_message(state, count);
}
BENCHMARK(CutFrame)->Unit(benchmark::kMicrosecond);

void SplitBlock(benchmark::State& state) {
  const auto all = blocks();
  for (auto _ : state) {
    for (const std::string& block : all) {
      if (!splits(as_bytes(block))) state.SkipWithError("does not split");
      BlockReader reader{as_bytes(block)};
      for (Bytes message; reader.next(message);) benchmark::DoNotOptimize(message.data());
    }
  }
  per_message(state, messages().size());
}
BENCHMARK(SplitBlock)->Unit(benchmark::kMicrosecond);

std::vector<std::string> deflated_blocks() {
  std::vector<std::string> all = blocks();
  for (std::string& block : all) {
    uLongf size = ::compressBound(block.size());
    std::string out(size, '\0');
    ::compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(block.data()), block.size(),
                6);
    out.resize(size);
    block = out;
  }
  return all;
}

void InflateBlockLibdeflate(benchmark::State& state) {
  const auto all = deflated_blocks();
  PacketInflater inflater{{.max_bytes = 65'536, .max_ratio = 200}};
  std::vector<std::byte> out(65'536);
  for (auto _ : state) {
    for (const std::string& packet : all) {
      if (inflater.inflate(as_bytes(packet), out).reason != Reason::kNone) state.SkipWithError("does not inflate");
    }
  }
  per_message(state, messages().size());
}
BENCHMARK(InflateBlockLibdeflate)->Unit(benchmark::kMicrosecond);

void InflateBlockZlib(benchmark::State& state) {
  const auto all = deflated_blocks();
  StreamInflater inflater{0};
  std::vector<std::byte> out(65'536);
  for (auto _ : state) {
    for (const std::string& packet : all) {
      inflater.reset();
      if (!inflater.step(as_bytes(packet), out).ended) state.SkipWithError("does not inflate");
    }
  }
  per_message(state, messages().size());
}
BENCHMARK(InflateBlockZlib)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tickbridge::codec

int main(int argc, char** argv) {
  using tickbridge::codec::file_bytes;
  benchmark::Initialize(&argc, argv);
  if (argc > 1) {
    std::ifstream file{argv[1], std::ios::binary};
    file_bytes.assign(std::istreambuf_iterator<char>{file}, {});
  } else {
    file_bytes = tickbridge::codec::built_in_sample();
  }
  if (tickbridge::codec::messages().empty()) {
    std::cerr << "codec_bench: no messages in " << argv[1] << '\n';
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
}
