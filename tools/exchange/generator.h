#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "exchange/day_plan.h"
#include "exchange/instruments.h"
#include "exchange/order_flow.h"
#include "exchange/random.h"

namespace tickbridge::exchange {

struct GeneratorOptions {
  std::uint64_t messages = 0;
  std::uint64_t seed = 1;
  std::uint32_t symbols = 8000;  ///< at most 65535; fewer in a small session (listed_instruments)
};

/// A trading session in ITCH 5.0, message by message. The same options give the same bytes on every machine.
class Generator {
 public:
  explicit Generator(const GeneratorOptions& options);
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  /// Writes whole BinaryFILE records (u16 length, message) until the session or the room ends.
  /// REQUIRES: out.size() >= kMaxItchRecord. @return bytes written; 0: the session is over.
  [[nodiscard]] std::size_t fill(MutableBytes out);

 private:
  std::size_t write_next(MutableBytes out);
  void write(MessageWriter& out, const Scene& scene, std::uint64_t index, std::uint64_t time);
  void write_listing_part(MessageWriter& out, std::uint64_t index, std::uint64_t time);
  void write_notice(MessageWriter& out, char type, std::uint64_t time);
  [[nodiscard]] std::uint64_t next_time(const Scene& scene);

  Random random_;
  std::vector<Instrument> instruments_;
  OrderFlow orders_;
  std::vector<Scene> scenes_;
  std::size_t scene_ = 0;
  std::uint64_t index_ = 0;  ///< messages of the scene written
  std::uint64_t time_ = 0;   ///< of the last message
};

}  // namespace tickbridge::exchange
