#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "ops/options.h"
#include "ops/pages.h"

namespace tickbridge::ops {

/// What a client may ask of the HTTP server.
struct HttpLimits {
  std::uint32_t header_bytes = 8 * 1024;
  std::uint64_t body_bytes = 4 * 1024;       ///< nobody needs one
  std::chrono::milliseconds patience{5000};  ///< for a whole request to come; for its answer to be taken
  std::size_t connections = 64;              ///< one more closes the oldest
};

/// A small HTTP/1.1 server for /metrics and the like: GET and HEAD, on one thread of its own, so that feeds never
/// wait for it. start() and the destructor belong to one thread; the others may be called from any.
class HttpServer {
 public:
  /// Listens and logs where. With `listen` empty the server is there and does nothing.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const HttpOptions& options, Sources sources,
                                                                 HttpLimits limits = {});
  /// Closes all connections and joins the thread.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// "http://127.0.0.1:9464/"; empty where nothing listens.
  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }  ///< 0 where nothing listens

 private:
  class Impl;
  HttpServer();
  std::string url_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickbridge::ops
