#include "codec/protocol.h"

#include <array>

#include "codec/message_table.h"

namespace tickbridge::codec {

namespace {

/// No checks, no instrument, no time: bytes are taken as they are.
class Raw final : public Protocol {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "raw"; }
  [[nodiscard]] std::uint64_t fingerprint() const override { return 0; }
  [[nodiscard]] Checked check(Bytes message) const noexcept override {
    Checked checked;
    if (!message.empty()) checked.type = std::to_integer<std::uint8_t>(message[0]);
    return checked;
  }
  [[nodiscard]] std::string_view symbol(Bytes) const noexcept override { return {}; }
};

constexpr std::array<std::string_view, static_cast<std::size_t>(Reason::kCount)> kReasons{
    "none",          "empty", "length",    "time",         "text",         "inflate",
    "inflate_limit", "split", "too_large", "unknown_type", "unknown_code", "gap"};

}  // namespace

std::string_view name(Reason reason) noexcept { return kReasons[static_cast<std::size_t>(reason)]; }

const Protocol* Protocol::find(std::string_view name) noexcept {
  static const MessageTable itch50{"itch50", itch50_types()};
  static const MessageTable bx{"itch50-bx", itch50_types(), "KO"};
  static const MessageTable psx{"itch50-psx", itch50_types(), "KO"};
  static const Raw raw;
  for (const Protocol* const protocol : std::array<const Protocol*, 4>{&itch50, &bx, &psx, &raw}) {
    if (protocol->name() == name) return protocol;
  }
  return nullptr;
}

}  // namespace tickbridge::codec
