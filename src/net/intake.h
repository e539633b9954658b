#pragma once

#include <cstdint>

#include "net/scanner.h"
#include "ring/byte_ring.h"

namespace tickbridge::net {

/// Where a reader puts the bytes of its feed. Main thread only, unless said.
class Intake {
 public:
  Intake() = default;
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;
  virtual ~Intake() = default;

  /// The ring that the socket is read into.
  [[nodiscard]] virtual ring::ByteRing& ring() noexcept = 0;
  /// Something was published.
  virtual void announce() noexcept = 0;
  /// True: packets are found behind the ring (zlib-stream); publish whatever was read, and expect scans
  /// through FeedReader::report(). False: the reader finds them, and publishes whole packets only.
  [[nodiscard]] virtual bool scans() const noexcept = 0;
  /// A connection begins. REQUIRES: idle().
  virtual void begin_connection(std::uint64_t connection) = 0;
  /// True when all that was published has been looked at and reported (always, if it does not scan).
  [[nodiscard]] virtual bool idle() const noexcept = 0;
};

}  // namespace tickbridge::net
