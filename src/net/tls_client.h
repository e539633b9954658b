#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "base/file_stamps.h"
#include "base/result.h"
#include "net/options.h"

namespace tickbridge::net {

struct FreeTls {
  void operator()(SSL_CTX* context) const noexcept;
  void operator()(SSL* connection) const noexcept;
};

/// What one feed's TLS connections have in common: whom we trust, and who we are. Main thread only.
class TlsClient {
 public:
  /// Reads the certificates; what is wrong with them is kConfig. REQUIRES: options.on.
  [[nodiscard]] static Result<std::unique_ptr<TlsClient>> create(std::string feed, const TlsOptions& options);

  /// A connection to be made. Files that were changed since the last one are read again; if they cannot be used, that
  /// is logged, and the old ones go on.
  [[nodiscard]] std::unique_ptr<SSL, FreeTls> connection();

  [[nodiscard]] const std::string& feed() const noexcept { return feed_; }
  [[nodiscard]] bool has_certificate() const noexcept { return !options_.certificate_file.empty(); }
  [[nodiscard]] bool verifies() const noexcept { return options_.verify; }
  /// What the certificate of the exchange at `host` must be for.
  [[nodiscard]] const std::string& name_of(const std::string& host) const noexcept {
    return options_.server_name.empty() ? host : options_.server_name;
  }

 private:
  using Context = std::unique_ptr<SSL_CTX, FreeTls>;
  TlsClient(std::string feed, const TlsOptions& options);
  [[nodiscard]] Result<Context> load() const;
  [[nodiscard]] Result<void> load_authorities(SSL_CTX* context) const;
  [[nodiscard]] Result<void> load_certificate(SSL_CTX* context) const;
  [[nodiscard]] Error wrong(const char* key, const std::string& file, const std::string& what) const;

  std::string feed_;
  TlsOptions options_;
  FileStamps files_;
  Context context_;
};

}  // namespace tickbridge::net
