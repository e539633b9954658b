#include "net/tls_client.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "net/tls_problem.h"

namespace tickbridge::net {
namespace {

constexpr std::size_t kReadAhead = std::size_t{128} << 10U;  // several records by one call of the kernel

/// Nobody sits at a terminal to type a passphrase.
int no_passphrase(char*, int, int, void*) { return 0; }

}  // namespace

void FreeTls::operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
void FreeTls::operator()(SSL* connection) const noexcept { SSL_free(connection); }

TlsClient::TlsClient(std::string feed, const TlsOptions& options)
    : feed_{std::move(feed)},
      options_{options},
      files_{{options.ca_file, options.certificate_file, options.key_file}} {}

Result<std::unique_ptr<TlsClient>> TlsClient::create(std::string feed, const TlsOptions& options) {
  std::unique_ptr<TlsClient> client{new TlsClient{std::move(feed), options}};
  auto context = client->load();
  if (!context) return context.error();
  client->context_ = std::move(*context);
  return client;
}

Error TlsClient::wrong(const char* key, const std::string& file, const std::string& what) const {
  return error(ExitCode::kConfig, fmt::format("feed.{}.{} = \"{}\": {}", feed_, key, file, what));
}

Result<void> TlsClient::load_authorities(SSL_CTX* context) const {
  if (options_.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  if (SSL_CTX_load_verify_file(context, options_.ca_file.c_str()) == 1) return {};
  return wrong("tls_ca_file", options_.ca_file,
               fmt::format("is no file of certificates in PEM ({}): it begins with -----BEGIN CERTIFICATE-----",
                           take_openssl_error()));
}

Result<void> TlsClient::load_certificate(SSL_CTX* context) const {
  if (!has_certificate()) return {};
  if (SSL_CTX_use_certificate_chain_file(context, options_.certificate_file.c_str()) != 1) {
    return wrong(
        "tls_certificate_file", options_.certificate_file,
        fmt::format("is no certificate in PEM ({}): our own comes first, then those that lead to its authority",
                    take_openssl_error()));
  }
  if (SSL_CTX_use_PrivateKey_file(context, options_.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return wrong(
        "tls_key_file", options_.key_file,
        fmt::format("is not the certificate's key in PEM, without a passphrase ({}): take the key that belongs "
                    "to tls_certificate_file; \"openssl pkey -in FILE -out NEW\" takes a passphrase off",
                    take_openssl_error()));
  }
  return {};
}

Result<TlsClient::Context> TlsClient::load() const {
  ERR_clear_error();
  Context context{SSL_CTX_new(TLS_client_method())};
  check(context != nullptr, "OpenSSL gives a context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(context.get(), &no_passphrase);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), kReadAhead);
  if (auto loaded = load_authorities(context.get()); !loaded) return loaded.error();
  if (auto loaded = load_certificate(context.get()); !loaded) return loaded.error();
  return context;
}

std::unique_ptr<SSL, FreeTls> TlsClient::connection() {
  if (files_.changed()) {
    if (auto context = load()) {
      log_event(Event::kCertificatesRead, of_feed(feed_), "the certificates' files have changed and are read again");
      context_ = std::move(*context);
    } else {
      log_event(Event::kCertificatesUnusable, of_feed(feed_), "{}; the ones read before go on",
                context.error().message);
    }
  }
  std::unique_ptr<SSL, FreeTls> connection{SSL_new(context_.get())};
  check(connection != nullptr, "OpenSSL gives a connection");
  return connection;
}

}  // namespace tickbridge::net
