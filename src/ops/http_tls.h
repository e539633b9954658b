#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "base/file_stamps.h"
#include "base/result.h"
#include "ops/options.h"

namespace tickbridge::ops {

/// HTTPS's certificates. HTTP thread only, once it runs.
class HttpTls {
 public:
  /// Null without http.tls_certificate_file. Files that cannot be used are kConfig.
  [[nodiscard]] static Result<std::unique_ptr<HttpTls>> create(const HttpOptions& options);

  /// For the next connection. Files that were changed are read again; what cannot be used is logged, and the old ones
  /// go on. Connections keep the one that they were given alive.
  [[nodiscard]] boost::asio::ssl::context& context();

 private:
  explicit HttpTls(const HttpOptions& options);
  [[nodiscard]] static Result<boost::asio::ssl::context> load(const HttpOptions& options);

  HttpOptions options_;
  FileStamps files_;
  boost::asio::ssl::context context_;
};

}  // namespace tickbridge::ops
