#include "net/scanner.h"

namespace tickbridge::net {

namespace soup = codec::soup;

PacketScanner::PacketScanner(const codec::Options& options)
    : cutter_{options}, soup_{options.transport == codec::Transport::kSoupBinTcp} {
  connected();
}

Scan PacketScanner::scan(Bytes bytes) {
  Scan scan;
  while (scan.whole < bytes.size()) {
    const Bytes rest = bytes.subspan(scan.whole);
    const codec::Packet packet = cutter_.cut(rest);
    if (packet.status == codec::Packet::Status::kPartial) break;
    if (packet.status == codec::Packet::Status::kBad) {
      scan.stop = Scan::Stop::kBroken;
      scan.problem = packet.problem;
      break;
    }
    ++scan.packets;
    if (packet.type == soup::kSequenced && logged_in_) [[likely]] {
      ++scan.sequenced;
      scan.whole += packet.size;
      continue;
    }
    if (!take(packet, rest, scan)) break;
  }
  return scan;
}

bool PacketScanner::take(const codec::Packet& packet, Bytes bytes, Scan& scan) {
  const auto broken = [&scan](const char* problem) {
    scan.stop = Scan::Stop::kBroken;
    scan.problem = problem;
    return false;
  };
  const auto stop_behind = [&scan, &packet](Scan::Stop stop) {
    scan.stop = stop;
    scan.whole += packet.size;
    return false;
  };
  const Bytes payload = bytes.subspan(packet.payload_offset, packet.payload_size);
  switch (packet.type) {
    case soup::kDebug:
    case soup::kUnsequenced:
      ++scan.ignored;
      [[fallthrough]];
    case soup::kServerHeartbeat:
      scan.whole += packet.size;
      return true;
    case soup::kAccepted: {
      if (logged_in_) return broken("a second login accepted packet");
      const auto accepted = soup::parse_accepted(payload);
      if (!accepted) return broken("a login accepted packet without session and sequence");
      logged_in_ = true;
      scan.accepted = *accepted;
      return stop_behind(Scan::Stop::kAccepted);
    }
    case soup::kRejected:
      if (logged_in_) return broken("a login rejected packet after the login was accepted");
      if (payload.size() != 1) return broken("a login rejected packet without a reason");
      scan.rejection = static_cast<char>(payload[0]);
      return stop_behind(Scan::Stop::kRejected);
    case soup::kEndOfSession:
      if (!logged_in_) return broken("an end of session before the login's answer");
      return stop_behind(Scan::Stop::kEnded);
    case soup::kSequenced:
      return broken("a sequenced packet before the login's answer");
    default:
      return broken("a packet of a type that no SoupBinTCP server sends");
  }
}

}  // namespace tickbridge::net
