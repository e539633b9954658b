#include "codec/soup.h"

#include <algorithm>
#include <charconv>

namespace tickbridge::codec::soup {

namespace {

std::string left(std::string_view text, std::size_t size) {
  std::string out{text.substr(0, size)};
  out.resize(size, ' ');
  return out;
}

std::string right(std::string_view text, std::size_t size) {
  const std::string_view cut = text.substr(0, size);
  return std::string(size - cut.size(), ' ') + std::string{cut};
}

std::string packet(char type, std::string_view payload) {
  const std::size_t length = payload.size() + 1;
  return std::string{static_cast<char>(length >> 8U), static_cast<char>(length & 0xFFU), type} + std::string{payload};
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

}  // namespace

std::string login_request(SoupVersion version, const Login& login) {
  std::string payload = left(login.username, 6) + left(login.password, 10) + right(login.session, 10) +
                        right(std::to_string(login.sequence), 20);
  if (version == SoupVersion::k410) payload += right(std::to_string(std::min(login.heartbeat_timeout_ms, 99'999U)), 5);
  return packet(kLogin, payload);
}

std::string_view client_heartbeat() noexcept { return {"\0\1R", 3}; }
std::string_view logout_request() noexcept { return {"\0\1O", 3}; }

std::optional<Accepted> parse_accepted(Bytes payload) noexcept {
  if (payload.size() != 30) return std::nullopt;
  const std::string_view text = as_text(payload);
  const std::string_view number = trim(text.substr(10));
  Accepted accepted;
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), accepted.sequence);
  if (code != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  accepted.session = trim(text.substr(0, 10));
  if (!printable(accepted.session)) return std::nullopt;
  return accepted;
}

}  // namespace tickbridge::codec::soup
