#include "exchange/stream.h"

#include <openssl/ssl.h>

#include <memory>
#include <utility>

namespace tickbridge::exchange {

namespace ssl = boost::asio::ssl;

ssl::context make_tls(const TlsOptions& options) {
  ssl::context context{ssl::context::tls_server};
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  if (options.certificate_file.empty()) return context;
  context.use_certificate_chain_file(options.certificate_file);
  context.use_private_key_file(options.key_file, ssl::context::pem);
  if (options.client_ca_file.empty()) return context;
  context.load_verify_file(options.client_ca_file);
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  return context;
}

Stream::Stream(Tcp::socket socket, ssl::context* tls) : socket_{std::move(socket)} {
  if (tls != nullptr) tls_.emplace(socket_, *tls);
}

void Stream::finish(std::shared_ptr<void> keep) {
  if (!tls_) {
    Code ignored;
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
    return;
  }
  tls_->async_shutdown([this, keep = std::move(keep)](Code) {  // says so at once, then waits for the client's answer
    Code ignored;
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
  });
}

}  // namespace tickbridge::exchange
