#pragma once

#include <boost/pfr.hpp>
#include <concepts>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>

namespace tickbridge::journal::model {

/// 64 bits of all that values hold. Aggregates are taken field by field, whatever fields they have: none can be left
/// out.
class Digest {
 public:
  template <typename T>
  void add(const T& value) {
    if constexpr (requires { value.add_to(*this); }) {
      value.add_to(*this);
    } else if constexpr (std::is_enum_v<T> || std::integral<T>) {
      mix(static_cast<std::uint64_t>(value));
    } else if constexpr (std::ranges::range<T>) {
      mix(static_cast<std::uint64_t>(std::ranges::distance(value)));
      for (const typename T::value_type& element : value) add(element);
    } else {
      static_assert(std::is_aggregate_v<T>);
      boost::pfr::for_each_field(value, [this](const auto& field) { add(field); });
    }
  }
  template <typename T>
  void add(const std::optional<T>& value) {
    add(value.has_value());
    if (value) add(*value);
  }
  template <typename A, typename B>
  void add(const std::pair<A, B>& value) {
    add(value.first);
    add(value.second);
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  void mix(std::uint64_t word) noexcept {
    value_ = (value_ ^ word) * 0x9E3779B97F4A7C15U;
    value_ = (value_ ^ (value_ >> 29U)) * 0xBF58476D1CE4E5B9U;
    value_ ^= value_ >> 32U;
  }

  std::uint64_t value_ = 0x6A09E667F3BCC909U;
};

}  // namespace tickbridge::journal::model
