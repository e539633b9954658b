#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "exchange/generator.h"

namespace tickbridge::exchange {

/// The session's messages as a mapped BinaryFILE: u16 length, message, and again. Read-only, any thread.
/// What was generated or inflated lies in a temporary file without a name, so the kernel may page it out.
class MessageFile {
 public:
  /// Opens FILE.itch, or inflates FILE.itch.gz. `warning` is what is odd about it (a cut-off last message).
  /// Throws std::runtime_error if it cannot be read.
  [[nodiscard]] static MessageFile open(const std::string& path, std::string& warning);
  /// Generates a session; into `save` if not empty.
  [[nodiscard]] static MessageFile generate(const GeneratorOptions& options, const std::string& save);

  ~MessageFile();
  MessageFile(MessageFile&& other) noexcept;
  MessageFile& operator=(MessageFile&&) = delete;

  /// Whole records only, without the zero length that may end the file.
  [[nodiscard]] Bytes records() const noexcept { return mapped_.first(whole_); }
  /// Writes the records `times` times over.
  void save(const std::string& path, std::uint32_t times) const;

 private:
  explicit MessageFile(int descriptor);
  std::string measure();

  Bytes mapped_;
  std::size_t whole_ = 0;
};

}  // namespace tickbridge::exchange
