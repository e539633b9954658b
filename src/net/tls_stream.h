#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/arrival.h"
#include "net/tls_client.h"
#include "net/tls_problem.h"

namespace tickbridge::net {

/// One TLS connection on a connected socket. It never blocks: what it cannot do now is to be asked for again when the
/// socket is ready. OpenSSL reads the socket through read_stamped(), so the kernel's times of arrival are kept; what
/// it deciphers goes straight to where the reader wants it. Main thread only.
class TlsStream {
 public:
  enum class Step : std::uint8_t { kDone, kWaitsToRead, kWaitsToWrite, kFailed };

  /// `host`: as configured. REQUIRES: the client outlives this; the socket stays open as long as this is used.
  TlsStream(TlsClient& client, int socket, const std::string& host);

  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  [[nodiscard]] Step shake_hands();
  /// As read_stamped(). Bytes may be there although the socket has none: read until `emptied`. After an error
  /// problem() says more than errno (EPROTO where TLS has failed).
  [[nodiscard]] SocketRead read(MutableBytes into);
  /// Takes off `bytes` what was written.
  [[nodiscard]] Step write(std::string_view& bytes);
  /// Tells the other side that no more comes, as far as the socket takes it at once.
  void say_goodbye();

  /// The last failure, in words.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  /// "TLSv1.3, TLS_AES_256_GCM_SHA384; it is for …".
  [[nodiscard]] std::string description() const;

 private:
  friend struct SocketBio;  // gives OpenSSL our way to read and write the socket
  struct FreeBio {
    void operator()(BIO* bio) const noexcept;
  };

  void verify_for(const std::string& name);
  [[nodiscard]] Step judge(int outcome);
  [[nodiscard]] SocketRead ended(SocketRead read, Step step);

  TlsClient& client_;
  int socket_;
  std::string name_;
  std::unique_ptr<SSL, FreeTls> ssl_;
  std::string problem_;
  Refusal refusal_;
  std::optional<int> over_;  // 0 or errno: what comes after the bytes that were read last
  std::int64_t newest_ns_ = 0;
  int socket_error_ = 0;
  bool closed_ = false;  // the socket's other side
  bool established_ = false;
  bool said_goodbye_ = false;  // it did, by TLS
};

}  // namespace tickbridge::net
