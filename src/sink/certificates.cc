#include "sink/certificates.h"

#include <atomic>
#include <cstdio>

namespace tickbridge::sink {

namespace {

// <openssl/x509_vfy.h>; the values are part of its interface (verify(1)).
constexpr int kNoIssuer = 2;
constexpr int kNotYetValid = 9;
constexpr int kExpired = 10;
constexpr int kSelfSigned = 18;
constexpr int kSelfSignedInChain = 19;
constexpr int kNoIssuerLocally = 20;
constexpr int kNoLeafSignature = 21;
constexpr int kRevoked = 23;
constexpr int kHostMismatch = 62;
constexpr int kAddressMismatch = 64;

std::atomic<int> last_fault{0};

// Any of the library's threads. 1: taken, as OpenSSL has judged; the error is left as it is.
int look(rd_kafka_t*, const char*, std::int32_t, int* fault, int, const char*, std::size_t, char* text,
         std::size_t size, void*) {
  if (*fault == 0) return 1;
  last_fault.store(*fault);
  const std::string advice = certificate_advice(*fault);
  std::snprintf(text, size, "%s", advice.substr(0, advice.find(": ")).c_str());  // what; what to do comes at the end
  return 0;
}

}  // namespace

void note_certificates(rd_kafka_conf_t* conf) { (void)rd_kafka_conf_set_ssl_cert_verify_cb(conf, look); }

int last_certificate_fault() noexcept { return last_fault.load(); }

std::string certificate_advice(int fault) {
  switch (fault) {
    case kExpired:
      return "the broker's certificate, or one above it, has expired: have it renewed (and look at this machine's "
             "clock)";
    case kNotYetValid:
      return "the broker's certificate is not valid yet: look at this machine's clock";
    case kNoIssuer:
    case kSelfSigned:
    case kSelfSignedInChain:
    case kNoIssuerLocally:
    case kNoLeafSignature:
      return "the broker's certificate is from an authority that is not known here: set producer.ssl.ca.location to "
             "that "
             "authority's certificate (PEM)";
    case kHostMismatch:
    case kAddressMismatch:
      return "the broker's certificate is for another host: use a name that it holds in producer.bootstrap.servers and "
             "in "
             "the brokers' advertised.listeners (openssl s_client -connect HOST:PORT shows it), or have one made with "
             "this name";
    case kRevoked:
      return "the broker's certificate has been revoked (producer.ssl.crl.location)";
    case 0:
      return {};
    default:
      return "the broker's certificate is refused (OpenSSL's verify error " + std::to_string(fault) +
             ", see openssl-verification-options(1)): check producer.ssl.ca.location";
  }
}

}  // namespace tickbridge::sink
