#include "base/text.h"

#include <cstddef>

namespace tickbridge {

namespace {

bool in(char c, unsigned low, unsigned high) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= low && byte <= high;
}

/// The length in bytes of the well-formed character at the start of `text`, 0 where there is none.
std::size_t character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  std::size_t size = 0;
  unsigned low = 0x80;  // of the second byte: shuts out overlong forms, surrogates and what lies past U+10FFFF
  unsigned high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) size = 2;
  if (lead >= 0xe0 && lead <= 0xef) size = 3, low = lead == 0xe0 ? 0xa0 : 0x80, high = lead == 0xed ? 0x9f : 0xbf;
  if (lead >= 0xf0 && lead <= 0xf4) size = 4, low = lead == 0xf0 ? 0x90 : 0x80, high = lead == 0xf4 ? 0x8f : 0xbf;
  if (size == 0 || text.size() < size || !in(text[1], low, high)) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if (!in(text[i], 0x80, 0xbf)) return 0;
  }
  return size;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else {
    const auto byte = static_cast<unsigned char>(c);
    out += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
}

template <class Ascii>
std::string convert(std::string_view text, Ascii ascii) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = character(text);
    if (size == 1) {
      ascii(out, text[0]);
    } else {
      out += size == 0 ? std::string_view{"\xef\xbf\xbd"} : text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  return convert(text, [](std::string& out, char c) { out += c; });
}

std::string one_line(std::string_view text) {
  return convert(text, [](std::string& out, char c) {
    if (in(c, 0x20, 0x7e)) {
      out += c;
    } else {
      append_escaped(out, c);
    }
  });
}

}  // namespace tickbridge
