#include "config/secrets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "config/values.h"

namespace tickbridge::config {
namespace {

constexpr std::string_view kCredential = "credential:";
constexpr std::size_t kLargest = 1 << 20;  // a chain of certificates is some kilobytes

Error wrong(const SecretFile& file, std::string_view what) {
  return error(ExitCode::kConfig, fmt::format("{}: {} = {} {}", file.place, file.option, in_quotes(file.file), what));
}

Error unreadable(const SecretFile& file, const std::string& path, int problem) {
  const std::string more = path == file.file ? "" : fmt::format(" ({})", path);
  return wrong(file, fmt::format("cannot be read{}: {}; allowed: a file that the daemon's user may read; create it or "
                                 "correct its rights",
                                 more, std::strerror(problem)));
}

/// An open file; closed at the end.
class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : number_{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)} {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

/// 0, or errno.
int read_all(int number, std::string& text) {
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t got = ::read(number, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > kLargest) return EFBIG;
  }
}

void strip_line_end(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

}  // namespace

SecretFile secret_file(const Config& config, const std::string& option, const std::string& file) {
  const auto origin = config.origins.find(option);
  return {option, file, origin == config.origins.end() ? "default" : origin->second};
}

Result<std::string> path_of(const SecretFile& file) {
  if (!file.file.starts_with(kCredential)) return file.file;
  const std::string name = file.file.substr(kCredential.size());
  if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..") {
    return wrong(file, "names no credential; write credential:NAME, with the NAME that LoadCredential= gives it");
  }
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || *folder == '\0') {
    return wrong(file, fmt::format("needs CREDENTIALS_DIRECTORY, which systemd sets for a unit with credentials: put "
                                   "LoadCredential={}:/path/of/the/secret below [Service] in the unit (systemctl edit "
                                   "tickbridge); outside of a unit set the variable or name a file",
                                   name));
  }
  return fmt::format("{}/{}", folder, name);
}

Result<std::string> read_secret(const SecretFile& file) {
  const auto path = path_of(file);
  if (!path) return path.error();
  const Descriptor open{*path};
  if (open.number() < 0) return unreadable(file, *path, errno);
  struct stat facts{};
  if (::fstat(open.number(), &facts) != 0) return unreadable(file, *path, errno);
  if (S_ISDIR(facts.st_mode)) return unreadable(file, *path, EISDIR);
  std::string text;
  if (const int problem = read_all(open.number(), text); problem != 0) return unreadable(file, *path, problem);
  strip_line_end(text);
  if (text.empty()) return wrong(file, "is empty; write the secret into it");
  return text;
}

Result<std::string> read_password(const SecretFile& file) {
  auto text = read_secret(file);
  if (!text) return text;
  text->resize(std::min(text->size(), text->find('\n')));
  strip_line_end(*text);
  if (text->empty()) return wrong(file, "has an empty first line; write the password into it");
  return text;
}

}  // namespace tickbridge::config
