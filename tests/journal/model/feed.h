#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "journal/checkpoint.h"
#include "journal/model/digest.h"

namespace tickbridge::journal::model {

struct Message {
  std::uint32_t index = 0;
  std::uint16_t instrument = 0;  ///< 0: none, goes to the partitions in turn
  std::string symbol;            ///< not empty: a directory message
  bool invalid = false;          ///< a dead letter
  std::uint64_t content = 0;
};

/// packets[i] has sequence i + 1.
struct Session {
  std::string name;
  std::vector<std::vector<Message>> packets;
};

/// A session of so many packets; `seed` decides over everything else. `late_symbols`: instruments are used before they
/// are known, learnt and replaced all over the session.
Session make_session(const std::string& name, std::uint64_t seed, std::size_t packets, bool late_symbols);

/// A record as the function puts it out.
struct Output {
  std::int32_t partition = 0;
  Position position;
  std::uint64_t hash = 0;
};

/// The feed's function: directory, sticky keys, turn.
class Function {
 public:
  explicit Function(std::int32_t partitions) : partitions_{partitions} {}
  void restore(const std::vector<StateEntry>& entries, const FunctionState& state);
  [[nodiscard]] Output take(std::uint64_t sequence, const Message& message);
  void set_partitions(std::int32_t partitions) noexcept { partitions_ = partitions; }
  [[nodiscard]] std::int32_t partitions() const noexcept { return partitions_; }
  [[nodiscard]] FunctionState state() const;
  [[nodiscard]] std::vector<StateEntry> take_learnt();
  void add_to(Digest& digest) const {
    digest.add(partitions_);
    digest.add(directory_);
    digest.add(sticky_);
    digest.add(turn_);
    digest.add(learnt_);
  }

 private:
  std::int32_t partitions_;
  std::map<std::uint16_t, std::string> directory_;
  std::set<std::uint16_t> sticky_;
  std::int32_t turn_ = 0;
  std::vector<StateEntry> learnt_;
};

}  // namespace tickbridge::journal::model
