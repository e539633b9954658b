#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tickbridge::routing {

/// Each key once, at an address that never changes. A key is known by a 32-bit handle.
///
///     handle: chunk (20 bits) | slot in it (12 bits)      slot: 16 bytes: u32 length, characters
///
/// A key of up to 12 characters is one slot, so that reading it touches one cache line. Longer ones take
/// several, and one that exceeds a chunk has a chunk of its own.
class KeyStore {
 public:
  /// The key's handle; stores it the first time. Hashes, may allocate.
  [[nodiscard]] std::uint32_t intern(std::string_view key);

  /// Valid as long as the store. REQUIRES: a handle from intern().
  [[nodiscard]] std::string_view key(std::uint32_t handle) const noexcept {
    const char* slot = chunks_[handle >> kSlotBits].get() + (handle & (kSlots - 1)) * kSlotBytes;
    std::uint32_t length;
    std::memcpy(&length, slot, kLengthBytes);
    return {slot + kLengthBytes, length};
  }

  /// Fetches a key from memory, where there is one.
  void prefetch(std::uint32_t handle) const noexcept {
    const std::uint32_t chunk = handle >> kSlotBits;
    if (chunk < chunks_.size()) __builtin_prefetch(chunks_[chunk].get() + (handle & (kSlots - 1)) * kSlotBytes);
  }

  /// Different keys interned.
  [[nodiscard]] std::size_t size() const noexcept { return handles_.size(); }

 private:
  static constexpr std::uint32_t kSlotBytes = 16;
  static constexpr std::uint32_t kLengthBytes = sizeof(std::uint32_t);
  static constexpr std::uint32_t kSlotBits = 12;
  static constexpr std::uint32_t kSlots = 1U << kSlotBits;

  [[nodiscard]] std::uint32_t take(std::uint32_t slots);

  std::vector<std::unique_ptr<char[]>> chunks_;
  std::uint32_t used_ = kSlots;  // slots taken in the newest chunk
  std::unordered_map<std::string_view, std::uint32_t> handles_;
};

}  // namespace tickbridge::routing
