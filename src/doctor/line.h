#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "doctor/reach.h"
#include "net/tls_client.h"
#include "net/tls_stream.h"

namespace tickbridge::doctor {

/// A connection to an exchange: its bytes as they are, or through TLS. Blocks.
class Line {
 public:
  /// Shakes hands where the feed has TLS. Errors: kConfig for certificates that cannot be used, else kUnavailable.
  [[nodiscard]] static Result<Line> open(const config::Feed& feed, const std::string& host, Socket socket,
                                         SteadyTime deadline);

  [[nodiscard]] bool send(const std::string& bytes, SteadyTime deadline);
  /// What has come, waiting for the first of it. Empty: the peer has closed, or the time is over.
  [[nodiscard]] std::string receive(SteadyTime deadline);
  /// "TLSv1.3, …; the certificate is for …"; "" without TLS.
  [[nodiscard]] std::string description() const { return stream_ ? stream_->description() : std::string{}; }

 private:
  explicit Line(Socket socket) : socket_{std::move(socket)} {}
  [[nodiscard]] bool await(net::TlsStream::Step step, SteadyTime deadline) const;

  Socket socket_;
  std::unique_ptr<net::TlsClient> tls_;
  std::unique_ptr<net::TlsStream> stream_;
};

}  // namespace tickbridge::doctor
