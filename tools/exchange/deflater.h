#pragma once

#include <zlib.h>
#include <vector>

#include "base/bytes.h"

namespace tickbridge::exchange {

/// Deflates either whole packets or one stream in pieces. One thread at a time.
class Deflater {
 public:
  /// `level`: zlib's, 1 to 9. Only from 6 on do zeros deflate 1000:1.
  explicit Deflater(int level = 1);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// Replaces `out` by one whole zlib stream of `in`.
  void whole(Bytes in, std::vector<std::byte>& out);
  /// Appends what `in` adds to the stream, flushed so that the reader can inflate all of it.
  void piece(Bytes in, std::vector<std::byte>& out);
  /// Changes the level of what comes from now on.
  void set_level(int level);

 private:
  void run(Bytes in, int flush, std::vector<std::byte>& out);
  z_stream stream_{};
};

/// True if the bytes begin as a zlib stream does (RFC 1950).
[[nodiscard]] bool looks_like_zlib(Bytes bytes) noexcept;

}  // namespace tickbridge::exchange
