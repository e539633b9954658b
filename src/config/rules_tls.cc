#include "config/rules_tls.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace tickbridge::config {
namespace {

void readable(Facts& facts, const Fact& fact, const std::string& path) {
  std::error_code problem;
  if (path.empty() || path.starts_with("credential:")) return;  // that is looked at when secrets are taken
  if (std::filesystem::is_directory(path, problem) || ::access(path.c_str(), R_OK) != 0) {
    facts.wrong(fact,
                "cannot be read; allowed: a file that the daemon's user may read; create it or correct its rights");
  }
}

/// A certificate and its key come together.
void key_pair(Facts& facts, const Fact& certificate, const std::string& certificate_file, const Fact& key,
              const std::string& key_file) {
  if (certificate_file.empty() && !key_file.empty()) facts.clash(key, certificate, "set both or none");
  if (!certificate_file.empty() && key_file.empty()) facts.clash(certificate, key, "set both or none");
}

void feed_tls(Facts& facts, const Feed& feed) {
  const net::TlsOptions& tls = feed.net.tls;
  if (!tls.on) {
    const net::TlsOptions plain;
    const auto idle = [&](bool set, std::string_view key) {
      if (set)
        facts.clash(facts.of(feed, key), facts.of(feed, "tls"),
                    "it has no effect there: set tls = true or leave it out");
    };
    idle(!tls.ca_file.empty(), "tls_ca_file");
    idle(!tls.certificate_file.empty(), "tls_certificate_file");
    idle(!tls.key_file.empty(), "tls_key_file");
    idle(!tls.server_name.empty(), "tls_server_name");
    idle(tls.verify != plain.verify, "tls_verify");
    return;
  }
  if (!tls.verify && !tls.ca_file.empty()) {
    facts.clash(facts.of(feed, "tls_ca_file"), facts.of(feed, "tls_verify"),
                "nobody would be compared with it: leave one of them out");
  }
  key_pair(facts, facts.of(feed, "tls_certificate_file"), tls.certificate_file, facts.of(feed, "tls_key_file"),
           tls.key_file);
}

/// 127.0.0.0/8, ::1 and localhost: nobody from outside.
bool is_loopback(const std::string& listen) {
  const std::string host = listen.substr(0, listen.rfind(':'));
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127;
  return host == "localhost" || host == "[::1]";
}

void http_files(Facts& facts) {
  const ops::HttpOptions& http = facts.config().http;
  readable(facts, facts.of("http.token_file"), http.token_file);
  readable(facts, facts.of("http.tls_certificate_file"), http.tls_certificate_file);
  readable(facts, facts.of("http.tls_key_file"), http.tls_key_file);
  readable(facts, facts.of("http.tls_client_ca_file"), http.tls_client_ca_file);
}

void http_rules(Facts& facts) {
  const ops::HttpOptions& http = facts.config().http;
  const bool tls = !http.tls_certificate_file.empty();
  const bool known = !http.token_file.empty() || (tls && !http.tls_client_ca_file.empty());
  key_pair(facts, facts.of("http.tls_certificate_file"), http.tls_certificate_file, facts.of("http.tls_key_file"),
           http.tls_key_file);
  if (!http.tls_client_ca_file.empty() && !tls) {
    facts.clash(facts.of("http.tls_client_ca_file"), facts.of("http.tls_certificate_file"),
                "there is no TLS to show a certificate in: set http.tls_certificate_file, too");
  }
  if (http.anonymous && known) {
    facts.clash(facts.of("http.anonymous"),
                facts.of(http.token_file.empty() ? "http.tls_client_ca_file" : "http.token_file"),
                "who asks is asked who he is or not: leave one of them out");
  }
  if (!http.listen.empty() && !is_loopback(http.listen) && !known && !http.anonymous) {
    facts.wrong(facts.of("http.listen"),
                "is open to the network, and nobody is asked who he is: set http.token_file, or set "
                "http.tls_certificate_file with http.tls_client_ca_file, or say http.anonymous = true if everybody who "
                "reaches it may read all pages");
  }
}

void feed_files(Facts& facts, const Feed& feed) {
  readable(facts, facts.of(feed, "tls_ca_file"), feed.net.tls.ca_file);
  readable(facts, facts.of(feed, "tls_certificate_file"), feed.net.tls.certificate_file);
  readable(facts, facts.of(feed, "tls_key_file"), feed.net.tls.key_file);
}

}  // namespace

void feed_tls_rules(Facts& facts, const Feed& feed) {
  feed_tls(facts, feed);
  feed_files(facts, feed);
}

void http_access_rules(Facts& facts) {
  http_rules(facts);
  http_files(facts);
}

}  // namespace tickbridge::config
