#pragma once

#include <zlib.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tickbridge::verify {

/// A BinaryFILE (a 2-byte big-endian length before each message, length 0 ends it), gzipped or not.
class MessageFile {
 public:
  explicit MessageFile(std::string path);

  /// The next message, valid until the next call; nothing at the end. Throws std::runtime_error where it cannot be
  /// read.
  [[nodiscard]] bool next(std::string_view& message);
  void rewind();
  /// Bytes of a message that the file's end cut off; known once next() has said no.
  [[nodiscard]] std::size_t cut_off() const noexcept { return end_ - begin_; }

 private:
  bool have(std::size_t count);
  [[nodiscard]] const char* at() const noexcept { return buffer_.data() + begin_; }

  std::string path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool ended_ = false;
};

}  // namespace tickbridge::verify
