#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/key_store.h"
#include "routing/options.h"
#include "routing/partitioner.h"

namespace tickbridge::routing {

/// Where a message goes. `key` points into the directory and stays valid until forget_unused_keys().
struct Route {
  std::string_view key;  ///< empty: no key
  std::int32_t partition = 0;
};

/// What a directory has learnt of an instrument: kept in the state topic, so that it survives a restart.
struct Learnt {
  std::uint16_t instrument = 0;
  std::string_view key;  ///< as Route::key
  bool sticky = false;   ///< `#<number>`, for the rest of the session
};

/// Instrument number → key → partition. State of the feed's function: touched only by the thread that
/// holds the feed's commit flag.
///
/// Symbols are learnt from directory messages only; the last one wins. An instrument first used before
/// it is known keeps the key `#<number>` for the rest of the session, so that its order holds
/// (docs/decisions/0004-sticky-keys.md). A directory message itself is always keyed by its own symbol.
class Directory {
 public:
  /// REQUIRES: partition_count > 0.
  Directory(const Options& options, std::int32_t partition_count);

  /// The route of the next message of an instrument (0: concerns none), directory messages excepted.
  /// Neither hashes nor allocates after the instrument's first use.
  [[nodiscard]] Route route(std::uint16_t instrument) {
    if (keyless_ || instrument == 0) [[unlikely]]
      return without_key();
    const Entry& entry = entries_[instrument];
    if (entry.partition == kUnused) [[unlikely]]
      return first_use(instrument);
    return route(entry);
  }

  /// Fetches what route() will read of an instrument: of many instruments it lies far off in memory.
  void prefetch(std::uint16_t instrument) const noexcept { keys_.prefetch(entries_[instrument].key); }

  /// Learns a symbol and returns the route of the directory message itself. Trailing spaces are no part of
  /// the symbol; a blank one is taken as `#<number>`. Instrument 0 teaches nothing.
  [[nodiscard]] Route learn(std::uint16_t instrument, std::string_view symbol);

  /// The key that route() would give now, or learn() for a directory message; asking teaches nothing.
  [[nodiscard]] std::string key_of(std::uint16_t instrument) const;
  [[nodiscard]] std::string key_of(std::uint16_t instrument, std::string_view symbol) const;

  /// A new session: numbers mean other instruments from now on, and round_robin starts at 0. Keys handed
  /// out stay valid.
  void new_session();

  /// Bounds what a feed of ever new symbols can take: from twice as many keys as there are instruments on, drops those
  /// that no instrument has any more. Routes do not change. REQUIRES: no route handed out is in use.
  void forget_unused_keys() {
    if (keys_.size() >= kMostKeys) [[unlikely]]
      keep_used_keys();
  }
  /// Keys remembered, in use or not.
  [[nodiscard]] std::size_t key_count() const noexcept { return keys_.size(); }

  /// True if something was learnt since take_learnt().
  [[nodiscard]] bool has_learnt() const noexcept { return !learnt_.empty(); }
  [[nodiscard]] std::vector<Learnt> take_learnt() { return std::exchange(learnt_, {}); }
  /// Knows again what was learnt in an earlier life. Instruments' numbers mean what they meant in that session.
  void restore(std::uint16_t instrument, std::string_view key, bool sticky);
  /// The next partition of round_robin.
  [[nodiscard]] std::int32_t turn() const noexcept { return partitioner_.turn(); }
  void restore_turn(std::int32_t turn) noexcept { partitioner_.restore_turn(turn); }

 private:
  static constexpr std::int32_t kUnused = -1;
  static constexpr std::size_t kInstruments = 65536;  // all that 16 bits can name
  static constexpr std::size_t kMostKeys = 2 * kInstruments;
  struct Entry {
    std::uint32_t key = 0;  // handle in keys_
    std::int32_t partition = kUnused;
  };
  static_assert(sizeof(Entry) == 8);

  [[nodiscard]] Route route(const Entry& entry) const noexcept { return {keys_.key(entry.key), entry.partition}; }
  [[nodiscard]] Route without_key() noexcept { return {{}, partitioner_.without_key()}; }
  [[nodiscard]] Route first_use(std::uint16_t instrument);
  [[nodiscard]] Entry entry_for(std::string_view key);
  void keep_used_keys();

  // constant after construction
  bool keyless_;
  bool by_symbol_;
  // worker that holds the commit flag
  std::vector<Entry> entries_;  // by instrument
  KeyStore keys_;
  std::vector<bool> sticky_;  // by instrument: used before it was known
  std::vector<Learnt> learnt_;
  Partitioner partitioner_;
};

}  // namespace tickbridge::routing
