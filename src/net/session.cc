#include "net/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"

namespace tickbridge::net {

namespace soup = codec::soup;
using metrics::FeedState;

namespace {

using namespace std::chrono_literals;

// How long all addresses must refuse a session before it is given up for whichever is current: an exchange that is just
// starting, or failing over, says the same for a moment.
constexpr milliseconds kRefusedFor = 2s;
constexpr milliseconds kAskAgain = 500ms;  // at the latest, meanwhile

/// The sequence that the first login asks for: 0 is the newest, 1 the beginning.
std::uint64_t first_sequence(const std::string& start) {
  if (start == "now") return 0;
  std::uint64_t sequence = 1;
  std::from_chars(start.data(), start.data() + start.size(), sequence);  // words leave it at 1
  return sequence;
}

}  // namespace

Session::Session(std::string feed, const codec::Options& codec, const Options& options, std::string password,
                 std::uint64_t seed)
    : feed_{std::move(feed)},
      soup_{codec.transport == codec::Transport::kSoupBinTcp},
      version_{codec.soup_version},
      options_{options},
      password_{std::move(password)},
      backoff_{options.reconnect_min, options.reconnect_max, seed},
      standings_(std::max<std::size_t>(options.hosts.size(), 1)),
      session_{options.session},
      next_sequence_{first_sequence(options.start)} {}

Session::Ask Session::ask(SteadyTime now) const {
  // After its end nobody can join a session again in earnest: the next one has another name and begins at 1.
  if (ended_) return {"", 1};
  if (options_.session.empty() && !session_.empty() && refused_everywhere(now)) return {"", 1};
  return {session_, next_sequence_};
}

void Session::stands(std::size_t address, Standing::Kind kind, SteadyTime now) {
  Standing& standing = standings_.at(address);
  if (standing.kind != kind) standing = {.kind = kind, .since = now};
}

bool Session::refused() const noexcept {
  return std::ranges::any_of(standings_, [](const Standing& at) { return at.kind == Standing::Kind::kRefuses; });
}

// An address that is away has not refused: it may be the one that has the session. One that is away for as long as it
// takes a silent side to be dead is not waited for any more.
bool Session::refused_everywhere(SteadyTime now) const {
  return refused() && std::ranges::all_of(standings_, [&](const Standing& at) {
           if (at.kind == Standing::Kind::kUnknown) return false;
           return now - at.since >= (at.kind == Standing::Kind::kRefuses ? kRefusedFor : options_.silence);
         });
}

void Session::connected(SteadyTime now, std::size_t address) {
  connected_ = true;
  address_ = address;
  answered_ = logged_in_ = !soup_;
  paused_ = false;
  heard_ = sent_ = now;
  if (!soup_) {
    ++logins_;
    state_ = FeedState::kStreaming;
    return;
  }
  if (!ended_) state_ = FeedState::kLoggingIn;
  Ask wanted = ask(now);
  if (wanted.session.empty() && !ended_ && !session_.empty() && !asked_.session.empty()) {
    log_event(Event::kSessionGivenUp, of_feed(feed_),
              "every address that answers has refused session {} for {} ms at least; asking for whichever is "
              "current",
              session_, kRefusedFor.count());
  }
  asked_ = std::move(wanted);
  output_ =
      soup::login_request(version_, {.username = options_.username,
                                     .password = password_,
                                     .session = asked_.session,
                                     .sequence = asked_.sequence,
                                     .heartbeat_timeout_ms = static_cast<std::uint32_t>(options_.silence.count())});
}

Verdict Session::scanned(const Scan& scan, SteadyTime now) {
  heard_ = now;
  next_sequence_ += scan.sequenced;
  if (scan.sequenced != 0) backoff_.reset();  // not at the login: it may be all that such a server can do
  switch (scan.stop) {
    case Scan::Stop::kMore:
      return Verdict::kGoOn;
    case Scan::Stop::kAccepted:
      return accepted(scan.accepted);
    case Scan::Stop::kRejected:
      return rejected(scan.rejection, now);
    case Scan::Stop::kEnded:
      log_event(Event::kSessionEnded, of_feed(feed_), "session {} ended, {} packets", session_, next_sequence_ - 1);
      ended_ = true;
      state_ = FeedState::kEnded;
      return Verdict::kEnded;
    case Scan::Stop::kBroken:
      log_event(Event::kProtocolBroken, of_feed(feed_), "the exchange sent {}; connecting again, from sequence {}",
                scan.problem, next_sequence_);
      return Verdict::kHangUp;
  }
  return Verdict::kGoOn;
}

Verdict Session::accepted(const soup::Accepted& accepted) {
  std::ranges::fill(standings_, Standing{});
  answered_ = true;
  if (ended_ && accepted.session == session_) return Verdict::kHangUp;  // the old one still: ask again later
  logged_in_ = true;
  ++logins_;
  if (accepted.session == session_ || session_.empty()) {
    log_event(Event::kLoggedIn, of_feed(feed_), "logged in to session {} at sequence {}", accepted.session,
              accepted.sequence);
  } else {
    log_event(Event::kSessionChanged, of_feed(feed_), "logged in to session {} at sequence {}; the last one was {}",
              accepted.session, accepted.sequence, session_);
  }
  ended_ = false;
  session_ = accepted.session;
  next_sequence_ = accepted.sequence;
  state_ = FeedState::kStreaming;
  return Verdict::kGoOn;
}

Verdict Session::rejected(char reason, SteadyTime now) {
  if (reason == 'A') {
    state_ = FeedState::kFailed;
    problem_ = error(ExitCode::kProtocol,
                     fmt::format("feed {}: the exchange rejected the login as not authorised; check feed.{}.username "
                                 "(\"{}\") and feed.{}.password_file",
                                 feed_, feed_, options_.username, feed_));
    return Verdict::kFailed;
  }
  stands(address_, Standing::Kind::kRefuses, now);
  answered_ = true;
  log_event(Event::kLoginRejected, of_feed(feed_),
            "the exchange rejected the login: session \"{}\" not available (reason {}); trying again", asked_.session,
            reason);
  return Verdict::kHangUp;
}

Verdict Session::tick(SteadyTime now) {
  if (!connected_ || !soup_) return Verdict::kGoOn;
  if (!paused_ && now - heard_ >= options_.silence) {
    log_event(Event::kSilence, of_feed(feed_), "nothing heard for {} ms{}; connecting again", options_.silence.count(),
              logged_in_ ? "" : " since the login was sent");
    return Verdict::kHangUp;
  }
  if (logged_in_ && now - sent_ >= options_.heartbeat) {
    output_ += soup::client_heartbeat();
    sent_ = now;
  }
  return Verdict::kGoOn;
}

SteadyTime Session::deadline() const noexcept {
  if (!connected_ || !soup_) return SteadyTime::max();
  const SteadyTime silence = paused_ ? SteadyTime::max() : heard_ + options_.silence;
  return logged_in_ ? std::min(silence, sent_ + options_.heartbeat) : silence;
}

Verdict Session::closed(bool eof, SteadyTime now) {
  if (soup_ && !answered_) stands(address_, Standing::Kind::kAway, now);
  connected_ = logged_in_ = false;
  output_.clear();
  if (state_ == FeedState::kEnded || state_ == FeedState::kFailed) return Verdict::kGoOn;
  if (!soup_ && eof) {
    state_ = FeedState::kEnded;
    return Verdict::kEnded;
  }
  state_ = FeedState::kConnecting;
  return Verdict::kHangUp;
}

milliseconds Session::delay() {
  if (ended_ || state_ == FeedState::kEnded) return backoff_.max();
  const milliseconds delay = backoff_.next();
  const bool deciding = options_.session.empty() && !asked_.session.empty() && refused();
  return deciding ? std::min(delay, std::max(kAskAgain, options_.reconnect_min)) : delay;
}

void Session::request_logout() {
  if (soup_ && logged_in_) output_ += soup::logout_request();
}

}  // namespace tickbridge::net
