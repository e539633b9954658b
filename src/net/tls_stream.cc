#include "net/tls_stream.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/check.h"
#include "base/clock.h"

namespace tickbridge::net {

/// OpenSSL's way to our socket (a BIO): reads are stamped, nothing blocks, nobody gets a SIGPIPE.
struct SocketBio {
  static TlsStream& stream(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, int size) {
    TlsStream& self = stream(bio);
    BIO_clear_retry_flags(bio);
    const SocketRead read =
        read_stamped(self.socket_, {reinterpret_cast<std::byte*>(into), static_cast<std::size_t>(size)});
    if (read.error == EAGAIN) {
      BIO_set_retry_read(bio);
      return -1;
    }
    self.socket_error_ = read.error;
    if (read.error != 0) return -1;
    self.closed_ = read.size == 0;
    if (read.size != 0) self.newest_ns_ = read.newest_ns;
    return static_cast<int>(read.size);
  }

  static int write(BIO* bio, const char* from, int size) {
    TlsStream& self = stream(bio);
    BIO_clear_retry_flags(bio);
    ssize_t sent = 0;
    do {
      sent = ::send(self.socket_, from, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return static_cast<int>(sent);
    if (errno == EAGAIN) {
      BIO_set_retry_write(bio);
    } else {
      self.socket_error_ = errno;
    }
    return -1;
  }

  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    return command == BIO_CTRL_EOF && stream(bio).closed_ ? 1 : 0;
  }

  static BIO_METHOD* make() {
    BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stamped socket");
    check(method != nullptr, "OpenSSL takes a way to read");
    BIO_meth_set_read(method, &read);
    BIO_meth_set_write(method, &write);
    BIO_meth_set_ctrl(method, &control);
    return method;
  }

  static BIO* on(TlsStream& stream) {
    static BIO_METHOD* const method = make();
    BIO* const bio = BIO_new(method);
    check(bio != nullptr, "OpenSSL gives a way to read");
    BIO_set_data(bio, &stream);
    BIO_set_init(bio, 1);
    return bio;
  }

  /// Keeps what the first fault was: the certificate is out of reach later.
  static int on_verify(int good, X509_STORE_CTX* store) {
    auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    Refusal& refusal = static_cast<TlsStream*>(SSL_get_app_data(ssl))->refusal_;
    if (good == 1 || refusal.code != 0) return good;
    refusal.code = X509_STORE_CTX_get_error(store);
    if (const X509* const certificate = X509_STORE_CTX_get_current_cert(store)) {
      refusal.description = describe(*certificate);
    }
    return good;
  }
};

TlsStream::TlsStream(TlsClient& client, int socket, const std::string& host)
    : client_{client}, socket_{socket}, name_{client.name_of(host)}, ssl_{client.connection()} {
  BIO* const bio = SocketBio::on(*this);
  SSL_set_bio(ssl_.get(), bio, bio);  // takes it over
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_connect_state(ssl_.get());
  verify_for(name_);
}

void TlsStream::verify_for(const std::string& name) {
  const bool address = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str()) == 1;
  if (!address) {
    SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
    SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    check(SSL_set1_host(ssl_.get(), name.c_str()) == 1, "OpenSSL takes a host's name");
  }
  if (client_.verifies()) {
    SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, &SocketBio::on_verify);
  } else {
    SSL_set_verify(ssl_.get(), SSL_VERIFY_NONE, nullptr);
  }
}

/// What the last call's outcome means. REQUIRES: ERR_clear_error() before that call.
TlsStream::Step TlsStream::judge(int outcome) {
  switch (SSL_get_error(ssl_.get(), outcome)) {
    case SSL_ERROR_NONE:
      return Step::kDone;
    case SSL_ERROR_WANT_READ:
      return Step::kWaitsToRead;
    case SSL_ERROR_WANT_WRITE:
      return Step::kWaitsToWrite;
    case SSL_ERROR_ZERO_RETURN:
      said_goodbye_ = true;
      [[fallthrough]];
    default:
      problem_ = explain({.feed = client_.feed(),
                          .name = name_,
                          .refusal = refusal_,
                          .error = ERR_get_error(),
                          .socket_error = socket_error_,
                          .established = established_,
                          .has_certificate = client_.has_certificate()});
      ERR_clear_error();
      return Step::kFailed;
  }
}

TlsStream::Step TlsStream::shake_hands() {
  ERR_clear_error();
  const Step step = judge(SSL_do_handshake(ssl_.get()));
  established_ = step == Step::kDone;
  return step;
}

SocketRead TlsStream::ended(SocketRead read, Step step) {
  if (step == Step::kWaitsToRead || step == Step::kWaitsToWrite) {
    read.emptied = true;
    if (read.size == 0) read.error = EAGAIN;
    return read;
  }
  over_ = said_goodbye_ ? 0 : EPROTO;
  if (read.size == 0) read.error = *over_;  // else it is told with the next read
  return read;
}

SocketRead TlsStream::read(MutableBytes into) {
  SocketRead read{.began_ns = wall_nanoseconds()};
  if (over_) {
    read.error = *over_;
    return read;
  }
  Step step = Step::kDone;
  while (read.size < into.size() && step == Step::kDone) {
    std::size_t size = 0;
    ERR_clear_error();
    step = judge(SSL_read_ex(ssl_.get(), into.data() + read.size, into.size() - read.size, &size));
    read.size += size;
  }
  read.newest_ns = newest_ns_ != 0 ? newest_ns_ : read.began_ns;
  return step == Step::kDone ? read : ended(read, step);
}

TlsStream::Step TlsStream::write(std::string_view& bytes) {
  Step step = Step::kDone;
  while (!bytes.empty() && step == Step::kDone) {
    std::size_t size = 0;
    ERR_clear_error();
    step = judge(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size));
    bytes.remove_prefix(size);
  }
  return step;
}

void TlsStream::say_goodbye() {
  if (!established_ || over_ == EPROTO) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string TlsStream::description() const {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate{SSL_get1_peer_certificate(ssl_.get()), &X509_free};
  return fmt::format("{}, {}; {}", SSL_get_version(ssl_.get()), SSL_get_cipher_name(ssl_.get()),
                     certificate ? describe(*certificate) : "no certificate");
}

}  // namespace tickbridge::net
