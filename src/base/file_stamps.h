#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tickbridge {

/// Tells whether one of some files has changed: certificates are renewed under a running daemon.
class FileStamps {
 public:
  /// Empty names are passed over.
  explicit FileStamps(std::vector<std::string> files);
  /// Since the last call, or the beginning. A file that is gone has changed.
  [[nodiscard]] bool changed();

 private:
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    std::int64_t modified_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  [[nodiscard]] static Stamp look(const std::string& file);
  [[nodiscard]] std::vector<Stamp> look() const;

  std::vector<std::string> files_;
  std::vector<Stamp> stamps_;
};

}  // namespace tickbridge
