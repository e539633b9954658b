#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace tickbridge::pipeline {

/// Gives times since midnight a day.
class TradingDay {
 public:
  /// `date`: "today" or "2019-12-30"; `zone`: a name of the IANA time zone database. Errors: kConfig.
  [[nodiscard]] static Result<TradingDay> create(const std::string& date, const std::string& zone);

  /// Midnight of the trading date in the exchange's time zone, milliseconds since 1970 UTC. "today" is the
  /// day of `now_ns` (wall time) there.
  [[nodiscard]] std::int64_t midnight_ms(std::int64_t now_ns) const;

 private:
  TradingDay(std::string date, std::string zone) : date_{std::move(date)}, zone_{std::move(zone)} {}
  std::string date_;
  std::string zone_;
};

}  // namespace tickbridge::pipeline
