// The manual pages tickbridge(8) and tickbridge.toml(5), in roff by man(7)'s macros.
#include <fmt/format.h>

#include "config/flags.h"
#include "config/generate.h"
#include "config/generate_parts.h"
#include "config/java_names.h"
#include "config/table.h"

namespace tickbridge::config {
namespace {

/// Text as roff takes it: nothing in it is a request, and a hyphen can be pasted into a shell.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  return out;
}

std::string heading(std::string_view name, int section) {
  return fmt::format(
      ".\\\" Made by tickbridge-docs from the table of options in src/config; do not edit.\n"
      ".TH {} {} 2026-11-22 \"tickbridge {}\"\n",
      name, section, TICKBRIDGE_VERSION);
}

std::string flag_entry(const Flag& flag) {
  const std::string value = flag.value.empty() ? "" : fmt::format(" \\fI{}\\fR", roff(flag.value));
  return fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", roff(flag.name), value, roff(flag.doc));
}

/// A feed's options all are reloadable, which the table's head says.
std::string_view reload_note(const Option& option) {
  if (option.is_feed() || option.reload() == Reload::kRestart) return {};
  if (option.reload() == Reload::kAtOnce) return ".br\nReloadable.\n";
  return ".br\nReloadable: all feeds begin anew.\n";
}

std::string option_entry(const Option& option) {
  const std::string fallback = default_of(option);
  const bool none = fallback.empty() || fallback == "[]";
  std::string out = fmt::format(".TP\n\\fB{}\\fR{}\n{}\n.br\nAllowed: {}.\n", roff(key_of(option.path)),
                                none ? "" : " = " + roff(fallback), roff(option.doc), roff(allowed(option)));
  if (!option.library.empty() && option.library != key_of(option.path)) {
    out += fmt::format(".br\nThe client library's {}.\n", roff(option.library));
  }
  return out + std::string{reload_note(option)};
}

std::string option_table(std::string_view table) {
  std::string out =
      table.empty() ? ".SS At the top of the file\n" : fmt::format(".SS [{}]\n", with_name(table, "NAME"));
  if (const std::string_view doc = title_doc(table); !doc.empty()) out += roff(doc) + "\n";
  for (const Option& option : options()) {
    if (table_of(option.path) == table) out += option_entry(option);
  }
  return out;
}

constexpr std::string_view kProgram = R"(.SH NAME
tickbridge \- an exchange's TCP feed into Apache Kafka
.SH SYNOPSIS
.B tickbridge
.RI [ flag ]...
.PP
.B tickbridge doctor
.RB [ \-\-login "] [" \-\-json ]
.RI [ flag ]...
.SH DESCRIPTION
Reads exchange market\-data feeds over TCP (SoupBinTCP, or any length\-prefixed framing) and writes every valid message to
Apache Kafka: in order per instrument, and exactly once, through crashes of the daemon, of brokers and of connections.
.PP
It stays in the foreground and writes its log on standard error. It keeps nothing on disk: how far it got stands in a topic
of its own, and at its start it finds its place again by it.
.PP
.B tickbridge doctor
looks whether it would run with this configuration (the file, the host, the exchange, Kafka, topics, rights, checkpoints), and
says what to do where not, a line each. It changes nothing, may run beside the daemon, and exits with 0 or with what the daemon
would end with.
.B \-\-login
logs in to the exchange, too;
.B \-\-json
is for programs.
.SH OPTIONS
)";

constexpr std::string_view kProgramRest = R"(.SH EXIT STATUS
.TP
0
Fine: stopped by a signal with all acknowledged, or by
.BR \-\-exit\-at\-end .
.TP
64
The command line is wrong.
.TP
65
Data cannot be trusted: what the log holds cannot be brought together with the feed, or a record was refused, or a gap or an
invalid message where the configuration says to stop.
.TP
69
The exchange, Kafka or a topic was not there within
.IR startup_timeout .
.TP
70
An internal error.
.TP
75
Stopped with records not acknowledged. Start again: nothing is lost.
.TP
76
Protocol: the exchange rejects the login, somebody else writes into the topics, or another owner of the feed lives.
.TP
78
The configuration is wrong; each mistake is named with its line.
.PP
69, 70 and 75 are worth another start; the others want somebody to look first.
.SH SIGNALS
.TP
SIGTERM, SIGINT
Stop reading, hand over what was read, wait for Kafka's acknowledgements (at most
.IR shutdown_timeout ),
write a checkpoint and exit. A second one exits at once, with 75.
.TP
SIGHUP
Read the configuration again and take over what can change while running; the log names the rest.
.SH ENVIRONMENT
.TP
CREDENTIALS_DIRECTORY
Where secrets given as
.RI credential: NAME
are read; systemd sets it.
.TP
NOTIFY_SOCKET, WATCHDOG_USEC
How the daemon tells systemd its state, and how often; systemd sets them.
.SH FILES
.TP
/etc/tickbridge/tickbridge.toml
The configuration of tickbridge.service, and of the program without
.BR \-\-config .
.TP
/etc/tickbridge/\fINAME\fR.toml
That of tickbridge@\fINAME\fR.service.
.TP
/etc/tickbridge/credentials
Secrets, one a file, for root's eyes only.
.TP
/usr/share/doc/tickbridge
Documentation; operations.md is where to begin.
.SH EXAMPLES
Is the configuration right, and what is in force?
.PP
.RS
.nf
tickbridge \-\-check\-config
tickbridge \-\-print\-config
.fi
.RE
.SH SEE ALSO
.BR tickbridge.toml (5),
.BR tickbridge\-exchange (1),
.BR tickbridge\-verify (1),
.BR systemctl (1)
)";

constexpr std::string_view kFile = R"(.SH NAME
tickbridge.toml \- configuration of tickbridge
.SH DESCRIPTION
A TOML file. Each option has a full name, its table's and its own, such as
.I feed.nasdaq.topic
or
.IR producer.linger.ms ;
.B \-\-set
.IR NAME = VALUE
on the command line wins over the file.
.PP
Durations are text with a unit: "250ms", "5s", "1m", "2h". Sizes are bytes: a number, or "64KiB", "64MiB", "1GiB".
Options whose names end in .ms are numbers of milliseconds, as Java's.
.PP
.B tickbridge \-\-check\-config
says whether a file is right,
.B tickbridge \-\-print\-config
what is in force and where it comes from; secrets are shown as ***. Unknown names, wrong values and contradictions are
refused with file, line and what to do (exit status 78).
.PP
What is called reloadable is taken over on SIGHUP; the rest needs a restart.
.SH OPTIONS
Each with its default.
)";

constexpr std::string_view kLibrary = R"(.SS [producer.librdkafka]
Any property of the client library by its own name. A property may be set once: by Java's name or by the library's. These
are the daemon's, and refused:
)";

constexpr std::string_view kFileRest = R"(.SH FILES
.TP
/etc/tickbridge/tickbridge.toml
Every option with its default, to begin from.
.TP
/usr/share/doc/tickbridge/configuration.md
The same as a page, with what contradicts what.
.SH EXAMPLES
.nf
[feed.nasdaq]
hosts = ["10.1.1.1:9000", "10.1.1.2:9000"]
topic = "ticks"
[producer]
"bootstrap.servers" = "kafka1:9092,kafka2:9092"
.fi
.SH SEE ALSO
.BR tickbridge (8)
)";

std::string refused(std::span<const Refused> names) {
  std::string out;
  for (const Refused& name : names) out += fmt::format(".TP\n{}\n{}\n", roff(name.name), roff(name.advice));
  return out;
}

}  // namespace

std::string manual_program() {
  std::string out = heading("TICKBRIDGE", 8) + std::string{kProgram};
  for (const Flag& flag : flags()) out += flag_entry(flag);
  return out + std::string{kProgramRest};
}

std::string manual_file() {
  std::string out = heading("TICKBRIDGE.TOML", 5) + std::string{kFile};
  for (const std::string_view table : tables()) {
    out += option_table(table);
    if (table != "producer") continue;
    out += ".PP\nOther names of the Java producer are known and refused:\n" + refused(refused_java_names());
    out += std::string{kLibrary} + refused(owned_properties());
  }
  return out + std::string{kFileRest};
}

}  // namespace tickbridge::config
