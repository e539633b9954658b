#include "exchange/login.h"

#include <charconv>
#include <string_view>

#include "exchange/packets.h"

namespace tickbridge::exchange {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

template <typename T>
bool parse_number(std::string_view field, T& value) {
  const std::string_view digits = trimmed(field);
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  return error == std::errc{} && stop == end;
}

std::string right_justified(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

}  // namespace

std::optional<LoginRequest> parse_login(SoupVersion version, Bytes payload) {
  constexpr std::size_t kSize = 46;
  constexpr std::size_t kTimeout = 5;
  const bool timed = version == SoupVersion::k410;
  if (payload.size() != kSize + (timed ? kTimeout : 0)) return std::nullopt;
  const std::string_view text = as_text(payload);
  LoginRequest request;
  request.username = trimmed(text.substr(0, 6));
  request.password = trimmed(text.substr(6, 10));
  request.session = trimmed(text.substr(16, 10));
  if (!parse_number(text.substr(26, 20), request.sequence)) return std::nullopt;
  if (timed && !parse_number(text.substr(46, kTimeout), request.timeout_ms)) return std::nullopt;
  return request;
}

void append_accepted(const std::string& session, std::uint64_t sequence, std::vector<std::byte>& out) {
  const std::string payload = right_justified(session, 10) + right_justified(std::to_string(sequence), 20);
  append_soup('A', as_bytes(payload), out);
}

void append_rejected(char reason, std::vector<std::byte>& out) { append_soup('J', as_bytes({&reason, 1}), out); }

}  // namespace tickbridge::exchange
