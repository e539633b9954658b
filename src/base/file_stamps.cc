#include "base/file_stamps.h"

#include <sys/stat.h>

namespace tickbridge {

FileStamps::FileStamps(std::vector<std::string> files) : files_{std::move(files)}, stamps_{look()} {}

FileStamps::Stamp FileStamps::look(const std::string& file) {
  struct stat found{};
  if (file.empty() || ::stat(file.c_str(), &found) != 0) return {};
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {.inode = found.st_ino,
          .size = found.st_size,
          .modified_ns = found.st_mtim.tv_sec * kSecond + found.st_mtim.tv_nsec};
}

std::vector<FileStamps::Stamp> FileStamps::look() const {
  std::vector<Stamp> stamps;
  for (const std::string& file : files_) stamps.push_back(look(file));
  return stamps;
}

bool FileStamps::changed() {
  const std::vector<Stamp> before = std::exchange(stamps_, look());
  return before != stamps_;
}

}  // namespace tickbridge
