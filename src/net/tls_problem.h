#pragma once

#include <openssl/types.h>

#include <string>
#include <string_view>

namespace tickbridge::net {

/// What the certificate of the other side was refused for.
struct Refusal {
  int code = 0;             ///< X509_V_ERR_…; 0: none
  std::string description;  ///< its names and dates
};

/// How a TLS connection failed.
struct TlsFailure {
  std::string_view feed;
  std::string_view name;  ///< what the certificate must be for
  const Refusal& refusal;
  unsigned long error = 0;  ///< OpenSSL's; 0: none
  int socket_error = 0;     ///< errno; 0: none
  bool established = false;
  bool has_certificate = false;  ///< we have one to show
};

/// What went wrong, and which option or whom to turn to.
[[nodiscard]] std::string explain(const TlsFailure& failure);

/// "the certificate is for a.example, b.example, issued by X, valid from … to …".
[[nodiscard]] std::string describe(const X509& certificate);

/// The first of OpenSSL's queued errors as a sentence; the queue is empty then.
[[nodiscard]] std::string take_openssl_error();

}  // namespace tickbridge::net
