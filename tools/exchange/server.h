#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>

#include "exchange/venue.h"

namespace tickbridge::exchange {

/// Listens, and gives each client a connection of its own. One thread: the one that runs the io_context.
class Server {
 public:
  /// Binds; throws boost::system::system_error if it cannot. REQUIRES: io and venue outlive this.
  Server(boost::asio::io_context& io, Venue& venue);
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// Stops the io_context on SIGTERM and SIGINT.
  void stop_on_signals();

 private:
  void accept();
  void closed();

  boost::asio::io_context& io_;
  Venue& venue_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ssl::context tls_;
  boost::asio::signal_set signals_;
};

}  // namespace tickbridge::exchange
