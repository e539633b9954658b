#pragma once

#include <cstddef>

namespace tickbridge {

constexpr std::size_t kCacheLine = 64;

}  // namespace tickbridge
