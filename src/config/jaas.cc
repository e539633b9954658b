#include "config/jaas.h"

#include <array>
#include <cctype>
#include <optional>

namespace tickbridge::config {
namespace {

constexpr std::string_view kForm =
    "cannot be read; it is org.apache.kafka.common.security.plain.PlainLoginModule (or …scram.ScramLoginModule) "
    "required username=\"…\" password=\"…\"; with the semicolon";

/// Words, quoted texts, = and ; as Java's reader of such lines divides them.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_{text} {}

  /// "=", ";", a word or a text without its quotes; nullopt: the end, or a text that does not end.
  std::optional<std::string> next() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    if (at_ == text_.size()) return std::nullopt;
    const char first = text_[at_];
    if (first == '"' || first == '\'') return quoted(first);
    if (first == '=' || first == ';') return std::string{text_[at_++]};
    const std::size_t begin = at_;
    while (at_ < text_.size() && in_word(text_[at_])) ++at_;
    return std::string{text_.substr(begin, at_ - begin)};
  }

 private:
  static bool in_word(char c) { return c != '=' && c != ';' && std::isspace(static_cast<unsigned char>(c)) == 0; }

  std::optional<std::string> quoted(char quote) {
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) {
        ++at_;
        return out;
      }
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_];
    }
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Error wrong(std::string_view what) { return error(ExitCode::kConfig, std::string{what}); }

Result<void> check_module(std::string_view module) {
  if (module.ends_with("plain.PlainLoginModule") || module.ends_with("scram.ScramLoginModule")) return {};
  if (module.ends_with("Krb5LoginModule")) {
    return wrong("is for Kerberos: set producer.sasl.kerberos.principal and producer.sasl.kerberos.keytab instead");
  }
  if (module.ends_with("OAuthBearerLoginModule")) {
    return wrong("is for tokens: set producer.sasl.oauthbearer.* instead");
  }
  return wrong(
      "names a login module that is neither PlainLoginModule nor ScramLoginModule: set producer.sasl.* instead");
}

}  // namespace

Result<Login> read_jaas(std::string_view text) {
  Tokens tokens{text};
  const auto module = tokens.next();
  const auto flag = tokens.next();
  if (!module || !flag) return wrong(kForm);
  if (const auto known = check_module(*module); !known) return known.error();
  Login login;
  bool has_name = false;
  bool has_password = false;
  for (auto name = tokens.next(); name != ";"; name = tokens.next()) {
    const auto equals = tokens.next();
    const auto value = tokens.next();
    if (!name || equals != "=" || !value) return wrong(kForm);
    if (*name == "username") login.username = *value, has_name = true;
    if (*name == "password") login.password = *value, has_password = true;
    if (*name == "tokenauth" && *value == "true") return wrong("asks for a delegation token, which is not supported");
  }
  if (!has_name || !has_password) return wrong("has no username and password");
  return login;
}

Fault check_jaas(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto login = read_jaas(text);
  return login ? Fault{} : Fault{login.error().message};
}

}  // namespace tickbridge::config
