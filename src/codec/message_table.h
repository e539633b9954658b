#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/protocol.h"

namespace tickbridge::codec {

/// One field behind the common header.
struct Field {
  enum class Kind : std::uint8_t {
    kNumber,  ///< unsigned, big-endian
    kPrice4,  ///< unsigned, 4 decimals
    kPrice8,  ///< unsigned, 8 decimals
    kText,    ///< printable ASCII, left-justified, padded with spaces: checked
    kSymbol,  ///< as kText: the instrument's symbol
    kCode,    ///< one byte out of `codes`: another one is an unknown code
  };
  std::string_view name;
  std::uint8_t size;
  Kind kind = Kind::kNumber;
  std::string_view codes = {};
};

/// One message type: the row of which validation, documentation and tests are made.
struct MessageType {
  char type;
  std::string_view name;
  std::uint8_t length;            ///< whole message
  std::span<const Field> fields;  ///< from kHeaderSize on, without holes
};

/// Where ITCH-like messages keep what they have in common: type @0, instrument u16 @1, tracking u16 @3, time u48 @5.
constexpr std::size_t kHeaderSize = 11;
constexpr std::uint64_t kDayNanoseconds = 86'400'000'000'000;

/// ITCH 5.0's rows, in the order of the specification.
[[nodiscard]] std::span<const MessageType> itch50_types() noexcept;

/// A protocol whose messages all begin with ITCH's header: a table of types, compiled for quick checks.
class MessageTable final : public Protocol {
 public:
  /// `without`: types of `types` that this market does not have. `directory`: the type that teaches symbols.
  MessageTable(std::string_view name, std::span<const MessageType> types, std::string_view without = {},
               char directory = 'R');

  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] std::uint64_t fingerprint() const override;
  [[nodiscard]] Checked check(Bytes message) const noexcept override;
  [[nodiscard]] std::string_view symbol(Bytes message) const noexcept override;
  [[nodiscard]] std::vector<MessageType> types() const { return types_; }

 private:
  /// Eight bytes of which those under the mask are text.
  struct Window {
    std::uint64_t mask = 0;
    std::uint8_t offset = 0;
  };
  struct Codes {
    std::array<std::uint64_t, 4> known{};  // a bit for each byte value
    std::uint8_t offset = 0;
  };
  /// Has one window and one code at least, if need be such as always hold: then which types come in which order makes
  /// no branch hard to foresee.
  struct Row {
    std::uint8_t length = 0;  // 0: no such type
    bool directory = false;
    std::uint8_t window_count = 0;
    std::uint8_t code_count = 0;
    std::array<Codes, 10> codes{};
    std::array<Window, 4> windows{};
  };
  struct Place {
    std::uint8_t offset = 0;
    std::uint8_t size = 0;
  };
  void find_symbol(const MessageType& directory);
  [[nodiscard]] static Row compile(const MessageType& type);
  static void add_windows(Row& row, const std::array<bool, 256>& text);
  static void add_codes(Row& row, std::uint8_t offset, std::string_view known);
  [[nodiscard]] static bool texts_hold(const Row& row, Bytes message) noexcept;
  [[nodiscard]] static bool codes_known(const Row& row, Bytes message) noexcept;

  std::string name_;
  std::vector<MessageType> types_;
  std::array<std::uint8_t, 256> index_{};  // type → row; 0: unknown
  std::vector<Row> rows_;
  Place symbol_{};  // where the directory message has it
};

}  // namespace tickbridge::codec
