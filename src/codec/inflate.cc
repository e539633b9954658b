#include "codec/inflate.h"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace tickbridge::codec {

struct PacketInflater::State {
  InflateLimits limits;
  libdeflate_decompressor* decompressor;
};

PacketInflater::PacketInflater(InflateLimits limits)
    : state_{std::make_unique<State>(State{limits, ::libdeflate_alloc_decompressor()})} {
  if (state_->decompressor == nullptr) throw std::bad_alloc{};
}
PacketInflater::~PacketInflater() {
  if (state_) ::libdeflate_free_decompressor(state_->decompressor);
}
PacketInflater::PacketInflater(PacketInflater&&) noexcept = default;
PacketInflater& PacketInflater::operator=(PacketInflater&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Inflated PacketInflater::inflate(Bytes packet, MutableBytes out) noexcept {
  const std::size_t ratio_limit = std::max<std::size_t>(packet.size() * state_->limits.max_ratio, 1);
  const std::size_t limit = std::min({out.size(), state_->limits.max_bytes, ratio_limit});
  std::size_t used = 0;
  std::size_t given = 0;
  switch (::libdeflate_zlib_decompress_ex(state_->decompressor, packet.data(), packet.size(), out.data(), limit, &used,
                                          &given)) {
    case LIBDEFLATE_SUCCESS:
      if (used != packet.size()) return {0, Reason::kInflate};
      return {given, Reason::kNone};
    case LIBDEFLATE_INSUFFICIENT_SPACE:
      return {0, Reason::kInflateLimit};
    default:
      return {0, Reason::kInflate};
  }
}

bool PacketInflater::looks_like_zlib(Bytes packet) noexcept {
  if (packet.size() < 8) return false;  // two of header, two of an empty block, four of Adler-32
  const auto cmf = std::to_integer<unsigned>(packet[0]);
  const auto flags = std::to_integer<unsigned>(packet[1]);
  return (cmf & 0x0FU) == 8 && (cmf >> 4U) <= 7 && (flags & 0x20U) == 0 && (cmf * 256 + flags) % 31 == 0;
}

struct StreamInflater::State {
  static constexpr std::uint64_t kJudgedFrom = 1U << 20U;  // a ratio says little about the first few bytes
  z_stream stream{};
  std::size_t max_ratio = 0;
  bool ended = false;

  explicit State(std::size_t ratio) : max_ratio{ratio} {
    if (::inflateInit(&stream) != Z_OK) throw std::bad_alloc{};
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { ::inflateEnd(&stream); }

  [[nodiscard]] bool beyond_ratio() const noexcept {
    return max_ratio != 0 && stream.total_out > kJudgedFrom && stream.total_out / max_ratio > stream.total_in;
  }
};

StreamInflater::StreamInflater(std::size_t max_ratio) : state_{std::make_unique<State>(max_ratio)} {}
StreamInflater::~StreamInflater() = default;
StreamInflater::StreamInflater(StreamInflater&&) noexcept = default;
StreamInflater& StreamInflater::operator=(StreamInflater&&) noexcept = default;

void StreamInflater::reset() noexcept {
  ::inflateReset(&state_->stream);
  state_->ended = false;
}

StreamInflater::Step StreamInflater::step(Bytes in, MutableBytes out) noexcept {
  Step step;
  step.ended = state_->ended;
  if (step.ended || out.empty()) return step;  // zlib would call no room an error
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
  in = in.first(std::min(in.size(), kMost));
  out = out.first(std::min(out.size(), kMost));
  z_stream& stream = state_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));  // zlib does not write there
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = ::inflate(&stream, Z_NO_FLUSH);
  step.taken = in.size() - stream.avail_in;
  step.given = out.size() - stream.avail_out;
  step.ended = state_->ended = code == Z_STREAM_END;
  if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) step.reason = Reason::kInflate;
  if (state_->beyond_ratio()) step.reason = Reason::kInflateLimit;
  return step;
}

}  // namespace tickbridge::codec
