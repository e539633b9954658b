#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tickbridge::config {

/// How many letters must be put in, left out, exchanged or swapped with their neighbour to make `a` of `b`
/// (optimal string alignment). Letters compare without case.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The known name that an unknown one was most likely meant to be; empty only if there are none.
/// A name whose last part is the same (`workers` for `pipeline.workers`) is nearer than any other.
[[nodiscard]] std::string_view nearest(std::string_view unknown, std::span<const std::string_view> known);

}  // namespace tickbridge::config
