#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace tickbridge::config {

/// A file with a secret, as an option names it.
struct SecretFile {
  std::string option;  ///< feed.nasdaq.password_file
  std::string file;    ///< its value: a path, or credential:NAME for systemd's LoadCredential
  std::string place;   ///< "file:line" or the flag
};

/// The option's file with where it was set. `file`: the option's value.
[[nodiscard]] SecretFile secret_file(const Config& config, const std::string& option, const std::string& file);

/// credential:NAME → $CREDENTIALS_DIRECTORY/NAME; any other is a path already. Errors: kConfig, with what the unit
/// needs.
[[nodiscard]] Result<std::string> path_of(const SecretFile& file);
/// All of the file but the line end after it. Errors: kConfig (missing, unreadable, empty) by option, file and line.
[[nodiscard]] Result<std::string> read_secret(const SecretFile& file);
/// The same for a password: the file's first line.
[[nodiscard]] Result<std::string> read_password(const SecretFile& file);

/// Makes a configuration ready to be used, once: secrets of the producer's are read from their files into its
/// properties, every other file that an option names is looked at. Returns warnings: secrets that others can read.
/// `config_file`: the file that the configuration came from, "" if none. Errors: kConfig, a line for each.
[[nodiscard]] Result<std::vector<std::string>> take_secrets(Config& config, const std::string& config_file);

}  // namespace tickbridge::config
