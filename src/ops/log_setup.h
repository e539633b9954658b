#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <optional>
#include <string_view>

#include "ops/log_format.h"
#include "ops/options.h"

namespace tickbridge::ops {

/// Makes spdlog's default logger write to standard error as the options say. Once, at start, before other threads.
/// A level that is no level word is taken as info.
void set_up_logging(const LogOptions& options);

/// Takes over level and limit in what set_up_logging made; a word that is no level changes nothing. Any thread.
void adjust_logging(const LogOptions& options);

/// The sink for standard error; where that is the journal's stream and its socket is there, the journal's own protocol.
[[nodiscard]] spdlog::sink_ptr make_sink(LogStyle style);

/// The style for standard error: with priorities where the journal reads it.
[[nodiscard]] LogStyle choose_style(LogFormat format, bool journal) noexcept;

/// Whether the file descriptor is the journal's stream that $JOURNAL_STREAM names ("device:inode", systemd.exec(5)).
[[nodiscard]] bool is_journal(const char* journal_stream, int fd) noexcept;

[[nodiscard]] std::optional<spdlog::level::level_enum> parse_level(std::string_view word) noexcept;

}  // namespace tickbridge::ops
