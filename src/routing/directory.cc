#include "routing/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace tickbridge::routing {
namespace {

std::string_view without_trailing_spaces(std::string_view symbol) noexcept {
  return symbol.substr(0, symbol.find_last_not_of(' ') + 1);
}

}  // namespace

Directory::Directory(const Options& options, std::int32_t partition_count)
    : keyless_(options.key == Key::kNone),
      by_symbol_(options.key == Key::kSymbol),
      entries_(kInstruments),
      sticky_(kInstruments),
      partitioner_(options, partition_count) {}

Route Directory::learn(std::uint16_t instrument, std::string_view symbol) {
  if (!by_symbol_) return route(instrument);
  const std::string_view trimmed = without_trailing_spaces(symbol);
  if (instrument == 0) return trimmed.empty() ? without_key() : route(entry_for(trimmed));
  const Entry entry = trimmed.empty() ? entry_for(fmt::format("#{}", instrument)) : entry_for(trimmed);
  Entry& known = entries_[instrument];
  if (!sticky_[instrument] && (known.partition == kUnused || known.key != entry.key)) {
    known = entry;
    learnt_.push_back({instrument, keys_.key(entry.key), false});
  }
  return route(entry);
}

std::string Directory::key_of(std::uint16_t instrument) const {
  if (keyless_ || instrument == 0) return {};
  const Entry& entry = entries_[instrument];
  if (entry.partition != kUnused) return std::string{keys_.key(entry.key)};
  return fmt::format("{}{}", by_symbol_ ? "#" : "", instrument);
}

std::string Directory::key_of(std::uint16_t instrument, std::string_view symbol) const {
  const std::string_view trimmed = without_trailing_spaces(symbol);
  return by_symbol_ && !trimmed.empty() ? std::string{trimmed} : key_of(instrument);
}

void Directory::new_session() {
  std::fill(entries_.begin(), entries_.end(), Entry{});
  std::fill(sticky_.begin(), sticky_.end(), false);
  learnt_.clear();
  partitioner_.restart();
}

void Directory::keep_used_keys() {
  KeyStore kept;
  for (Entry& entry : entries_) {
    if (entry.partition != kUnused) entry.key = kept.intern(keys_.key(entry.key));
  }
  keys_ = std::move(kept);
}

Route Directory::first_use(std::uint16_t instrument) {
  sticky_[instrument] = by_symbol_;
  entries_[instrument] = entry_for(by_symbol_ ? fmt::format("#{}", instrument) : fmt::to_string(instrument));
  const Route found = route(entries_[instrument]);
  if (by_symbol_) learnt_.push_back({instrument, found.key, true});
  return found;
}

void Directory::restore(std::uint16_t instrument, std::string_view key, bool sticky) {
  if (!by_symbol_) return;  // the number says it all
  sticky_[instrument] = sticky;
  entries_[instrument] = entry_for(key);
}

Directory::Entry Directory::entry_for(std::string_view key) { return {keys_.intern(key), partitioner_.of_key(key)}; }

}  // namespace tickbridge::routing
