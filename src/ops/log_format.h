#pragma once

#include <spdlog/formatter.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace tickbridge::ops {

/// How a line of the log looks. Bytes from outside in a message never make a second line.
enum class LogStyle : std::uint8_t {
  kText,         ///< 2026-11-21T04:11:43.123456Z info  message [event]
  kJournal,      ///< <6>message [event]; the journal has the time
  kJson,         ///< {"time":"2026-11-21T04:11:43.123456Z","level":"info","thread":123,"event":"…","feed":"…",
                 ///< "message":"message"}
  kJournalJson,  ///< the same after <6>, which the journal takes off
};

[[nodiscard]] std::unique_ptr<spdlog::formatter> make_formatter(LogStyle style);

/// trace | debug | info | warn | error | critical | off.
[[nodiscard]] std::string_view level_word(spdlog::level::level_enum level) noexcept;

/// The priority of syslog(3) that sd-daemon(3) takes from the beginning of a line.
[[nodiscard]] int priority(spdlog::level::level_enum level) noexcept;

}  // namespace tickbridge::ops
