#include "ops/http_access.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <fstream>

namespace tickbridge::ops {
namespace {

constexpr std::size_t kShortest = 16;
constexpr std::size_t kLongest = 1024;

Error wrong(const HttpOptions& options, std::string_view what) {
  return error(ExitCode::kConfig,
               fmt::format("http.token_file = \"{}\": {}; it holds one line of at least {} printable letters, such as "
                           "\"openssl rand -hex 24\" prints",
                           options.token_file, what, kShortest));
}

bool is_token(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// What follows the scheme's name and blanks; nothing: another scheme.
std::string_view after(std::string_view scheme, std::string_view value) {
  const bool is = value.size() > scheme.size() && value[scheme.size()] == ' ' &&
                  std::ranges::equal(scheme, value.substr(0, scheme.size()), [](char a, char b) {
                    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
                  });
  if (!is) return {};
  value.remove_prefix(scheme.size());
  const std::size_t begin = value.find_first_not_of(' ');
  return begin == std::string_view::npos ? std::string_view{} : value.substr(begin);
}

std::string from_base64(std::string_view text) {
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return {};
  out.resize(static_cast<std::size_t>(size));
  for (; text.ends_with('=') && !out.empty(); text.remove_suffix(1)) out.pop_back();  // it counts the padding
  return out;
}

}  // namespace

Result<HttpAccess> HttpAccess::create(const HttpOptions& options) {
  HttpAccess access;
  if (options.token_file.empty()) return access;
  std::ifstream file{options.token_file};
  std::string token;
  if (!std::getline(file, token)) return wrong(options, "cannot be read, or is empty");
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.size() < kShortest) return wrong(options, "the token is too short to keep anybody out");
  if (token.size() > kLongest) return wrong(options, "the token is too long");
  if (!is_token(token)) return wrong(options, "the token has a blank or a letter that is not printable ASCII");
  access.token_ = std::move(token);
  return access;
}

bool HttpAccess::admits(std::string_view authorization) const {
  if (token_.empty()) return true;
  if (const auto bearer = after("Bearer", authorization); !bearer.empty()) return same(bearer, token_);
  const auto basic = after("Basic", authorization);
  if (basic.empty() || basic.size() > 4 * kLongest) return false;
  const std::string pair = from_base64(basic);
  const std::size_t colon = pair.find(':');
  return colon != std::string::npos && same(std::string_view{pair}.substr(colon + 1), token_);
}

bool HttpAccess::is_open(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  return path == "/healthz" || path == "/readyz";
}

}  // namespace tickbridge::ops
