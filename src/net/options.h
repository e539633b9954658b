#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace tickbridge::net {

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

/// TLS to the exchange.
struct TlsOptions {
  bool on = false;
  std::string ca_file;           ///< PEM; empty: the system's authorities
  std::string certificate_file;  ///< PEM, ours, with its chain; empty: none
  std::string key_file;          ///< PEM
  std::string server_name;       ///< what its certificate must be for; empty: the address's host
  bool verify = true;
};

struct Options {
  std::vector<Address> hosts;  ///< tried in turn
  std::string username;
  std::string password_file;         ///< path; empty: no password
  std::string session;               ///< empty: whichever is current
  std::string start = "checkpoint";  ///< checkpoint | beginning | now | a sequence number
  std::chrono::milliseconds reconnect_min{100};
  std::chrono::milliseconds reconnect_max{10'000};
  std::chrono::milliseconds heartbeat{1'000};
  std::chrono::milliseconds silence{15'000};
  TlsOptions tls;
};

}  // namespace tickbridge::net
