#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace tickbridge::journal {

/// A record as alignment compares it: XXH3 (64 bits) over key and value, not timestamp, not headers. An empty key and
/// none are the same.
[[nodiscard]] std::uint64_t record_hash(std::string_view key, Bytes value) noexcept;

}  // namespace tickbridge::journal
