#pragma once

#include <spdlog/sinks/sink.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tickbridge::ops {

/// A warning or an error of the log.
struct Notice {
  std::int64_t at_ns = 0;  ///< since 1970 UTC
  bool error = false;      ///< else a warning
  std::string text;        ///< one line of valid UTF-8
};

/// The newest warnings and errors of this process, for the dashboard; any thread.
struct Notices {
  std::uint64_t total = 0;     ///< ever
  std::vector<Notice> newest;  ///< kKept at most, oldest first
};
constexpr std::size_t kKept = 64;

/// What was told since the process began, through the sink below.
[[nodiscard]] Notices notices();
/// How many those are, without copying them.
[[nodiscard]] std::uint64_t count_notices();

/// The one sink that keeps them; set_up_logging puts it beside standard error.
[[nodiscard]] spdlog::sink_ptr notice_sink();

/// Whether a line of the log is about this feed.
[[nodiscard]] bool concerns(std::string_view text, std::string_view feed);

/// The newest of `told` (oldest first) that is about this feed; null: none.
[[nodiscard]] const Notice* newest_about(const std::vector<Notice>& told, std::string_view feed);

/// "2026-11-21T04:11:43.123Z".
[[nodiscard]] std::string time_text(std::int64_t at_ns);

}  // namespace tickbridge::ops
