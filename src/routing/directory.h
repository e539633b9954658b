#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "routing/options.h"
#include "routing/partitioner.h"

namespace tickbridge::routing {

/// Where a message goes. `key` points into the directory and stays valid for its lifetime.
struct Route {
  std::string_view key;         ///< empty: no key
  std::int32_t partition = 0;
};

/// Instrument number → key → partition. State of the feed's function: touched only by the thread that
/// holds the feed's commit flag.
///
/// Symbols are learnt from directory messages only; the last one wins. An instrument first used before
/// it is known keeps the key `#<number>` for the rest of the session, so that its order holds.
class Directory {
 public:
  Directory(const Options& options, std::int32_t partition_count);

  /// The route of the next message of an instrument (0: concerns none).
  [[nodiscard]] Route route(std::uint16_t instrument);

  /// Learns a symbol. The directory message itself is to be routed after this.
  [[nodiscard]] Route learn(std::uint16_t instrument, std::string_view symbol);

  /// A new session: numbers mean other instruments from now on. Keys handed out stay valid.
  void new_session();

 private:
  struct Entry { std::uint32_t key = 0; std::int32_t partition = -1; };   // key: index into keys_
  std::uint32_t intern(std::string_view key);
  Options options_;
  Partitioner partitioner_;
  std::vector<Entry> entries_;  // by instrument
  std::deque<std::string> keys_;
  std::unordered_map<std::string_view, std::uint32_t> index_;
};

}  // namespace tickbridge::routing
