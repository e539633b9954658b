#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/bytes.h"

/// Real market data lie beside the project, never in it.
namespace tickbridge::tests {

inline std::filesystem::path real_data() { return TICKBRIDGE_SOURCE_DIR "/../shared/data"; }
inline bool have_real_data() { return std::filesystem::exists(real_data()); }

/// The whole file; empty if it cannot be read.
inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// The messages of a BinaryFILE: a u16 big-endian length before each. One that is cut off at the end is left out.
inline std::vector<std::string> read_messages(const std::filesystem::path& path) {
  const std::string file = read_file(path);
  std::vector<std::string> messages;
  for (std::size_t at = 0; at + 2 <= file.size();) {
    const std::size_t size = load_be<std::uint16_t>(as_bytes(file), at);
    if (size == 0 || at + 2 + size > file.size()) break;
    messages.push_back(file.substr(at + 2, size));
    at += 2 + size;
  }
  return messages;
}

}  // namespace tickbridge::tests

/// A test on real data is left out only where there are none at all; one file missing is a failure.
#define TICKBRIDGE_NEEDS_REAL_DATA() \
  if (!::tickbridge::tests::have_real_data()) GTEST_SKIP() << "skipped: no real data"
