#include "journal/model/feed.h"

#include <random>
#include <utility>

#include "base/bytes.h"
#include "journal/record_hash.h"

namespace tickbridge::journal::model {

Session make_session(const std::string& name, std::uint64_t seed, std::size_t packets, bool late_symbols) {
  constexpr std::uint16_t kInstruments = 4;
  std::mt19937_64 random{seed};
  Session session{.name = name, .packets = {}};
  for (std::size_t i = 0; i < packets; ++i) {
    auto& packet = session.packets.emplace_back();
    const std::size_t messages = 1 + random() % 2;
    for (std::size_t m = 0; m < messages; ++m) {
      Message& message = packet.emplace_back();
      message.index = static_cast<std::uint32_t>(m);
      message.content = random();
      const bool directory = late_symbols ? random() % 4 == 0 : i < kInstruments && m == 0;
      const auto any = static_cast<std::uint16_t>(1 + random() % kInstruments);
      message.instrument = directory && !late_symbols ? static_cast<std::uint16_t>(i + 1) : any;
      if (directory) message.symbol = "S" + std::to_string(random() % 6);
      if (!directory && random() % 6 == 0 && late_symbols) message.instrument = 0;
      message.invalid = !directory && random() % 12 == 0;
    }
  }
  return session;
}

void Function::restore(const std::vector<StateEntry>& entries, const FunctionState& state) {
  for (const StateEntry& entry : entries) {
    directory_[entry.instrument] = entry.key;
    if (entry.sticky) sticky_.insert(entry.instrument);
  }
  turn_ = state.turn;
}

FunctionState Function::state() const {
  FunctionState out;
  out.turn = turn_;
  return out;
}

std::vector<StateEntry> Function::take_learnt() { return std::exchange(learnt_, {}); }

Output Function::take(std::uint64_t sequence, const Message& message) {
  Output out{.partition = 0, .position = {sequence, message.index}, .hash = 0};
  std::string key;
  if (message.instrument == 0) {
    out.partition = turn_++ % partitions_;
  } else {
    const bool known = directory_.contains(message.instrument);
    const bool sticky = sticky_.contains(message.instrument);
    std::string learnt;
    if (!message.symbol.empty()) {
      key = message.symbol;
      if (!sticky) learnt = key;
    } else if (!known) {
      key = learnt = "#" + std::to_string(message.instrument);
      sticky_.insert(message.instrument);
    } else {
      key = directory_[message.instrument];
    }
    if (!learnt.empty()) {
      directory_[message.instrument] = learnt;
      const bool now_sticky = sticky_.contains(message.instrument);
      learnt_.push_back(
          {.position = out.position, .instrument = message.instrument, .key = learnt, .sticky = now_sticky});
    }
    std::uint32_t sum = 17;
    for (const char letter : key) sum = sum * 31 + static_cast<unsigned char>(letter);
    out.partition = static_cast<std::int32_t>((sum >> 3) % static_cast<std::uint32_t>(partitions_));
  }
  out.hash = record_hash(key, std::as_bytes(std::span{&message.content, 1}));
  return out;
}

}  // namespace tickbridge::journal::model
