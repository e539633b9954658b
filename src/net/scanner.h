#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "codec/options.h"
#include "codec/packet.h"
#include "codec/soup.h"

namespace tickbridge::net {

/// What a run of the server's bytes holds, as far as whole packets reach.
struct Scan {
  enum class Stop : std::uint8_t {
    kMore,      ///< the rest is the beginning of a packet, or nothing
    kAccepted,  ///< behind a login's acceptance
    kRejected,  ///< behind a login's rejection
    kEnded,     ///< behind an end of session
    kBroken,    ///< before bytes that no packet begins with: the connection cannot be read any further
  };
  std::size_t whole = 0;        ///< bytes of whole packets: what may be published
  std::uint64_t packets = 0;    ///< in those bytes
  std::uint64_t sequenced = 0;  ///< sequenced packets among them
  std::uint64_t ignored = 0;    ///< debug and unsequenced packets among them
  Stop stop = Stop::kMore;
  codec::soup::Accepted accepted;  ///< kAccepted
  char rejection = 0;              ///< kRejected: the reason
  const char* problem = nullptr;   ///< kBroken: what is wrong
};

/// Finds whole packets in what a connection brought. One thread at a time; no I/O.
class PacketScanner {
 public:
  explicit PacketScanner(const codec::Options& options);

  /// A new connection: SoupBinTCP begins with the login's answer.
  void connected() noexcept { logged_in_ = !soup_; }

  /// Looks at bytes that begin with a packet, up to the first packet that the session must know of.
  [[nodiscard]] Scan scan(Bytes bytes);

  [[nodiscard]] std::size_t max_packet_bytes() const noexcept { return cutter_.max_packet_bytes(); }

 private:
  /// false: the scan stops behind (or before) this packet.
  [[nodiscard]] bool take(const codec::Packet& packet, Bytes bytes, Scan& scan);

  codec::PacketCutter cutter_;
  bool soup_;
  bool logged_in_ = false;
};

}  // namespace tickbridge::net
