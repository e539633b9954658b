#include "exchange/faults.h"

#include <array>
#include <charconv>
#include <cmath>

namespace tickbridge::exchange {
namespace {

/// `KIND[:ARG][@SEQ]` taken apart.
struct Words {
  std::string_view kind;
  std::string_view argument;
  std::optional<std::uint64_t> number;  ///< the argument, where it is one
  std::optional<std::uint64_t> after;
};

using Setter = bool (*)(Faults&, const Words&);
struct Row {
  std::string_view kind;
  std::string_view usage;
  std::string_view help;
  Setter set;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

bool add_break(Faults& faults, BreakKind kind, const Words& words, std::uint64_t amount) {
  faults.breaks.push_back({.kind = kind, .after = words.after.value_or(0), .amount = amount});
  return true;
}

bool add_stall(Faults& faults, const Words& words) {
  double seconds = 0;
  const char* end = words.argument.data() + words.argument.size();
  const auto [stop, error] = std::from_chars(words.argument.data(), end, seconds);
  if (error != std::errc{} || stop != end || seconds <= 0 || seconds > 86'400) return false;
  return add_break(faults, BreakKind::kStall, words, static_cast<std::uint64_t>(std::llround(seconds * 1000)));
}

template <typename T>
bool set_number(T& field, const std::optional<std::uint64_t>& value) {
  if (!value || *value == 0 || *value >= std::numeric_limits<T>::max()) return false;
  field = static_cast<T>(*value);
  return true;
}

bool set_times(std::uint32_t& field, const Words& words) {
  if (words.argument.empty()) field = kAlways;
  return words.argument.empty() || set_number(field, words.number);
}

bool set_rejection(Faults& faults, const Words& words) {
  const std::string_view text = words.argument;
  if (text.empty() || (text[0] != 'A' && text[0] != 'S')) return false;
  faults.rejection = text[0];
  faults.rejections = kAlways;
  return text.size() == 1 || (text[1] == ':' && set_number(faults.rejections, number(text.substr(2))));
}

constexpr std::array kRows = {
    Row{"cut", "cut:N", "cut the connection after about every N packets, at any byte",
        [](Faults& f, const Words& w) { return set_number(f.cut_packets, w.number); }},
    Row{"slice", "slice[:N]", "send 1 to N bytes at a time (64); slice:1 one byte at a time",
        [](Faults& f, const Words& w) {
          f.slice_bytes = 64;
          return w.argument.empty() || set_number(f.slice_bytes, w.number);
        }},
    Row{"stall", "stall:SECONDS[@SEQ]", "once: send nothing, heartbeats neither, after packet SEQ (0: after the login)",
        add_stall},
    Row{"silent-login", "silent-login[:TIMES]", "never answer a login",
        [](Faults& f, const Words& w) { return set_times(f.silent_logins, w); }},
    Row{"garbage", "garbage[@SEQ]", "once: random bytes instead of the packet after SEQ (0: after the login)",
        [](Faults& f, const Words& w) { return add_break(f, BreakKind::kGarbage, w, 0); }},
    Row{"bad-length", "bad-length[@SEQ]", "once: a packet of length 0 after packet SEQ (0: after the login)",
        [](Faults& f, const Words& w) { return add_break(f, BreakKind::kBadLength, w, 0); }},
    Row{"repeat", "repeat:N[@SEQ]",
        "answer logins N packets lower than asked; with @SEQ once, after a cut behind packet SEQ",
        [](Faults& f, const Words& w) {
          return w.after ? w.number && add_break(f, BreakKind::kRepeat, w, *w.number) : set_number(f.repeat, w.number);
        }},
    Row{"skip", "skip:N[@SEQ]", "the first N packets cannot be had; with @SEQ the N after a cut behind packet SEQ",
        [](Faults& f, const Words& w) {
          return w.after ? w.number && add_break(f, BreakKind::kSkip, w, *w.number) : set_number(f.skip, w.number);
        }},
    Row{"reject", "reject:A|S[:TIMES]", "reject logins: not authorised, or session not available", set_rejection},
    Row{"other-session", "other-session[:TIMES]", "answer logins that name a session with another one",
        [](Faults& f, const Words& w) { return set_times(f.other_sessions, w); }},
    Row{"end", "end@SEQ", "the session ends after packet SEQ",
        [](Faults& f, const Words& w) { return set_number(f.end_after, w.after); }},
    Row{"truncate-zlib", "truncate-zlib@SEQ",
        "after packet SEQ an additional one whose zlib stream is cut off; zlib-stream: once, no zlib any more",
        [](Faults& f, const Words& w) { return set_number(f.truncated_zlib, w.after); }},
    Row{"bomb", "bomb@SEQ",
        "after packet SEQ an additional one that inflates 1000:1; zlib-stream: once, such a stretch of the stream",
        [](Faults& f, const Words& w) { return set_number(f.bomb, w.after); }},
    Row{"invalid", "invalid:EVERY", "after every EVERY messages an additional one that is invalid, with its own number",
        [](Faults& f, const Words& w) { return set_number(f.invalid_every, w.number); }},
    Row{"unsequenced", "unsequenced:EVERY", "after every EVERY packets a U packet",
        [](Faults& f, const Words& w) { return set_number(f.unsequenced_every, w.number); }},
    Row{"debug", "debug:EVERY", "after every EVERY packets a + packet, and one before the login's answer",
        [](Faults& f, const Words& w) { return set_number(f.debug_every, w.number); }},
};

bool split(std::string_view text, Words& words) {
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos) {
    words.after = number(text.substr(at + 1));
    if (!words.after) return false;
    text = text.substr(0, at);
  }
  const std::size_t colon = text.find(':');
  words.kind = text.substr(0, colon);
  if (colon != std::string_view::npos) words.argument = text.substr(colon + 1);
  words.number = number(words.argument);
  return true;
}

}  // namespace

std::optional<std::string> add_fault(Faults& faults, std::string_view text) {
  Words words;
  const bool whole = split(text, words);
  for (const Row& row : kRows) {
    if (row.kind != words.kind && row.kind != text.substr(0, text.find_first_of(":@"))) continue;
    if (whole && row.set(faults, words)) return std::nullopt;
    return "--fault " + std::string{text} + ": must be " + std::string{row.usage};
  }
  return "--fault " + std::string{text} + ": no such kind; " + fault_help();
}

std::string fault_help() {
  std::string help = "the kinds are:";
  for (const Row& row : kRows) {
    std::string usage{row.usage};
    usage.resize(std::max<std::size_t>(usage.size() + 2, 24), ' ');
    help += "\n  " + usage + std::string{row.help};
  }
  return help;
}

}  // namespace tickbridge::exchange
