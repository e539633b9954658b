#include "exchange/deflater.h"

#include <cstddef>
#include <new>

namespace tickbridge::exchange {

Deflater::Deflater(int level) {
  if (deflateInit(&stream_, level) != Z_OK) throw std::bad_alloc();
}

Deflater::~Deflater() { deflateEnd(&stream_); }

void Deflater::whole(Bytes in, std::vector<std::byte>& out) {
  out.clear();
  deflateReset(&stream_);
  run(in, Z_FINISH, out);
}

void Deflater::piece(Bytes in, std::vector<std::byte>& out) { run(in, Z_SYNC_FLUSH, out); }

void Deflater::set_level(int level) {
  stream_.avail_in = 0;
  stream_.avail_out = 0;
  deflateParams(&stream_, level, Z_DEFAULT_STRATEGY);  // flushed before, so it has nothing to write
}

void Deflater::run(Bytes in, int flush, std::vector<std::byte>& out) {
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream_.avail_in = static_cast<uInt>(in.size());
  do {
    const std::size_t used = out.size();
    out.resize(used + deflateBound(&stream_, stream_.avail_in) + 16);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream_.avail_out = static_cast<uInt>(out.size() - used);
    deflate(&stream_, flush);
    out.erase(out.end() - static_cast<std::ptrdiff_t>(stream_.avail_out), out.end());
    if (stream_.avail_out > 0) return;
  } while (true);
}

bool looks_like_zlib(Bytes bytes) noexcept {
  if (bytes.size() < 2) return false;
  const unsigned method = std::to_integer<unsigned>(bytes[0]);
  return (method & 0x0FU) == 8 && (method >> 4U) <= 7 && load_be<std::uint16_t>(bytes, 0) % 31 == 0;
}

}  // namespace tickbridge::exchange
