#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>

namespace tickbridge::exchange {

/// What the command line says of TLS; no certificate: none.
struct TlsOptions {
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;  ///< clients must show a certificate that it has signed
};

/// Throws boost::system::system_error if a file is not what it should be.
[[nodiscard]] boost::asio::ssl::context make_tls(const TlsOptions& options);

/// A client's bytes, as they are or through TLS.
class Stream {
 public:
  using Tcp = boost::asio::ip::tcp;
  using Code = boost::system::error_code;

  /// `tls`: null for none; else it outlives this.
  Stream(Tcp::socket socket, boost::asio::ssl::context* tls);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] Tcp::socket& socket() noexcept { return socket_; }
  [[nodiscard]] const Tcp::socket& socket() const noexcept { return socket_; }

  template <class Handler>
  void shake_hands(Handler handler) {
    if (!tls_) return handler(Code{});
    tls_->async_handshake(boost::asio::ssl::stream_base::server, std::move(handler));
  }
  template <class Buffer, class Handler>
  void read_some(const Buffer& buffer, Handler handler) {
    if (tls_) return tls_->async_read_some(buffer, std::move(handler));
    socket_.async_read_some(buffer, std::move(handler));
  }
  template <class Buffer, class Handler>
  void write_some(const Buffer& buffer, Handler handler) {
    if (tls_) return tls_->async_write_some(buffer, std::move(handler));
    socket_.async_write_some(buffer, std::move(handler));
  }
  /// No more comes from us. `keep` lives until that is said.
  void finish(std::shared_ptr<void> keep);

 private:
  Tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<Tcp::socket&>> tls_;
};

}  // namespace tickbridge::exchange
