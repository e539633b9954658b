#include "expectation.h"

#include <utility>

#include "hash.h"

namespace tickbridge::verify {
namespace {

std::uint64_t name_of(std::int32_t partition, std::string_view key) noexcept {
  return content_hash(key) + static_cast<std::uint64_t>(partition) * 0xff51afd7ed558ccdU;
}

}  // namespace

std::uint32_t StreamIndex::find(std::int32_t partition, std::string_view key) const noexcept {
  const auto name = name_of(partition, key);
  for (std::size_t i = name;; ++i) {
    const Slot& slot = slots_[i & (slots_.size() - 1)];
    if (slot.name == name || slot.stream == kNoStream) return slot.stream;
  }
}

void StreamIndex::add(std::int32_t partition, std::string_view key, std::uint32_t stream) {
  if (2 * ++used_ > slots_.size()) {
    auto old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
    for (const auto& slot : old) {
      if (slot.stream != kNoStream) insert(slot);
    }
  }
  insert({name_of(partition, key), stream});
}

void StreamIndex::insert(Slot slot) {
  std::size_t i = slot.name;
  while (slots_[i & (slots_.size() - 1)].stream != kNoStream) ++i;
  slots_[i & (slots_.size() - 1)] = slot;
}

Message look_at(std::string_view bytes, const Rules& rules) noexcept {
  return rules.raw ? Message{} : look_at_itch(bytes);
}

Expectation::Expectation(MessageFile& file, const Rules& rules, std::int32_t partition_count) {
  for_each_expected(file, rules, partition_count, [this](std::string_view bytes, bool expected, const Route& route) {
    if (expected) {
      add(route, bytes);
    } else {
      ++kept_out_;
    }
  });
}

Expectation::Expectation(std::vector<Stream> streams) : streams_(std::move(streams)) {
  for (std::uint32_t i = 0; i < streams_.size(); ++i) {
    index_.add(streams_[i].partition, streams_[i].key, i);
    total_ += streams_[i].hashes.size();
  }
}

void Expectation::add(const Route& route, std::string_view value) {
  auto stream = index_.find(route.partition, route.key);
  if (stream == kNoStream) {
    stream = static_cast<std::uint32_t>(streams_.size());
    index_.add(route.partition, route.key, stream);
    streams_.push_back({route.partition, std::string(route.key), {}});
  }
  streams_[stream].hashes.push_back(content_hash(value));
  ++total_;
  ++by_type_[static_cast<unsigned char>(value[0])];
}

}  // namespace tickbridge::verify
