#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

/// Just enough of pcap, Ethernet and IPv4 to get at what TCP segments and UDP datagrams carry.
namespace tickbridge::tests {

/// What an IPv4 packet's TCP segment or UDP datagram carries.
inline std::string_view ip_payload(std::string_view ip) {
  const Bytes bytes = as_bytes(ip);
  const std::size_t header = (load_le<std::uint8_t>(bytes, 0) & 0x0FU) * std::size_t{4};
  ip = ip.substr(0, load_be<std::uint16_t>(bytes, 2));  // what follows is Ethernet's padding
  const std::string_view transport = ip.substr(header);
  const bool tcp = ip[9] == 6;
  const std::size_t before = tcp ? (load_le<std::uint8_t>(as_bytes(transport), 12) >> 4U) * std::size_t{4} : 8;
  return transport.substr(before);
}

/// Bytes before the IP header: Ethernet, Linux "cooked", raw IP; the first two perhaps with a VLAN tag.
inline std::size_t link_header(std::uint32_t link, std::string_view frame) {
  if (link == 101) return 0;
  const std::size_t size = link == 113 ? 16 : 14;
  return load_be<std::uint16_t>(as_bytes(frame), size - 2) == 0x8100 ? size + 4 : size;
}

/// The payloads of a little-endian pcap file's packets, in order.
inline std::vector<std::string> pcap_payloads(std::string_view file) {
  const Bytes bytes = as_bytes(file);
  std::vector<std::string> payloads;
  if (file.size() < 24 || load_le<std::uint32_t>(bytes, 0) != 0xA1B2C3D4U) return payloads;
  const auto link = load_le<std::uint32_t>(bytes, 20);
  for (std::size_t at = 24; at + 16 <= file.size();) {
    const std::size_t size = load_le<std::uint32_t>(bytes, at + 8);
    const std::string_view frame = file.substr(at + 16, size);
    payloads.emplace_back(ip_payload(frame.substr(link_header(link, frame))));
    at += 16 + size;
  }
  return payloads;
}

}  // namespace tickbridge::tests
