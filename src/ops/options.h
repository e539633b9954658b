#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tickbridge::ops {

enum class LogFormat : std::uint8_t { kText, kJson };

struct HttpOptions {
  std::string listen = "127.0.0.1:9464";  ///< empty: off; port 0 takes a free one
  std::string token_file;                 ///< empty: nobody is asked for one
  std::string tls_certificate_file;       ///< PEM; empty: no HTTPS
  std::string tls_key_file;               ///< PEM
  std::string tls_client_ca_file;         ///< PEM; empty: clients need no certificate
  bool anonymous = false;                 ///< everybody may ask, from other machines too
};

struct LogOptions {
  std::string level = "info";  ///< trace | debug | info | warn | error | critical | off
  LogFormat format = LogFormat::kText;
  std::uint32_t burst = 20;  ///< lines of one event and feed in an interval
  std::chrono::milliseconds interval{10'000};
};

}  // namespace tickbridge::ops
