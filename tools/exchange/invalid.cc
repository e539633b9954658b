#include "exchange/invalid.h"

#include <array>

#include "exchange/instruments.h"
#include "exchange/message_writer.h"
#include "exchange/notices.h"
#include "exchange/random.h"

namespace tickbridge::exchange {
namespace {

constexpr std::uint64_t kSomeTime = 36'000'000'000'000;  // 10:00
constexpr std::uint64_t kDay = 86'400'000'000'000;
constexpr std::size_t kRecordHeader = 2;

std::uint16_t some_locate(std::uint64_t number) { return static_cast<std::uint16_t>(1 + mix64(number) % 100); }

void write_short_add(MessageWriter& out, std::uint64_t number) {
  out.begin('A', some_locate(number), 0, kSomeTime);
  out.u64(number);
  out.letter('B');
  out.u32(100);
  out.text("SHORT   ");
  out.text("\x01\x02\x03");  // the price's last byte is missing
}

void write_long_execution(MessageWriter& out, std::uint64_t number) {
  out.begin('E', some_locate(number), 0, kSomeTime);
  out.u64(number);
  out.u32(100);
  out.u64(number);
  out.letter('!');
}

void write_late_delete(MessageWriter& out, std::uint64_t number) {
  out.begin('D', some_locate(number), 0, kDay + number % 1'000'000);
  out.u64(number);
}

void write_unprintable_listing(MessageWriter& out, std::uint64_t number) {
  Instrument instrument;
  instrument.stock = {'B', 'A', '\x01', 'D', ' ', ' ', ' ', ' '};
  instrument.locate = some_locate(number);
  Random random{number};
  write_listing(out, kSomeTime, instrument, random);
}

}  // namespace

std::vector<std::byte> invalid_message(std::uint64_t number) {
  constexpr std::array kKinds = {write_short_add, write_long_execution, write_late_delete, write_unprintable_listing};
  std::array<std::byte, kMaxItchRecord> record{};
  MessageWriter out{record};
  kKinds[number % kKinds.size()](out, number);
  const std::size_t size = out.finish();
  return {record.begin() + kRecordHeader, record.begin() + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace tickbridge::exchange
