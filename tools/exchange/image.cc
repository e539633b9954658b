#include "exchange/image.h"

#include <algorithm>
#include <utility>

namespace tickbridge::exchange {

Image::Image(Bytes records, std::uint32_t loops, const WireOptions& options, const Faults& faults)
    : writer_{records, loops, options, faults}, begins_(1) {
  complete_ = writer_.at_end(begins_.front());
}

std::shared_ptr<const Chunk> Image::find(std::uint64_t packet) {
  while (packet > begins_.back().packet + 1 && extend()) {
  }
  if (packet == begins_.back().packet + 1) extend_encoded();
  if (packet == 0 || packet > begins_.back().packet) return nullptr;
  const auto next = std::ranges::lower_bound(begins_, packet, {}, &Place::packet);
  return chunk(static_cast<std::size_t>(next - begins_.begin()) - 1);
}

void Image::encode_ahead() {
  while (kept_.size() < kChunksKept && !complete_) extend_encoded();
}

std::uint64_t Image::packets_within(std::uint64_t messages) {
  while (messages > begins_.back().messages && extend()) {
  }
  if (messages >= begins_.back().messages) return begins_.back().packet;
  const auto next = std::ranges::upper_bound(begins_, messages, {}, &Place::messages);
  const auto index = static_cast<std::size_t>(next - begins_.begin()) - 1;
  const auto inside = chunk(index);
  const std::uint64_t wanted = messages - begins_[index].messages;
  const auto whole = std::ranges::upper_bound(inside->messages, wanted) - inside->messages.begin();
  return begins_[index].packet + static_cast<std::uint64_t>(whole);
}

std::uint64_t Image::last_up_to(std::uint64_t limit) {
  while (limit > begins_.back().packet && extend()) {
  }
  return std::min(limit, begins_.back().packet);
}

/// Goes through one chunk's messages without encoding them. false: there is none.
bool Image::extend() {
  if (complete_) return false;
  Place place = begins_.back();
  std::vector<std::byte> none;
  for (std::size_t payload = 0; payload < kChunkPayload && !writer_.at_end(place); payload += writer_.payload_bytes()) {
    writer_.append(place, none, true);
  }
  complete_ = writer_.at_end(place);
  begins_.push_back(place);
  return true;
}

/// The same, but keeps the bytes: whoever asks for a chunk behind the others wants to send it.
void Image::extend_encoded() {
  if (complete_) return;
  Place place = begins_.back();
  keep(begins_.size() - 1, encode(place));
  complete_ = writer_.at_end(place);
  begins_.push_back(place);
}

std::shared_ptr<const Chunk> Image::chunk(std::size_t index) {
  const auto found = kept_.find(index);
  if (found != kept_.end()) return found->second;
  Place place = begins_[index];
  auto made = encode(place);
  keep(index, made);
  return made;
}

void Image::keep(std::size_t index, std::shared_ptr<const Chunk> chunk) {
  if (kept_.size() >= kChunksKept) {
    kept_.erase(kept_order_.front());
    kept_order_.pop_front();
  }
  kept_order_.push_back(index);
  kept_[index] = std::move(chunk);
}

std::shared_ptr<const Chunk> Image::encode(Place& place) {
  const std::uint64_t messages_before = place.messages;
  auto chunk = std::make_shared<Chunk>();
  chunk->first = place.packet + 1;
  chunk->bytes.reserve(kChunkPayload + kChunkPayload / 8);
  for (std::size_t payload = 0; payload < kChunkPayload && !writer_.at_end(place); payload += writer_.payload_bytes()) {
    writer_.append(place, chunk->bytes);
    chunk->ends.push_back(static_cast<std::uint32_t>(chunk->bytes.size()));
    chunk->messages.push_back(static_cast<std::uint32_t>(place.messages - messages_before));
  }
  return chunk;
}

}  // namespace tickbridge::exchange
