#include "base/secret_name.h"

#include <algorithm>
#include <array>

namespace tickbridge {

bool is_secret_name(std::string_view property) {
  constexpr std::array<std::string_view, 7> kParts{"password",    "secret",  ".pem", "oauthbearer.config",
                                                   "jaas.config", "ssl_key", "token"};
  if (property == "sasl.oauthbearer.token.endpoint.url" || property.ends_with("_file")) return false;
  return std::any_of(kParts.begin(), kParts.end(),
                     [&](std::string_view part) { return property.find(part) != std::string_view::npos; });
}

bool is_confidential_name(std::string_view property) {
  return is_secret_name(property) && property != "ssl.ca.pem" && property != "ssl.certificate.pem";
}

}  // namespace tickbridge
