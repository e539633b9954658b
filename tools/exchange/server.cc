#include "exchange/server.h"

#include <boost/asio/ip/address.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <utility>

#include "exchange/connection.h"

namespace tickbridge::exchange {

using Tcp = boost::asio::ip::tcp;

Server::Server(boost::asio::io_context& io, Venue& venue)
    : io_{io},
      venue_{venue},
      acceptor_{io, Tcp::endpoint{boost::asio::ip::make_address(venue.options().host), venue.options().port}},
      tls_{make_tls(venue.options().tls)},
      signals_{io} {
  accept();
}

void Server::stop_on_signals() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) io_.stop();
  });
}

void Server::accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, Tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted) return;
    if (error) {
      std::cerr << "cannot accept: " << error.message() << std::endl;
    } else {
      auto* const tls = venue_.options().tls.certificate_file.empty() ? nullptr : &tls_;
      std::make_shared<Connection>(std::move(socket), tls, venue_, [this] { closed(); })->start();
    }
    accept();
  });
}

void Server::closed() {
  if (venue_.options().exit_when_served && venue_.all_served()) io_.stop();
}

}  // namespace tickbridge::exchange
