// Input: one message, judged by every table.
#include "codec/message_table.h"
#include "fuzz/bytes.h"

namespace {

using namespace tickbridge;
using codec::Verdict;
using fuzz::must;

void judge(const codec::Protocol& protocol, Bytes message) {
  const codec::Checked checked = protocol.check(message);
  must((checked.verdict == Verdict::kInvalid) == (checked.reason != codec::Reason::kNone), "invalid has a reason");
  must(checked.time_ns == codec::kNoTime || checked.time_ns < codec::kDayNanoseconds, "a time is within a day");
  if (!checked.directory) return;
  must(checked.verdict == Verdict::kValid || checked.verdict == Verdict::kUnknownCode, "only sound ones teach");
  const std::string_view symbol = protocol.symbol(message);
  must(symbol.size() <= 8 && (symbol.empty() || symbol.back() != ' '), "a symbol ends with no space");
  for (const char c : symbol) must(c >= 0x20 && c <= 0x7E, "a symbol is printable");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const char* const name : {"itch50", "itch50-bx", "itch50-psx", "raw"}) {
    judge(*codec::Protocol::find(name), fuzz::Input{data, size}.rest());
  }
  return 0;
}
