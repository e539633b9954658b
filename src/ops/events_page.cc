#include "ops/events_page.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "base/events.h"

namespace tickbridge::ops {

namespace {

constexpr std::string_view kHead = R"(# Events of the log

<!-- Made by tickbridge-docs from the table of events in src/base/events.h; do not edit. -->

Each line of the log has the name of its event: at its end in square brackets, in JSON (`log.format = "json"`) as
`event`, in the journal as the field `EVENT`. Nothing is logged per message, and no secret ever.

- JSON, an object a line: `time`, `level`, `thread`, `event`, `message`, and where they apply `feed`, `facility`
  (a part of the Kafka client library), `held_back`.
- Under systemd, where standard error is the journal, each line has the fields `MESSAGE`, `PRIORITY`, `EVENT`, `FEED`,
  `FACILITY`, `HELD_BACK`, `CODE_FILE`, `CODE_LINE`: `journalctl -u tickbridge EVENT=gap FEED=nasdaq`. If the journal's
  socket is not there, lines go to standard error with their priority as `<4>` before them.
- At most `log.burst` lines of one event and feed (or facility) are written in each `log.interval`. How many were held
  back is told when the interval is over and at the daemon's end, as a line of the same event, or at the end of its next line.
  `tickbridge_log_lines_total` and `tickbridge_log_held_back_total` count both.
- Events marked * are never held back: they end something, or come once.
- `log.level`, `log.burst` and `log.interval` can be changed while the daemon runs: SIGHUP.

| event | level | what it means | what to do |
|---|---|---|---|
)";

constexpr std::array<std::string_view, 5> kLevels{"debug", "info", "warn", "error", "critical"};

}  // namespace

std::string render_events_page() {
  std::string page{kHead};
  for (const EventRow& row : kEventRows) {
    page += fmt::format("| `{}`{} | {} | {} | {} |\n", row.name, row.hold == LogHold::kAlways ? " *" : "",
                        kLevels[static_cast<std::size_t>(row.level)], row.meaning, row.cure);
  }
  return page;
}

}  // namespace tickbridge::ops
