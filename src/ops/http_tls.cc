#include "ops/http_tls.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <utility>

#include "base/log.h"

namespace tickbridge::ops {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

namespace {

Error wrong(const char* option, const std::string& file, const char* what, const error_code& code) {
  return error(ExitCode::kConfig, fmt::format("{} = \"{}\": {} ({})", option, file, what, code.message()));
}

}  // namespace

HttpTls::HttpTls(const HttpOptions& options)
    : options_{options},
      files_{{options.tls_certificate_file, options.tls_key_file, options.tls_client_ca_file}},
      context_{ssl::context::tls_server} {}

Result<std::unique_ptr<HttpTls>> HttpTls::create(const HttpOptions& options) {
  if (options.tls_certificate_file.empty()) return std::unique_ptr<HttpTls>{};
  std::unique_ptr<HttpTls> tls{new HttpTls{options}};
  auto context = load(options);
  if (!context) return context.error();
  tls->context_ = std::move(*context);
  return tls;
}

Result<ssl::context> HttpTls::load(const HttpOptions& options) {
  ssl::context context{ssl::context::tls_server};
  SSL_CTX* const native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(native, [](char*, int, int, void*) { return 0; });  // nobody is asked for a passphrase
  error_code code;
  context.use_certificate_chain_file(options.tls_certificate_file, code);
  if (code) {
    return wrong("http.tls_certificate_file", options.tls_certificate_file,
                 "is no certificate in PEM, or cannot be read", code);
  }
  context.use_private_key_file(options.tls_key_file, ssl::context::pem, code);
  if (code) {
    return wrong("http.tls_key_file", options.tls_key_file,
                 "is not the certificate's key in PEM, without a passphrase, or cannot be read", code);
  }
  if (options.tls_client_ca_file.empty()) return context;
  context.load_verify_file(options.tls_client_ca_file, code);
  if (code) {
    return wrong("http.tls_client_ca_file", options.tls_client_ca_file,
                 "is no file of certificates in PEM, or cannot be read", code);
  }
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, code);
  return context;
}

ssl::context& HttpTls::context() {
  if (!files_.changed()) return context_;
  if (auto context = load(options_)) {
    log_event(Event::kCertificatesRead, "http: the certificates' files have changed and are read again");
    context_ = std::move(*context);
  } else {
    log_event(Event::kCertificatesUnusable, "{}; the ones read before go on", context.error().message);
  }
  return context_;
}

}  // namespace tickbridge::ops
