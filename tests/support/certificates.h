#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace tickbridge::tests {

struct FreeOpenSsl {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(FILE* file) const { std::fclose(file); }
};
using Certificate = std::unique_ptr<X509, FreeOpenSsl>;
using Key = std::unique_ptr<EVP_PKEY, FreeOpenSsl>;

/// A folder that goes with this.
class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "tickbridge-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no folder"};
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// An authority that signs itself, and what it signs; all as PEM files in a folder.
class Authority {
 public:
  Authority(const Folder& folder, const std::string& name)
      : folder_{folder}, key_{EVP_EC_gen("P-256")}, certificate_{make(name, "", -1, 30, key_.get())} {
    write(ca(), certificate_.get());
  }
  [[nodiscard]] std::string ca() const { return folder_ / name_of(certificate_.get()) + "-ca.pem"; }

  /// Files NAME.pem and NAME.key, valid from `begins` to `ends` days from now. `names`: "DNS:a,IP:127.0.0.1".
  void issue(const std::string& name, const std::string& names, int begins = -1, int ends = 30) const {
    const Key key{EVP_EC_gen("P-256")};
    write(folder_ / name + ".pem", make(name, names, begins, ends, key.get()).get());
    const std::unique_ptr<FILE, FreeOpenSsl> file{std::fopen((folder_ / name + ".key").c_str(), "w")};
    PEM_write_PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }

 private:
  static std::string name_of(const X509* certificate) {
    char text[64]{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
    return text;
  }
  static void write(const std::string& path, const X509* certificate) {
    const std::unique_ptr<FILE, FreeOpenSsl> file{std::fopen(path.c_str(), "w")};
    PEM_write_X509(file.get(), certificate);
  }
  static void extend(X509* certificate, int kind, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  /// Without names: the authority's own.
  [[nodiscard]] Certificate make(const std::string& name, const std::string& names, int begins, int ends,
                                 EVP_PKEY* key) const {
    static long serial = 0;
    Certificate made{X509_new()};
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), begins * 86'400L);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), ends * 86'400L);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), X509_get_subject_name(names.empty() ? made.get() : certificate_.get()));
    X509_set_pubkey(made.get(), key);
    extend(made.get(), names.empty() ? NID_basic_constraints : NID_subject_alt_name,
           names.empty() ? "critical,CA:TRUE" : names);
    X509_sign(made.get(), key_.get(), EVP_sha256());
    return made;
  }

  const Folder& folder_;
  Key key_;
  Certificate certificate_;
};

}  // namespace tickbridge::tests
