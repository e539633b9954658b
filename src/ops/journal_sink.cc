#include "ops/journal_sink.h"

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cstdio>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "ops/log_format.h"

namespace tickbridge::ops {

namespace {

constexpr std::size_t kMark = 3;  // "<6>", before what the formatter made

/// NAME=value, each.
using Fields = std::deque<std::string>;

void add(Fields& fields, std::string_view name, std::string_view value) {
  if (!value.empty()) fields.push_back(std::string{name} + "=" + std::string{value});
}

/// From the tree's root on: where it was built is nobody's business.
std::string_view in_tree(std::string_view file) {
  const std::size_t at = file.rfind("/src/");
  return at == std::string_view::npos ? file : file.substr(at + 1);
}

void add_ours(Fields& fields, const LogFields& ours) {
  add(fields, "EVENT", row_of(ours.event).name);
  add(fields, "FEED", ours.source.feed);
  add(fields, "FACILITY", ours.source.facility);
  if (ours.held_back != 0) add(fields, "HELD_BACK", std::to_string(ours.held_back));
  add(fields, "CODE_FILE", in_tree(ours.where.file_name()));
  add(fields, "CODE_LINE", std::to_string(ours.where.line()));
}

bool send(const Fields& fields) {
  std::vector<iovec> parts;
  for (const std::string& field : fields) parts.push_back({const_cast<char*>(field.data()), field.size()});
  return journal_listens() && sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

}  // namespace

// sd_journal_sendv says that all is well where there is no journal, hence journal_listens().
bool journal_listens() noexcept { return access("/run/systemd/journal/socket", W_OK) == 0; }

void JournalSink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  Fields fields;
  add(fields, "MESSAGE", {line.data() + kMark, line.size() - kMark - 1});
  add(fields, "PRIORITY", std::to_string(priority(message.level)));
  add(fields, "SYSLOG_IDENTIFIER", "tickbridge");
  add(fields, "TID", std::to_string(message.thread_id));
  if (const LogFields* const ours = current_fields()) add_ours(fields, *ours);
  if (!send(fields)) std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace tickbridge::ops
