#include "message_file.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace tickbridge::verify {

MessageFile::MessageFile(std::string path)
    : path_(std::move(path)), file_(gzopen(path_.c_str(), "rb"), gzclose), buffer_(1U << 20U) {
  if (!file_) throw std::runtime_error(path_ + ": " + std::strerror(errno));
  gzbuffer(file_.get(), 1U << 18U);
}

bool MessageFile::next(std::string_view& message) {
  if (ended_ || !have(2)) return false;
  const auto length =
      static_cast<std::size_t>(static_cast<unsigned char>(at()[0]) << 8U | static_cast<unsigned char>(at()[1]));
  if (length == 0) {
    ended_ = true;
    begin_ = end_;
    return false;
  }
  if (!have(2 + length)) return false;
  message = {at() + 2, length};
  begin_ += 2 + length;
  return true;
}

void MessageFile::rewind() {
  if (gzrewind(file_.get()) != 0) throw std::runtime_error(path_ + ": cannot be read again");
  begin_ = end_ = 0;
  ended_ = false;
}

bool MessageFile::have(std::size_t count) {
  while (end_ - begin_ < count) {
    std::memmove(buffer_.data(), at(), end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const int read = gzread(file_.get(), buffer_.data() + end_, static_cast<unsigned>(buffer_.size() - end_));
    int error = 0;
    const char* text = gzerror(file_.get(), &error);
    if (read < 0 && error != Z_BUF_ERROR) throw std::runtime_error(path_ + ": " + text);
    if (read <= 0) return false;
    end_ += static_cast<std::size_t>(read);
  }
  return true;
}

}  // namespace tickbridge::verify
