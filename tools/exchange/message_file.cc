#include "exchange/message_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace tickbridge::exchange {
namespace {

constexpr std::size_t kPiece = 1U << 20U;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

/// A file descriptor that is closed at the end of the scope.
class Descriptor {
 public:
  Descriptor(int value, const std::string& what) : value_{value} {
    if (value < 0) fail(what);
  }
  ~Descriptor() { ::close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return value_; }

 private:
  int value_;
};

int make_temporary() {
  std::string name = (std::filesystem::temp_directory_path() / "tickbridge-exchange-XXXXXX").string();
  const int descriptor = ::mkstemp(name.data());
  if (descriptor >= 0) ::unlink(name.c_str());
  return descriptor;
}

int make_file(const std::string& path) { return ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644); }

void write_all(int descriptor, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void inflate_into(int descriptor, const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> input{gzopen(path.c_str(), "rb"), gzclose};
  if (!input) fail(path);
  std::vector<std::byte> piece(kPiece);
  for (;;) {
    const int size = gzread(input.get(), piece.data(), static_cast<unsigned>(piece.size()));
    int error = 0;
    const char* text = gzerror(input.get(), &error);
    if (size < 0 && error != Z_BUF_ERROR) throw std::runtime_error(path + ": " + text);
    if (size <= 0) return;  // a gzip file that was cut off gives what it has
    write_all(descriptor, Bytes{piece}.first(static_cast<std::size_t>(size)));
  }
}

}  // namespace

MessageFile::MessageFile(int descriptor) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) fail("cannot read");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return;
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (address == MAP_FAILED) fail("cannot map");
  ::madvise(address, size, MADV_SEQUENTIAL);
  mapped_ = {static_cast<const std::byte*>(address), size};
}

MessageFile::MessageFile(MessageFile&& other) noexcept
    : mapped_{std::exchange(other.mapped_, {})}, whole_{std::exchange(other.whole_, 0)} {}

MessageFile::~MessageFile() {
  if (!mapped_.empty()) ::munmap(const_cast<std::byte*>(mapped_.data()), mapped_.size());
}

std::string MessageFile::measure() {
  while (whole_ + 2 <= mapped_.size()) {
    const std::size_t length = load_be<std::uint16_t>(mapped_, whole_);
    if (length == 0) return {};
    if (mapped_.size() - whole_ - 2 < length) break;
    whole_ += 2 + length;
  }
  if (whole_ == mapped_.size()) return {};
  return "the last message is cut off: " + std::to_string(mapped_.size() - whole_) + " bytes left out";
}

MessageFile MessageFile::open(const std::string& path, std::string& warning) {
  const bool zipped = path.ends_with(".gz");
  const Descriptor input{::open(path.c_str(), O_RDONLY | O_CLOEXEC), path};
  const Descriptor source{zipped ? make_temporary() : ::dup(input.get()), "temporary file"};
  if (zipped) inflate_into(source.get(), path);
  MessageFile file{source.get()};
  warning = file.measure();
  return file;
}

MessageFile MessageFile::generate(const GeneratorOptions& options, const std::string& save) {
  const Descriptor output{save.empty() ? make_temporary() : make_file(save), save.empty() ? "temporary file" : save};
  Generator generator{options};
  std::vector<std::byte> piece(kPiece);
  while (const std::size_t size = generator.fill(piece)) write_all(output.get(), Bytes{piece}.first(size));
  MessageFile file{output.get()};
  file.whole_ = file.mapped_.size();
  return file;
}

void MessageFile::save(const std::string& path, std::uint32_t times) const {
  const Descriptor output{make_file(path), path};
  for (; times > 0; --times) write_all(output.get(), records());
}

}  // namespace tickbridge::exchange
