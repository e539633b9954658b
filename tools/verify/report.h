#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>

#include "comparison.h"
#include "message_file.h"

namespace tickbridge::verify {

/// Types with their numbers, most frequent first.
void print_types(std::ostream& out, const std::array<std::uint64_t, 256>& found);

/// The faults, each with where it is and which message of the file it is about (the file is read again for that).
void print_faults(std::ostream& out, const Verdict& verdict, const Expectation& expectation, MessageFile& file,
                  const Rules& rules, std::int32_t partition_count);

}  // namespace tickbridge::verify
