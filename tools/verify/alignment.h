#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tickbridge::verify {

/// One expected value met by one found value; both by their place in what was aligned.
struct Pair {
  std::size_t expected = 0;
  std::size_t found = 0;
};

enum class Extent {
  kWhole,    ///< both sides go to their end
  kOpenEnd,  ///< `expected` goes on behind what was found: of equally long rows the one that ends first is taken
};

/// The longest way to read `found` as `expected` with some left out and some put in: pairs of equal values, rising on
/// both sides (a longest common subsequence, after Hunt and Szymanski). Where values repeat so often that this would
/// take more than about 16 million steps, the n-th of a value is paired with the n-th, and of these pairs the longest
/// rising row is taken.
[[nodiscard]] std::vector<Pair> align(std::span<const std::uint64_t> expected, std::span<const std::uint64_t> found,
                                      Extent extent);

}  // namespace tickbridge::verify
