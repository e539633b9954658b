#pragma once

#include <spdlog/sinks/base_sink.h>

#include <mutex>

namespace tickbridge::ops {

/// Writes to the systemd journal by its own protocol (sd_journal_sendv(3)), so that a line has fields: PRIORITY,
/// MESSAGE, SYSLOG_IDENTIFIER, EVENT, FEED, FACILITY, HELD_BACK, CODE_FILE, CODE_LINE. A line that the journal does not
/// take goes to standard error with its priority before it. REQUIRES: a formatter of the styles for the journal.
class JournalSink final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}
};

/// Whether the journal's socket is there.
[[nodiscard]] bool journal_listens() noexcept;

}  // namespace tickbridge::ops
