#include "routing/key_store.h"

#include <algorithm>

namespace tickbridge::routing {

std::uint32_t KeyStore::intern(std::string_view key) {
  const auto found = handles_.find(key);
  if (found != handles_.end()) return found->second;
  const auto length = static_cast<std::uint32_t>(key.size());
  const std::uint32_t handle = take((length + kLengthBytes + kSlotBytes - 1) / kSlotBytes);
  char* slot = chunks_[handle >> kSlotBits].get() + (handle & (kSlots - 1)) * kSlotBytes;
  std::memcpy(slot, &length, kLengthBytes);
  std::copy(key.begin(), key.end(), slot + kLengthBytes);
  handles_.emplace(this->key(handle), handle);
  return handle;
}

std::uint32_t KeyStore::take(std::uint32_t slots) {
  if (used_ + slots > kSlots) {
    chunks_.push_back(std::make_unique<char[]>(std::size_t{std::max(slots, kSlots)} * kSlotBytes));
    used_ = 0;
  }
  const auto chunk = static_cast<std::uint32_t>(chunks_.size() - 1);
  const std::uint32_t handle = (chunk << kSlotBits) | used_;
  used_ += slots;
  return handle;
}

}  // namespace tickbridge::routing
