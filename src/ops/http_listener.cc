#include "ops/http_listener.h"

#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/text.h"

namespace tickbridge::ops {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

/// A literal address; nothing for IPv6 without brackets.
std::optional<asio::ip::address> parse_host(std::string_view host) {
  if (host == "localhost") return asio::ip::address_v4::loopback();
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  error_code code;
  const auto address = asio::ip::make_address(brackets ? host.substr(1, host.size() - 2) : host, code);
  if (code || address.is_v6() != brackets) return std::nullopt;
  return address;
}

Error explain(std::string_view listen, const error_code& code) {
  const std::string what = fmt::format("http.listen = \"{}\": {}", one_line(listen), code.message());
  if (code == asio::error::address_in_use) {
    return error(ExitCode::kUnavailable,
                 what +
                     ": another program listens there, perhaps another tickbridge; stop it, or set http.listen to "
                     "another port, to port 0 for a free one, or to \"\" for none");
  }
  return error(ExitCode::kConfig, what +
                                      "; set it to an address of this machine and a port from 1024 to 65535, or to "
                                      "\"\" for none");
}

}  // namespace

Result<tcp::endpoint> parse_listen(std::string_view listen) {
  const std::size_t colon = listen.rfind(':');
  const auto port = colon == std::string_view::npos ? std::nullopt : parse_port(listen.substr(colon + 1));
  const auto address = parse_host(listen.substr(0, colon));
  if (port && address) return tcp::endpoint{*address, *port};
  return error(ExitCode::kConfig,
               fmt::format("http.listen = \"{}\" is no address and port; write it like \"127.0.0.1:9464\" or "
                           "\"[::1]:9464\" (\"0.0.0.0:9464\" for all addresses), or \"\" for none",
                           one_line(listen)));
}

Result<tcp::acceptor> open_listener(asio::io_context& io, std::string_view listen) {
  const auto endpoint = parse_listen(listen);
  if (!endpoint) return endpoint.error();
  tcp::acceptor acceptor{io};
  error_code code;
  acceptor.open(endpoint->protocol(), code);
  if (!code) acceptor.set_option(tcp::acceptor::reuse_address{true}, code);
  if (!code) acceptor.bind(*endpoint, code);
  if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
  if (code) return explain(listen, code);
  return acceptor;
}

std::string url_of(const tcp::endpoint& endpoint, bool tls) {
  const std::string host = endpoint.address().to_string();
  return fmt::format(fmt::runtime(endpoint.address().is_v6() ? "{}://[{}]:{}/" : "{}://{}:{}/"), tls ? "https" : "http",
                     host, endpoint.port());
}

}  // namespace tickbridge::ops
