#include "codec/message_table.h"

#include <algorithm>

#include "base/check.h"

namespace tickbridge::codec {

namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr std::uint64_t kHighs = 0x8080808080808080U;

/// True if all eight bytes are 0x20 to 0x7E. A byte of 0x7F or more shows in the high bit of x or of x + 1, one below
/// 0x20 in that of x - 0x20; carries only come from bytes that are wrong themselves.
bool printable(std::uint64_t x) noexcept { return ((x | (x + kOnes) | (x - 0x20 * kOnes)) & kHighs) == 0; }

}  // namespace

// FNV-1a over what the checks are made of; names of fields and types are not.
std::uint64_t MessageTable::fingerprint() const {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&hash](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3U; };
  for (const MessageType& type : types_) {
    add(static_cast<std::uint8_t>(type.type));
    add(type.length);
    add(rows_[index_[static_cast<unsigned char>(type.type)]].directory ? 1 : 0);
    for (const Field& field : type.fields) {
      add(field.size);
      add(static_cast<std::uint8_t>(field.kind));
      for (const char code : field.codes) add(static_cast<std::uint8_t>(code));
    }
  }
  return hash;
}

MessageTable::MessageTable(std::string_view name, std::span<const MessageType> types, std::string_view without,
                           char directory)
    : name_{name}, rows_(1) {
  for (const MessageType& type : types) {
    if (without.find(type.type) != std::string_view::npos) continue;
    types_.push_back(type);
    index_[static_cast<unsigned char>(type.type)] = static_cast<std::uint8_t>(rows_.size());
    rows_.push_back(compile(type));
    rows_.back().directory = type.type == directory;
    if (type.type == directory) find_symbol(type);
  }
}

void MessageTable::find_symbol(const MessageType& directory) {
  std::uint8_t offset = kHeaderSize;
  for (const Field& field : directory.fields) {
    if (field.kind == Field::Kind::kSymbol) symbol_ = {offset, field.size};
    offset = static_cast<std::uint8_t>(offset + field.size);
  }
  tickbridge::check(symbol_.size != 0, "message table: the directory message has a symbol");
}

MessageTable::Row MessageTable::compile(const MessageType& type) {
  Row row;
  row.length = type.length;
  std::array<bool, 256> text{};
  std::uint8_t offset = kHeaderSize;
  for (const Field& field : type.fields) {
    if (field.kind == Field::Kind::kText || field.kind == Field::Kind::kSymbol) {
      std::fill_n(text.begin() + offset, field.size, true);
    } else if (field.kind == Field::Kind::kCode) {
      add_codes(row, offset, field.codes);
    }
    offset = static_cast<std::uint8_t>(offset + field.size);
  }
  add_windows(row, text);
  if (row.window_count == 0) row.window_count = 1;
  if (row.code_count == 0) {
    row.codes[0].known.fill(~std::uint64_t{0});
    row.code_count = 1;
  }
  return row;
}

void MessageTable::add_windows(Row& row, const std::array<bool, 256>& text) {
  for (std::size_t at = 0; at < row.length;) {
    if (!text[at]) {
      ++at;
      continue;
    }
    tickbridge::check(row.window_count < row.windows.size(), "message table: text fields fit into a row");
    Window& window = row.windows[row.window_count++];
    window.offset = static_cast<std::uint8_t>(std::min<std::size_t>(at, row.length - 8U));
    for (std::size_t i = 0; i < 8; ++i) {
      if (text[window.offset + i]) window.mask |= std::uint64_t{0xFF} << (8 * i);
    }
    at = window.offset + std::size_t{8};
  }
}

void MessageTable::add_codes(Row& row, std::uint8_t offset, std::string_view known) {
  tickbridge::check(row.code_count < row.codes.size(), "message table: code fields fit into a row");
  Codes& codes = row.codes[row.code_count++];
  codes.offset = offset;
  for (const char code : known) {
    const auto value = static_cast<unsigned char>(code);
    codes.known[value / 64U] |= std::uint64_t{1} << (value % 64U);
  }
}

inline bool MessageTable::texts_hold(const Row& row, Bytes message) noexcept {
  std::size_t i = 0;
  do {
    const Window window = row.windows[i];
    const auto word = load_le<std::uint64_t>(message, window.offset);
    if (!printable((word & window.mask) | (0x20 * kOnes & ~window.mask))) return false;
  } while (++i < row.window_count);
  return true;
}

inline bool MessageTable::codes_known(const Row& row, Bytes message) noexcept {
  bool known = true;
  std::size_t i = 0;
  do {
    const Codes& codes = row.codes[i];
    const auto value = std::to_integer<unsigned>(message[codes.offset]);
    known &= ((codes.known[value / 64U] >> (value % 64U)) & 1U) != 0;
  } while (++i < row.code_count);
  return known;
}

Checked MessageTable::check(Bytes message) const noexcept {
  Checked checked;
  if (message.empty()) {
    checked.verdict = Verdict::kInvalid;
    checked.reason = Reason::kEmpty;
    return checked;
  }
  checked.type = std::to_integer<std::uint8_t>(message[0]);
  if (message.size() >= kHeaderSize) [[likely]] {
    checked.instrument = load_be<std::uint16_t>(message, 1);
    const std::uint64_t time = load_be48(message, 5);
    if (time < kDayNanoseconds) checked.time_ns = time;
  }
  const Row& row = rows_[index_[checked.type]];
  if (row.length == 0) {
    checked.verdict = Verdict::kUnknownType;
    return checked;
  }
  const auto invalid = [&checked](Reason reason) {
    checked.verdict = Verdict::kInvalid;
    checked.reason = reason;
    return checked;
  };
  if (message.size() != row.length) return invalid(Reason::kLength);
  if (checked.time_ns == kNoTime) return invalid(Reason::kTime);
  if (!texts_hold(row, message)) return invalid(Reason::kText);
  if (!codes_known(row, message)) checked.verdict = Verdict::kUnknownCode;
  checked.directory = row.directory;
  return checked;
}

std::string_view MessageTable::symbol(Bytes message) const noexcept {
  std::string_view symbol = as_text(message.subspan(symbol_.offset, symbol_.size));
  return symbol.substr(0, symbol.find_last_not_of(' ') + 1);
}

}  // namespace tickbridge::codec
