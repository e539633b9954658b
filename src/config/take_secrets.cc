// What happens once to a configuration that is to be used: secrets come out of their files.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

#include "base/secret_name.h"
#include "config/jaas.h"
#include "config/java_names.h"
#include "config/secrets.h"
#include "config/table.h"
#include "config/values.h"

namespace tickbridge::config {
namespace {

constexpr std::string_view kLibrary = "producer.librdkafka.";
constexpr std::string_view kJaas = "sasl.jaas.config";

/// Properties that name a file, and whether it holds a secret.
struct FileProperty {
  std::string_view name;
  bool secret;
};
constexpr std::array kFiles{
    FileProperty{"ssl.ca.location", false},  FileProperty{"ssl.certificate.location", false},
    FileProperty{"ssl.key.location", true},  FileProperty{"ssl.keystore.location", true},
    FileProperty{"ssl.crl.location", false}, FileProperty{"sasl.kerberos.keytab", true},
};

bool readable_by_all(const std::string& path) {
  struct stat facts{};
  return ::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && (facts.st_mode & S_IROTH) != 0;
}

/// Java's own keystore, by its first bytes: JKS, JCEKS.
bool is_java_keystore(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::array<char, 4> magic{};
  if (!file.read(magic.data(), magic.size())) return false;
  const std::string_view text{magic.data(), magic.size()};
  return text == "\xfe\xed\xfe\xed" || text == "\xce\xce\xce\xce";
}

class Taking {
 public:
  Taking(Config& config, const std::string& config_file) : config_{config}, config_file_{config_file} {}

  Result<std::vector<std::string>> all() {
    inline_secrets();  // before those of files join them
    producer_secrets();
    producer_files();
    jaas();
    for (const Option& option : options()) other_files(option);
    if (problems_.empty()) return std::move(warnings_);
    return error(ExitCode::kConfig, fmt::format("{}", fmt::join(problems_, "\n")));
  }

 private:
  /// The name under which a property of the producer's was set; `suffix`: "", "_file".
  [[nodiscard]] std::string option_of(std::string_view property, std::string_view suffix = "") const {
    for (const auto& [name, place] : config_.origins) {
      if (!name.starts_with(kLibrary) || !name.ends_with(suffix)) continue;
      const std::string_view own = std::string_view{name}.substr(kLibrary.size());
      if (canonical_property(own.substr(0, own.size() - suffix.size())) == property) return name;
    }
    return fmt::format("producer.{}{}", property, suffix);
  }

  void inline_secrets() {
    const bool open = readable_by_all(config_file_);
    for (const auto& [property, value] : config_.producer.properties) {
      if (!is_confidential_name(property) || value.empty()) continue;
      const SecretFile at = secret_file(config_, option_of(property), "");
      const std::string cure = fmt::format("write it to a file of its own and set {}_file", at.option);
      if (open) {
        problems_.push_back(
            fmt::format("{}: {} is a secret, and everybody on this machine may read {}: chmod o-r {}, or better {}",
                        at.place, at.option, config_file_, config_file_, cure));
      } else {
        warnings_.push_back(fmt::format("{}: {} is a secret in the configuration: {}", at.place, at.option, cure));
      }
    }
  }

  void producer_secrets() {
    for (const auto& [property, name] : config_.secret_files) {
      if (name.empty()) continue;
      const SecretFile file = secret_file(config_, option_of(property, "_file"), name);
      const bool whole = property.ends_with(".pem") || property.ends_with("config");
      auto text = whole ? read_secret(file) : read_password(file);
      if (!keep(text)) continue;
      warn_if_open(file);
      config_.producer.properties[property] = std::move(*text);
    }
  }

  void producer_files() {
    for (const FileProperty& each : kFiles) {
      const auto at = config_.producer.properties.find(std::string{each.name});
      if (at == config_.producer.properties.end() || at->second == "probe") continue;
      const SecretFile file = secret_file(config_, option_of(each.name), at->second);
      const auto path = path_of(file);
      if (!keep(path)) continue;
      at->second = *path;
      if (!is_there(file, *path, each.name == "ssl.ca.location")) continue;
      if (each.secret) warn_if_open(file);
      if (each.name == "ssl.keystore.location") refuse_java_keystore(file, *path);
    }
  }

  bool is_there(const SecretFile& file, const std::string& path, bool folder_too) {
    if (::access(path.c_str(), R_OK) != 0 || (!folder_too && ::access((path + "/.").c_str(), F_OK) == 0)) {
      problems_.push_back(
          fmt::format("{}: {} = {} cannot be read; allowed: a file{} that the daemon's user may read; create it or "
                      "correct the path "
                      "or its rights",
                      file.place, file.option, in_quotes(file.file), folder_too ? " or a folder" : ""));
      return false;
    }
    return true;
  }

  void refuse_java_keystore(const SecretFile& file, const std::string& path) {
    if (!is_java_keystore(path)) return;
    problems_.push_back(
        fmt::format("{}: {} = {} is a Java keystore, which the client library cannot read; make it PKCS#12: keytool "
                    "-importkeystore -srckeystore {} -destkeystore {}.p12 -deststoretype PKCS12, and name that one",
                    file.place, file.option, in_quotes(file.file), path, path));
  }

  void jaas() {
    const auto at = config_.producer.properties.find(std::string{kJaas});
    if (at == config_.producer.properties.end()) return;
    const auto file = config_.secret_files.find(std::string{kJaas});
    const bool from_file = file != config_.secret_files.end() && !file->second.empty();
    const SecretFile where = secret_file(config_, option_of(kJaas, from_file ? "_file" : ""), "");
    const auto login = read_jaas(at->second);
    config_.producer.properties.erase(at);
    if (!login) {
      problems_.push_back(fmt::format("{}: {} {}", where.place, where.option, login.error().message));
      return;
    }
    set_login(where, "sasl.username", login->username);
    set_login(where, "sasl.password", login->password);
  }

  void set_login(const SecretFile& where, const std::string& property, const std::string& value) {
    if (config_.producer.properties.try_emplace(property, value).second) return;
    problems_.push_back(fmt::format("{}: {} sets the same as producer.{} ({}); keep one of them", where.place,
                                    where.option, property, place_of(property)));
  }

  [[nodiscard]] std::string place_of(const std::string& property) const {
    const std::string in_file = secret_file(config_, option_of(property, "_file"), "").place;
    return in_file != "default" ? in_file : secret_file(config_, option_of(property), "").place;
  }

  /// Files that others read when they need them: a feed's password, a token, keys and certificates.
  void other_files(const Option& option) {
    if (!option.path.ends_with("_file") || !option.secret_of.empty()) return;
    if (!option.is_feed()) return look(option, nobody_);
    for (Feed& feed : config_.feeds) look(option, feed);
  }

  /// From here on the option's value is a path, whatever it was.
  void look(const Option& option, Feed& feed) {
    const Field field = option.field(config_, feed);
    auto* const* const value = std::get_if<std::string*>(&field);
    if (value == nullptr || (*value)->empty()) return;
    const SecretFile file = secret_file(config_, option.name(feed), **value);
    auto path = path_of(file);
    if (!keep(path)) return;
    if (option.secret_file) {
      if (!keep(read_secret(file))) return;
      warn_if_open(file);
    } else if (!is_there(file, *path, false)) {
      return;
    }
    **value = std::move(*path);
  }

  template <class T>
  bool keep(const Result<T>& result) {
    if (!result) problems_.push_back(result.error().message);
    return result.has_value();
  }

  void warn_if_open(const SecretFile& file) {
    const auto path = path_of(file);
    if (!path || !readable_by_all(*path)) return;
    warnings_.push_back(fmt::format("{}: {} = {}: everybody on this machine may read this secret: chmod o-r {}",
                                    file.place, file.option, in_quotes(file.file), *path));
  }

  Config& config_;
  const std::string& config_file_;
  Feed nobody_;
  std::vector<std::string> problems_;
  std::vector<std::string> warnings_;
};

}  // namespace

Result<std::vector<std::string>> take_secrets(Config& config, const std::string& config_file) {
  return Taking{config, config_file}.all();
}

}  // namespace tickbridge::config
