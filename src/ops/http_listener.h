#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tickbridge::ops {

/// "127.0.0.1:9464", "[::1]:9464" or "localhost:9464"; anything else is a config error that says how to write it.
[[nodiscard]] Result<boost::asio::ip::tcp::endpoint> parse_listen(std::string_view listen);

/// Listens there. An address in use is 69, one that this machine does not have or grant is 78.
[[nodiscard]] Result<boost::asio::ip::tcp::acceptor> open_listener(boost::asio::io_context& io,
                                                                   std::string_view listen);

/// "http://127.0.0.1:9464/", or with https.
[[nodiscard]] std::string url_of(const boost::asio::ip::tcp::endpoint& endpoint, bool tls = false);

}  // namespace tickbridge::ops
