#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// What all ITCH 5.0 messages have in common. Include <tickbridge/itch50.h>.
namespace tickbridge::itch50 {

/// A price as the exchange sends it: a whole number of 10^-Decimals dollars. Never a floating-point number,
/// which could not hold it exactly.
template <class Raw, int Decimals>
class BasicPrice {
 public:
  static constexpr int kDecimals = Decimals;

  constexpr BasicPrice() = default;
  constexpr explicit BasicPrice(Raw raw) noexcept : raw_(raw) {}

  /// The number as sent: 1706300 is 170.6300 with 4 decimals.
  [[nodiscard]] constexpr Raw raw() const noexcept { return raw_; }
  /// Dollars before the decimal point, and 10^-Decimals dollars behind it.
  [[nodiscard]] constexpr Raw whole() const noexcept { return raw_ / kOne; }
  [[nodiscard]] constexpr Raw fraction() const noexcept { return raw_ % kOne; }
  /// All decimals, no currency: "170.6300".
  [[nodiscard]] std::string text() const {
    std::string decimals = std::to_string(fraction());
    decimals.insert(0, static_cast<std::size_t>(Decimals) - decimals.size(), '0');
    return std::to_string(whole()) + '.' + decimals;
  }

  [[nodiscard]] friend constexpr bool operator==(BasicPrice a, BasicPrice b) noexcept { return a.raw_ == b.raw_; }
  [[nodiscard]] friend constexpr bool operator!=(BasicPrice a, BasicPrice b) noexcept { return a.raw_ != b.raw_; }
  [[nodiscard]] friend constexpr bool operator<(BasicPrice a, BasicPrice b) noexcept { return a.raw_ < b.raw_; }

 private:
  static constexpr Raw power_of_ten(int exponent) noexcept {
    return exponent == 0 ? Raw{1} : static_cast<Raw>(power_of_ten(exponent - 1) * 10U);
  }
  static constexpr Raw kOne = power_of_ten(Decimals);

  Raw raw_ = 0;
};

using Price = BasicPrice<std::uint32_t, 4>;       ///< Price(4) of the specification
using LevelPrice = BasicPrice<std::uint64_t, 8>;  ///< Price(8): the circuit breaker's levels only

namespace detail {

template <std::size_t... I>
[[nodiscard]] constexpr std::uint64_t load_be(const char* at, std::index_sequence<I...>) noexcept {
  return ((std::uint64_t{static_cast<unsigned char>(at[I])} << (8 * (sizeof...(I) - 1 - I))) | ...);
}

/// Big-endian, at any alignment. REQUIRES: Size bytes at `at`.
template <std::size_t Size>
[[nodiscard]] constexpr std::uint64_t load_be(const char* at) noexcept {
  return load_be(at, std::make_index_sequence<Size>{});
}

[[nodiscard]] constexpr std::string_view without_padding(std::string_view text) noexcept {
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

}  // namespace detail

/// A view of one message: a pointer to its bytes, whose type and length have been checked. It is as cheap to copy as
/// the pointer, and valid as long as the bytes. Field values are not checked: an exchange adds codes over the years.
///
/// Derived classes name the fields; that each lies within the message is checked at compile time.
template <class Derived, char Type, std::size_t Size>
class Message {
 public:
  static constexpr char kType = Type;         ///< the message's first byte
  static constexpr std::size_t kSize = Size;  ///< the whole message, bytes

  /// The message in `bytes`, or nothing if they are not exactly one message of this type.
  [[nodiscard]] static std::optional<Derived> from(std::string_view bytes) noexcept {
    if (bytes.size() != Size || bytes.front() != Type) return std::nullopt;
    return Derived(bytes.data());
  }
  [[nodiscard]] static std::optional<Derived> from(const void* data, std::size_t size) noexcept {
    return from(std::string_view(static_cast<const char*>(data), size));
  }

  /// The message itself, as received.
  [[nodiscard]] std::string_view bytes() const noexcept { return {at_, Size}; }

  /// The number of the instrument today; 0: the message concerns none.
  [[nodiscard]] std::uint16_t stock_locate() const noexcept { return number_at<std::uint16_t, 1>(); }
  /// Nasdaq's own.
  [[nodiscard]] std::uint16_t tracking_number() const noexcept { return number_at<std::uint16_t, 3>(); }
  /// Since midnight, exchange time.
  [[nodiscard]] std::chrono::nanoseconds timestamp() const noexcept {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(detail::load_be<6>(at_ + 5)));
  }

 protected:
  explicit Message(const char* at) noexcept : at_(at) {}

  template <class Number, std::size_t Offset>
  [[nodiscard]] Number number_at() const noexcept {
    static_assert(Offset + sizeof(Number) <= Size);
    return static_cast<Number>(detail::load_be<sizeof(Number)>(at_ + Offset));
  }
  template <std::size_t Offset>
  [[nodiscard]] Price price_at() const noexcept {
    return Price(number_at<std::uint32_t, Offset>());
  }
  template <std::size_t Offset>
  [[nodiscard]] char code_at() const noexcept {
    static_assert(Offset < Size);
    return at_[Offset];
  }
  template <std::size_t Offset, std::size_t Length>
  [[nodiscard]] std::string_view text_at() const noexcept {
    static_assert(Offset + Length <= Size);
    return detail::without_padding({at_ + Offset, Length});
  }

 private:
  const char* at_;
};

}  // namespace tickbridge::itch50
