#include "itch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace tickbridge::verify {
namespace {

constexpr std::int64_t kDay = 86'400'000'000'000;
constexpr std::size_t kHeader = 11;

/// A text field (printable ASCII), or one byte out of `codes`.
struct Field {
  std::size_t offset = 0;
  std::size_t length = 0;  ///< 0: no field
  std::string_view codes;  ///< empty: text
};

struct Type {
  char type = 0;
  std::size_t length = 0;
  std::array<Field, 12> fields{};
};

constexpr Field text(std::size_t offset, std::size_t length) { return {offset, length, {}}; }
constexpr Field code(std::size_t offset, std::string_view codes) { return {offset, 1, codes}; }
constexpr Field stock(std::size_t offset) { return text(offset, 8); }

constexpr std::array<Type, 23> kTypes = {{
    {'S', 12, {{code(11, "OSQMEC")}}},
    {'R',
     39,
     {{stock(11), code(19, "QGSNAPZV "), code(20, "DEQSGHJKCN "), code(25, "YN"), code(26, "ABCFILNOPQRSTUVW"),
       text(27, 2), code(29, "PT"), code(30, "YN "), code(31, "YN "), code(32, "12 "), code(33, "YN "),
       code(38, "YN")}}},
    {'H', 25, {{stock(11), code(19, "HPQT"), text(20, 1), text(21, 4)}}},
    {'Y', 20, {{stock(11), code(19, "012")}}},
    {'L', 26, {{text(11, 4), stock(15), code(23, "YN"), code(24, "NPSRL"), code(25, "AEWSD")}}},
    {'V', 35, {}},
    {'W', 12, {{code(11, "123")}}},
    {'K', 28, {{stock(11), code(23, "AC")}}},
    {'J', 35, {{stock(11)}}},
    {'h', 21, {{stock(11), code(19, "QBX"), code(20, "HT")}}},
    {'A', 36, {{code(19, "BS"), stock(24)}}},
    {'F', 40, {{code(19, "BS"), stock(24), text(36, 4)}}},
    {'E', 31, {}},
    {'C', 36, {{code(31, "YN")}}},
    {'X', 23, {}},
    {'D', 19, {}},
    {'U', 35, {}},
    {'P', 44, {{code(19, "BS"), stock(24)}}},
    {'Q', 40, {{stock(19), code(39, "OCHIA")}}},
    {'B', 19, {}},
    {'I', 50, {{code(27, "BSNOP"), stock(28), code(48, "OCHA"), code(49, "L123456789ABC ")}}},
    {'N', 20, {{stock(11), code(19, "BSAN")}}},
    {'O', 48, {{stock(11), code(19, "YN")}}},
}};

constexpr std::array<const Type*, 256> make_index() {
  std::array<const Type*, 256> index{};
  for (const auto& type : kTypes) index[static_cast<unsigned char>(type.type)] = &type;
  return index;
}
constexpr auto kByType = make_index();

/// Bytes 5 to 10, big-endian. REQUIRES: at least 11 bytes.
std::int64_t time_of(std::string_view bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + 3, sizeof word);
  if constexpr (std::endian::native == std::endian::little) word = __builtin_bswap64(word);
  return static_cast<std::int64_t>(word & 0xffffffffffffU);
}

bool printable(std::string_view bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

void look_at_fields(const Type& type, std::string_view bytes, Message& message) noexcept {
  for (const auto& field : type.fields) {
    if (field.length == 0) return;
    const auto content = bytes.substr(field.offset, field.length);
    if (field.codes.empty()) {
      message.invalid = message.invalid || !printable(content);
    } else if (field.codes.find(content[0]) == std::string_view::npos) {
      message.unknown = true;
    }
  }
}

}  // namespace

Message look_at_itch(std::string_view bytes) noexcept {
  Message message;
  if (bytes.empty()) return {.invalid = true};
  const Type* type = kByType[static_cast<unsigned char>(bytes[0])];
  if (type != nullptr && bytes.size() != type->length) return {.invalid = true};
  if (bytes.size() < kHeader) return {.unknown = true};
  message.unknown = type == nullptr;
  message.instrument =
      static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[1]) << 8U | static_cast<unsigned char>(bytes[2]));
  const auto time = time_of(bytes);
  if (time < kDay) message.time_ns = time;
  if (type == nullptr) return message;  // of its fields nothing is known but those that all types have
  message.invalid = time >= kDay;
  look_at_fields(*type, bytes, message);
  message.directory = bytes[0] == 'R' && !message.invalid;
  return message;
}

std::string_view directory_symbol(std::string_view bytes) noexcept {
  const auto symbol = bytes.substr(11, 8);
  return symbol.substr(0, symbol.find_last_not_of(' ') + 1);
}

}  // namespace tickbridge::verify
