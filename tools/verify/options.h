#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "expectation.h"
#include "topic_reader.h"

namespace tickbridge::verify {

struct Options {
  std::string file;
  std::string topic;
  std::string dead_letters;  ///< a topic whose dead letters are counted by reason; empty: none
  ReaderOptions reader;
  Rules rules;
  bool follow = false;
  double timeout = 30;          ///< s of silence that end following; also for the topic to be there
  double quiet = 1;             ///< s to go on reading after the last expected one, for duplicates
  std::int32_t partitions = 0;  ///< the topic must have so many; 0: any number
  bool timestamps = false;
  std::string trading_date = "today";
  std::string time_zone = "America/New_York";
};

/// Reads the command line and the config file that it names. Returns an exit code where nothing more is to be done
/// (--help, a usage error, a config error: already told on standard error).
[[nodiscard]] std::optional<int> read_options(int argc, char** argv, Options& options);

/// Milliseconds since 1970 UTC at which the date ("today", or 2019-12-30) begins in the zone (an IANA name).
/// Throws std::runtime_error where one of them cannot be read.
[[nodiscard]] std::int64_t midnight_ms(const std::string& date, const std::string& zone);

}  // namespace tickbridge::verify
