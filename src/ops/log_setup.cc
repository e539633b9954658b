#include "ops/log_setup.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/log.h"
#include "ops/journal_sink.h"
#include "ops/notices.h"

namespace tickbridge::ops {

LogStyle choose_style(LogFormat format, bool journal) noexcept {
  if (format == LogFormat::kJson) return journal ? LogStyle::kJournalJson : LogStyle::kJson;
  return journal ? LogStyle::kJournal : LogStyle::kText;
}

bool is_journal(const char* journal_stream, int fd) noexcept {
  struct stat status{};
  if (journal_stream == nullptr || fstat(fd, &status) != 0) return false;
  char* rest = nullptr;
  const unsigned long long device = std::strtoull(journal_stream, &rest, 10);
  if (rest == journal_stream || *rest != ':') return false;
  return device == status.st_dev && std::strtoull(rest + 1, nullptr, 10) == status.st_ino;
}

std::optional<spdlog::level::level_enum> parse_level(std::string_view word) noexcept {
  for (int i = 0; i < spdlog::level::n_levels; ++i) {
    const auto level = static_cast<spdlog::level::level_enum>(i);
    if (level_word(level) == word) return level;
  }
  return std::nullopt;
}

void adjust_logging(const LogOptions& options) {
  if (const auto level = parse_level(options.level)) spdlog::default_logger_raw()->set_level(*level);
  limit_log(options.burst, options.interval);
}

// shared: spdlog's own ownership
spdlog::sink_ptr make_sink(LogStyle style) {
  const bool journal = style == LogStyle::kJournal || style == LogStyle::kJournalJson;
  if (journal) return std::make_shared<JournalSink>();
  if (style == LogStyle::kText && isatty(STDERR_FILENO) != 0)
    return std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  return std::make_shared<spdlog::sinks::stderr_sink_mt>();
}

void set_up_logging(const LogOptions& options) {
  const LogStyle style = choose_style(options.format, is_journal(std::getenv("JOURNAL_STREAM"), STDERR_FILENO));
  const spdlog::sinks_init_list sinks{make_sink(style), notice_sink()};
  auto logger = std::make_shared<spdlog::logger>("tickbridge", sinks);
  logger->set_formatter(make_formatter(style));
  spdlog::set_default_logger(std::move(logger));
  adjust_logging(options);
}

}  // namespace tickbridge::ops
