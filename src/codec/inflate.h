#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "codec/protocol.h"

namespace tickbridge::codec {

/// Limits against bombs. Both hold; the ratio is judged over what has been inflated in one stream.
struct InflateLimits {
  std::size_t max_bytes = 1048576;
  std::size_t max_ratio = 200;
};

/// What inflating gave: bytes written, or why not (kInflate, kInflateLimit).
struct Inflated {
  std::size_t size = 0;
  Reason reason = Reason::kNone;
};

/// Inflates whole zlib packets (libdeflate). One thread at a time.
class PacketInflater {
 public:
  explicit PacketInflater(InflateLimits limits);
  ~PacketInflater();
  PacketInflater(PacketInflater&&) noexcept;
  PacketInflater& operator=(PacketInflater&&) noexcept;

  /// Inflates the one zlib stream that `packet` is. REQUIRES: out.size() >= limits.max_bytes.
  /// Trailing bytes after the stream are kInflate. Throws std::bad_alloc never: failure of the
  /// environment shows at construction.
  [[nodiscard]] Inflated inflate(Bytes packet, MutableBytes out) noexcept;

  /// True if the packet begins like a zlib stream (RFC 1950: CM, CINFO, FCHECK), for zlib-auto.
  [[nodiscard]] static bool looks_like_zlib(Bytes packet) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Inflates one zlib stream that comes in pieces (zlib). One thread at a time.
class StreamInflater {
 public:
  /// `max_ratio` is judged over the whole stream, once it has given 1 MiB; 0: none.
  explicit StreamInflater(std::size_t max_ratio);
  ~StreamInflater();
  StreamInflater(StreamInflater&&) noexcept;
  StreamInflater& operator=(StreamInflater&&) noexcept;

  struct Step {
    std::size_t taken = 0;  ///< bytes of `in` used up
    std::size_t given = 0;  ///< bytes of `out` written
    bool ended = false;     ///< the stream said its end; what follows it is not ours to read
    Reason reason = Reason::kNone;
  };
  /// Moves what it can from `in` to `out`.
  [[nodiscard]] Step step(Bytes in, MutableBytes out) noexcept;
  /// A new stream (a new connection).
  void reset() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tickbridge::codec
