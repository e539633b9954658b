#include "report.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace tickbridge::verify {
namespace {

using Place = std::pair<std::uint32_t, std::size_t>;  // stream, number in it

const char* name_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::kLost:
      return "lost";
    case FaultKind::kDuplicated:
      return "duplicated";
    case FaultKind::kOutOfOrder:
      return "out_of_order";
    case FaultKind::kAltered:
      break;
  }
  return "altered";
}

std::string type_name(unsigned char type) {
  if (type > 0x20 && type < 0x7f) return {static_cast<char>(type)};
  constexpr char kHex[] = "0123456789abcdef";
  return {'0', 'x', kHex[type >> 4U], kHex[type & 15U]};
}

/// "message 17 of the file (A, key AAPL, partition 3)" for each place asked for.
std::map<Place, std::string> locate(std::map<Place, std::string> asked, const Expectation& expectation,
                                    MessageFile& file, const Rules& rules, std::int32_t partition_count) {
  if (asked.empty()) return asked;
  std::vector<std::size_t> next(expectation.streams().size());
  std::uint64_t number = 0;
  for_each_expected(file, rules, partition_count, [&](std::string_view bytes, bool expected, const Route& route) {
    ++number;
    if (!expected) return;
    const auto stream = expectation.index().find(route.partition, route.key);
    const auto found = asked.find({stream, next[stream]++});
    if (found == asked.end()) return;
    found->second = "message " + std::to_string(number) + " of the file (" +
                    type_name(static_cast<unsigned char>(bytes[0])) + ", key " +
                    (route.key.empty() ? "none" : std::string(route.key)) + ", partition " +
                    std::to_string(route.partition) + ")";
  });
  return asked;
}

void print_place(std::ostream& out, const Fault& fault) {
  out << "  " << name_of(fault.kind) << ' ' << fault.partition << '@';
  if (fault.offset >= 0) {
    out << fault.offset;
  } else {
    out << "end";
  }
  out << " key " << (fault.key.empty() ? "none" : fault.key) << ": ";
}

}  // namespace

void print_types(std::ostream& out, const std::array<std::uint64_t, 256>& found) {
  std::vector<unsigned> types(found.size());
  std::iota(types.begin(), types.end(), 0U);
  std::stable_sort(types.begin(), types.end(), [&](unsigned a, unsigned b) { return found[a] > found[b]; });
  out << "messages by type:";
  for (const auto type : types) {
    if (found[type] > 0) out << ' ' << type_name(static_cast<unsigned char>(type)) << ' ' << found[type];
  }
  out << '\n';
}

void print_faults(std::ostream& out, const Verdict& verdict, const Expectation& expectation, MessageFile& file,
                  const Rules& rules, std::int32_t partition_count) {
  std::map<Place, std::string> asked;
  for (const auto& fault : verdict.faults) {
    if (fault.stream != kNoStream) asked[{fault.stream, fault.place}];
  }
  const auto names = locate(std::move(asked), expectation, file, rules, partition_count);
  for (const auto& fault : verdict.faults) {
    print_place(out, fault);
    out << fault.what;
    if (fault.stream != kNoStream) out << ' ' << names.at({fault.stream, fault.place});
    if (fault.count > 1) out << " and the " << fault.count - 1 << " behind it with this key";
    out << '\n';
  }
}

}  // namespace tickbridge::verify
