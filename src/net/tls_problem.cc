#include "net/tls_problem.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "base/text.h"

namespace tickbridge::net {
namespace {

constexpr int kMostNames = 5;

std::string text_of(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> out{BIO_new(BIO_s_mem()), &BIO_free_all};
  ASN1_TIME_print_ex(out.get(), time, ASN1_DTFLGS_ISO8601);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string text_of(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> out{BIO_new(BIO_s_mem()), &BIO_free_all};
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return one_line({data, static_cast<std::size_t>(size)});
}

std::string text_of(const GENERAL_NAME* name) {
  int kind = 0;
  const auto* const value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &kind));
  const unsigned char* const data = ASN1_STRING_get0_data(value);
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(value));
  std::array<char, INET6_ADDRSTRLEN> address{};
  if (kind == GEN_IPADD && (size == 4 || size == 16)) {
    ::inet_ntop(size == 4 ? AF_INET : AF_INET6, data, address.data(), address.size());
    return address.data();
  }
  return one_line({reinterpret_cast<const char*>(data), size});
}

/// The names that it is for; without any, its subject.
std::string names_of(const X509& certificate) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free};
  std::vector<std::string> texts;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    if (texts.size() == kMostNames) {
      texts.emplace_back("…");
      break;
    }
    texts.push_back(text_of(name));
  }
  if (texts.empty()) return text_of(X509_get_subject_name(&certificate));
  return fmt::format("{}", fmt::join(texts, ", "));
}

bool is_alert(int reason) { return reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256; }

std::string explain_refusal(const TlsFailure& failure) {
  const std::string& what = failure.refusal.description;
  switch (failure.refusal.code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format(
          "its certificate has expired ({}): the exchange must renew it; look at this machine's clock, "
          "too",
          what);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("its certificate is not valid yet ({}): look at this machine's clock", what);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format(
          "its certificate is not for \"{}\" ({}): connect to one of its names, or set "
          "feed.{}.tls_server_name to the one that the exchange told you",
          failure.name, what, failure.feed);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return fmt::format(
          "its certificate is not signed by anybody trusted here ({}): set feed.{}.tls_ca_file to the "
          "certificate of the authority that the exchange told you",
          what, failure.feed);
    default:
      return fmt::format("its certificate is refused: {} ({})", X509_verify_cert_error_string(failure.refusal.code),
                         what);
  }
}

std::string explain_alert(const TlsFailure& failure, int alert) {
  const std::string_view feed = failure.feed;
  const char* const said = SSL_alert_desc_string_long(alert);
  switch (alert) {
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_ACCESS_DENIED:
      return fmt::format(
          "it refused our certificate ({}): look at feed.{}.tls_certificate_file, and ask the exchange "
          "whether it knows who signed it",
          said, feed);
    case SSL_AD_CERTIFICATE_REQUIRED:
      return fmt::format("it wants a certificate of us: set feed.{}.tls_certificate_file and feed.{}.tls_key_file",
                         feed, feed);
    case SSL_AD_HANDSHAKE_FAILURE:
      return failure.has_certificate
                 ? fmt::format("it ended the handshake ({}): no cipher in common, or it wants another certificate",
                               said)
                 : fmt::format(
                       "it ended the handshake ({}): no cipher in common, or it wants a certificate of us "
                       "(feed.{}.tls_certificate_file)",
                       said, feed);
    case SSL_AD_UNRECOGNIZED_NAME:
      return fmt::format("it does not know the name \"{}\": set feed.{}.tls_server_name", failure.name, feed);
    case SSL_AD_PROTOCOL_VERSION:
      return "it speaks neither TLS 1.2 nor 1.3";
    default:
      return fmt::format("it ended TLS: {}", said);
  }
}

bool is_no_tls(int reason) {
  return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST || reason == SSL_R_RECORD_TOO_SMALL ||
         reason == SSL_R_BAD_RECORD_TYPE || reason == SSL_R_PACKET_LENGTH_TOO_LONG ||
         reason == SSL_R_RECORD_LENGTH_MISMATCH || reason == SSL_R_ENCRYPTED_LENGTH_TOO_LONG;
}

/// Not what only says that the connection has ended.
bool is_of_tls(unsigned long error) {
  return error != 0 &&
         !(ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
}

std::string explain_error(const TlsFailure& failure) {
  const int reason = ERR_GET_REASON(failure.error);
  const bool of_tls = ERR_GET_LIB(failure.error) == ERR_LIB_SSL;
  if (of_tls && is_alert(reason)) return explain_alert(failure, reason - SSL_AD_REASON_OFFSET);
  if (of_tls && !failure.established && is_no_tls(reason)) {
    return fmt::format("what it sends is no TLS: set feed.{}.tls = false, or take the port that speaks it",
                       failure.feed);
  }
  if (of_tls && reason == SSL_R_UNSUPPORTED_PROTOCOL) return "it speaks neither TLS 1.2 nor 1.3";
  const char* const words = ERR_reason_error_string(failure.error);
  return fmt::format("TLS failed: {}", words != nullptr ? words : "for a reason without a name");
}

}  // namespace

std::string explain(const TlsFailure& failure) {
  if (failure.refusal.code != 0) return explain_refusal(failure);
  if (is_of_tls(failure.error)) return explain_error(failure);  // an alert says more than the close behind it
  const std::string closed = failure.socket_error != 0 ? std::strerror(failure.socket_error) : "closed";
  if (failure.established) return fmt::format("{} without TLS's goodbye", closed);
  return fmt::format("{} in the handshake: it may not speak TLS there (feed.{}.tls)", closed, failure.feed);
}

std::string describe(const X509& certificate) {
  return fmt::format("it is for {}, issued by {}, valid from {} to {}", names_of(certificate),
                     text_of(X509_get_issuer_name(&certificate)), text_of(X509_get0_notBefore(&certificate)),
                     text_of(X509_get0_notAfter(&certificate)));
}

std::string take_openssl_error() {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  const char* const words = ERR_reason_error_string(first);
  return words != nullptr ? words : "for a reason without a name";
}

}  // namespace tickbridge::net
