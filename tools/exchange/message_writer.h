#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.h"

namespace tickbridge::exchange {

/// The longest ITCH 5.0 message and its BinaryFILE length.
constexpr std::size_t kMaxItchRecord = 2 + 50;

/// Writes one BinaryFILE record (u16 length, ITCH 5.0 message), field after field.
class MessageWriter {
 public:
  /// REQUIRES: out holds kMaxItchRecord bytes.
  explicit MessageWriter(MutableBytes out) noexcept : out_{out} {}

  /// The 11 bytes that all types share. `time`: nanoseconds since midnight.
  void begin(char type, std::uint16_t locate, std::uint16_t tracking, std::uint64_t time) noexcept {
    size_ = 2;
    letter(type);
    u16(locate);
    u16(tracking);
    u16(static_cast<std::uint16_t>(time >> 32U));
    u32(static_cast<std::uint32_t>(time));
  }
  void letter(char value) noexcept { out_[size_++] = static_cast<std::byte>(value); }
  void u16(std::uint16_t value) noexcept { put(value); }
  void u32(std::uint32_t value) noexcept { put(value); }
  void u64(std::uint64_t value) noexcept { put(value); }
  void stock(const std::array<char, 8>& name) noexcept { text({name.data(), name.size()}); }
  void text(std::string_view value) noexcept {
    std::memcpy(out_.data() + size_, value.data(), value.size());
    size_ += value.size();
  }
  /// Fills in the length. @return bytes of the record.
  std::size_t finish() noexcept {
    store_be<std::uint16_t>(out_, 0, static_cast<std::uint16_t>(size_ - 2));
    return size_;
  }

 private:
  template <typename T>
  void put(T value) noexcept {
    store_be<T>(out_, size_, value);
    size_ += sizeof(T);
  }
  MutableBytes out_;
  std::size_t size_ = 0;
};

}  // namespace tickbridge::exchange
