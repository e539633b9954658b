#include "exchange/venue.h"

#include <algorithm>
#include <utility>

namespace tickbridge::exchange {
namespace {

constexpr std::size_t kNameSize = 10;

/// Counts down, but kAlways stays.
bool take_one(std::uint32_t& left) {
  if (left == 0) return false;
  if (left != kAlways) --left;
  return true;
}

WireOptions wire_of(const WireOptions& wire, std::uint32_t n) {
  WireOptions mine = wire;
  mine.session = session_name(wire.session, n);
  return mine;
}

}  // namespace

std::string session_name(const std::string& first, std::uint32_t n) {
  if (n == 0) return first;
  const bool number = !first.empty() && std::ranges::all_of(first, [](char c) { return c >= '0' && c <= '9'; });
  if (number) {
    const std::string next = std::to_string(std::stoull(first) + n);
    if (next.size() <= kNameSize) return next;
  }
  const std::string suffix = std::to_string(n + 1);
  return first.substr(0, kNameSize - suffix.size()) + suffix;
}

Session::Session(Bytes records, const Options& options, const WireOptions& wire)
    : name{wire.session},
      image{records, options.loop, wire, options.faults},
      pacer{records, options.loop, options.rate, options.pace},
      hole_begin{1},
      hole_end{1 + options.faults.skip} {}

std::uint64_t Session::existing(SteadyTime now) {
  if (pacer.unlimited()) return kNever;
  const std::uint64_t messages = pacer.messages(now);
  const std::uint64_t packets = image.packets_within(messages);
  return image.all_within(messages) ? kNever : packets;
}

Venue::Venue(Bytes records, Options& options)
    : options_{options},
      random_{mix64(options.wire.seed ^ 0xFA017U)},
      silent_left_{options.faults.silent_logins},
      rejections_left_{options.faults.rejections},
      other_sessions_left_{options.faults.other_sessions} {
  for (std::uint32_t n = 0; n < options.sessions; ++n) {
    sessions_.push_back(std::make_unique<Session>(records, options, wire_of(options.wire, n)));
  }
}

LoginAnswer Venue::login(const LoginRequest& request, SteadyTime now) {
  LoginAnswer answer;
  if (take_one(silent_left_)) return {.kind = LoginAnswer::Kind::kSilence, .session_name = {}};
  answer.kind = LoginAnswer::Kind::kRejected;
  answer.reason = options_.faults.rejection;
  if (take_one(rejections_left_)) return answer;
  answer.reason = 'A';
  if (!authorised(request)) return answer;
  answer.reason = 'S';
  answer.session = request.session.empty() ? &current() : named(request.session);
  if (answer.session == nullptr) return answer;
  answer.kind = LoginAnswer::Kind::kAccepted;
  answer.session->pacer.start(now);
  answer.session_name = answer.session->name;
  if (!request.session.empty() && take_one(other_sessions_left_))
    answer.session_name = session_name(request.session, 7);
  answer.sequence = first_packet(*answer.session, request.sequence, now);
  return answer;
}

Session* Venue::named(const std::string& name) {
  const auto found = std::ranges::find(sessions_, name, [](const auto& session) { return session->name; });
  return found == sessions_.end() ? nullptr : found->get();
}

bool Venue::authorised(const LoginRequest& request) const {
  return (options_.username.empty() || request.username == options_.username) &&
         (options_.password.empty() || request.password == options_.password);
}

/// Where a client begins that asked for this packet: never behind the next one that will exist.
std::uint64_t Venue::first_packet(Session& session, std::uint64_t asked, SteadyTime now) {
  const std::uint64_t existing =
      session.pacer.unlimited() ? session.image.last_up_to(asked == 0 ? kNever : asked - 1) : session.packets(now);
  std::uint64_t first = asked == 0 ? std::max<std::uint64_t>(existing, 1) : std::min(asked, existing + 1);
  const std::uint64_t lower = std::exchange(repeat_once_, 0) + options_.faults.repeat;
  if (lower > 0 && first > lower) first -= lower;
  if (first >= session.hole_begin && first < session.hole_end) first = session.hole_end;
  return first;
}

void Venue::served(const Session& session) {
  if (&session != sessions_[current_].get()) return;
  if (current_ + 1 < sessions_.size()) {
    ++current_;
  } else {
    all_served_ = true;
  }
}

Break* Venue::next_break(std::uint64_t packet) noexcept {
  Break* next = nullptr;
  for (Break& one : options_.faults.breaks) {
    if (!one.done && one.after >= packet && (next == nullptr || one.after < next->after)) next = &one;
  }
  return next;
}

std::uint64_t Venue::draw_cut() noexcept {
  const std::uint32_t packets = options_.faults.cut_packets;
  return packets == 0 ? kNever : random_.below64(2 * std::uint64_t{packets} + 1);
}

}  // namespace tickbridge::exchange
