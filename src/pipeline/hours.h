#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/opening_hours.h"
#include "base/result.h"
#include "pipeline/options.h"

namespace tickbridge::pipeline {

/// When a feed runs: ranges of the day on days of the week, and other ranges on single days, in a time zone. A range
/// that a change of the clocks cuts or doubles is open from the first of its beginnings to the last of its ends.
class Hours {
 public:
  /// Of `hours`, `days`, `hours_on` and `time_zone`. Errors: kConfig.
  [[nodiscard]] static Result<Hours> create(const FeedPolicies& policies);

  /// `now_ns`: wall time, nanoseconds since 1970 UTC.
  [[nodiscard]] bool open(std::int64_t now_ns) const;
  /// When open() changes next, in milliseconds since 1970 UTC; nullopt: not within a year.
  [[nodiscard]] std::optional<std::int64_t> next_change_ms(std::int64_t now_ns) const;
  /// A time as its people read it: "2026-11-23 09:30:00 EST".
  [[nodiscard]] std::string local(std::int64_t time_ms) const;

 private:
  struct Span {  // milliseconds since 1970 UTC
    std::int64_t from = 0;
    std::int64_t to = 0;
  };
  Hours() = default;
  /// Of the ranges that begin on the day so many days after the one that `now_ns` lies in, there.
  [[nodiscard]] std::vector<Span> spans(std::int64_t now_ns, int days_after) const;

  std::vector<OpenRange> ranges_;
  Weekdays days_ = kEveryDay;
  std::map<std::chrono::year_month_day, std::vector<OpenRange>> on_;
  std::string zone_;
};

}  // namespace tickbridge::pipeline
