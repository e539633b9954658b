#include "sink/connection.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "sink/certificates.h"

namespace tickbridge::sink {

namespace {

constexpr int kScramCured = 0x020601ff;  // librdkafka 2.6.1, its change log: the nonce was sent twice

struct Hint {
  std::string_view part;  ///< of the library's text
  std::string_view advice;
};

constexpr std::string_view kNoTls =
    "the port does not speak TLS: name the broker's TLS listener in producer.bootstrap.servers, or set "
    "producer.security.protocol to plaintext or sasl_plaintext";
constexpr std::string_view kWantsCertificate =
    "the broker wants the daemon's certificate: set producer.ssl.certificate.location and producer.ssl.key.location";
constexpr std::string_view kOwnCertificate =
    "the broker does not take the daemon's certificate (producer.ssl.certificate.location): look whether it has "
    "expired "
    "(openssl x509 -noout -enddate -in FILE) and whether the broker's truststore knows who signed it";

/// librdkafka 2.0.2's words and OpenSSL 3's; the first that fits holds.
constexpr std::array kHints{
    Hint{"Unsupported SASL mechanism", "set producer.sasl.mechanism to one that the broker has (it names them)"},
    Hint{"not valid in current SASL state",
         "the listener takes no login: set producer.security.protocol to plaintext or ssl, or name the listener with "
         "SASL"},
    Hint{"alert certificate required", kWantsCertificate},
    Hint{"client SSL authentication might be required", kWantsCertificate},
    Hint{"alert bad certificate", kOwnCertificate},
    Hint{"alert certificate unknown", kOwnCertificate},
    Hint{"alert unknown ca", kOwnCertificate},
    Hint{"alert certificate expired", kOwnCertificate},
    Hint{"connecting to a SSL listener",
         "the port may want TLS: set producer.security.protocol to ssl or sasl_ssl, or "
         "name the broker's plain listener in producer.bootstrap.servers"},
    Hint{"might require SASL",
         "the listener wants a login: set producer.security.protocol to sasl_plaintext or sasl_ssl, "
         "producer.sasl.mechanism, producer.sasl.username and producer.sasl.password_file"},
    Hint{"PLAINTEXT broker listener", kNoTls},
    Hint{"wrong version number", kNoTls},
    Hint{"unexpected eof while reading", kNoTls},
    Hint{"Connection refused", "nothing listens there: check the address, and that the broker runs"},
    Hint{"handshake failure",
         "the broker and the daemon have no TLS version or cipher in common: look at "
         "producer.ssl.cipher.suites and the broker's ssl.enabled.protocols"},
};

/// What the library says of keys and certificates that it cannot use; its own words are OpenSSL's.
constexpr std::array kRefusals{
    Hint{"key values mismatch", "key and certificate do not belong together"},
    Hint{"ssl.key.", "check producer.ssl.key.password (or the file it is in), and that the file holds a key in PEM"},
    Hint{"ssl.certificate.", "the file must hold a certificate in PEM"},
    Hint{"ssl.keystore.", "check producer.ssl.keystore.password (or the file it is in), and that the file is PKCS#12"},
    Hint{"ssl.ca.", "it must hold certificates in PEM"},
    Hint{"ssl.crl.", "the file must hold a list of revoked certificates in PEM"},
};

std::string login_advice(const ConnectionFault& fault) {
  std::string advice =
      "check producer.sasl.username, producer.sasl.password (or the file it is in) and producer.sasl.mechanism";
  if (fault.mechanism.starts_with("SCRAM") && fault.library < kScramCured) {
    advice +=
        "; librdkafka before 2.6.1 cannot log in by SCRAM to Kafka 4.0 and later: there use PLAIN over TLS, mutual "
        "TLS, or "
        "a newer librdkafka (docs/security.md)";
  }
  return advice;
}

}  // namespace

bool is_mere_disconnect(std::string_view text) noexcept {
  return text.find(": Disconnected (after") != std::string_view::npos;
}

std::string connection_advice(const ConnectionFault& fault) {
  for (const Hint& hint : kHints) {
    if (fault.text.find(hint.part) != std::string_view::npos) return std::string{hint.advice};
  }
  if (fault.text.find("certificate verify failed") != std::string_view::npos) {
    return certificate_advice(fault.certificate);
  }
  if (fault.code == RD_KAFKA_RESP_ERR__AUTHENTICATION || fault.code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED) {
    return login_advice(fault);
  }
  if (fault.code == RD_KAFKA_RESP_ERR__RESOLVE) {
    return "the name is not known here: check producer.bootstrap.servers, the brokers' advertised.listeners, and DNS";
  }
  return {};
}

Error refused_properties(std::string_view text) {
  std::string message = fmt::format("the client library refuses the properties under [producer]: {}", text);
  for (const Hint& hint : kRefusals) {
    if (text.find(hint.part) == std::string_view::npos) continue;
    message += fmt::format("; {}", hint.advice);
    break;
  }
  return error(ExitCode::kConfig, std::move(message));
}

}  // namespace tickbridge::sink
