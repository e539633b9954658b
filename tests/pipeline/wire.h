#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

/// Wire bytes for tests, written from the specifications and not from src/codec.
namespace tickbridge::tests::wire {

template <class T>
std::string be(T value) {
  std::string out(sizeof(T), '\0');
  store_be(MutableBytes{reinterpret_cast<std::byte*>(out.data()), out.size()}, 0, value);
  return out;
}
inline std::string be48(std::uint64_t value) { return be(value).substr(2); }
inline std::string pad(std::string_view text, std::size_t size) {
  std::string out{text};
  out.resize(size, ' ');
  return out;
}

inline std::string soup(char type, std::string_view payload = {}) {
  return be(static_cast<std::uint16_t>(payload.size() + 1)) + type + std::string{payload};
}
inline std::string accepted(std::string_view session, std::uint64_t sequence) {
  const std::string number = std::to_string(sequence);
  return soup('A', std::string(10 - session.size(), ' ') + std::string{session} + std::string(20 - number.size(), ' ') +
                       number);
}

inline std::string itch_header(char type, std::uint16_t locate, std::uint64_t time_ns) {
  return std::string{type} + be(locate) + be(std::uint16_t{0}) + be48(time_ns);
}
inline std::string directory(std::uint16_t locate, std::string_view symbol, std::uint64_t time_ns = 1) {
  return itch_header('R', locate, time_ns) + pad(symbol, 8) + "QN" + be(std::uint32_t{100}) + "NCZ PNN1N" +
         be(std::uint32_t{0}) + "N";
}
inline std::string order_delete(std::uint16_t locate, std::uint64_t reference, std::uint64_t time_ns) {
  return itch_header('D', locate, time_ns) + be(reference);
}
inline std::string block(std::string_view message) {
  return be(static_cast<std::uint16_t>(message.size())) + std::string{message};
}
inline std::string mold(std::string_view session, std::uint64_t sequence, std::uint16_t count,
                        std::string_view blocks) {
  return pad(session, 10) + be(sequence) + be(count) + std::string{blocks};
}
inline std::string zlib(std::string_view plain) {
  uLongf size = ::compressBound(plain.size());
  std::string out(size, '\0');
  ::compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(plain.data()), plain.size(),
              6);
  out.resize(size);
  return out;
}

}  // namespace tickbridge::tests::wire
