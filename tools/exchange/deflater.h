#pragma once

#include <zlib.h>
#include <vector>

#include "base/bytes.h"

namespace tickbridge::exchange {

/// Deflates either whole packets or one stream in pieces. One thread at a time.
class Deflater {
 public:
  Deflater();
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// Replaces `out` by one whole zlib stream of `in`.
  void whole(Bytes in, std::vector<std::byte>& out);
  /// Appends what `in` adds to the stream, flushed so that the reader can inflate all of it.
  void piece(Bytes in, std::vector<std::byte>& out);

 private:
  void run(Bytes in, int flush, std::vector<std::byte>& out);
  z_stream stream_{};
};

/// True if the bytes begin as a zlib stream does (RFC 1950).
[[nodiscard]] bool looks_like_zlib(Bytes bytes) noexcept;

}  // namespace tickbridge::exchange
