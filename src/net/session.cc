#include "net/session.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>

namespace tickbridge::net {

namespace soup = codec::soup;
using metrics::FeedState;

namespace {

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
      session_{options.session},
      next_sequence_{first_sequence(options.start)} {}

Session::Ask Session::ask() const {
  // After its end nobody can join a session again in earnest: the next one has another name and begins at 1.
  if (ended_) return {"", 1};
  const bool refused_everywhere = options_.session.empty() && unavailable_ >= options_.hosts.size();
  if (refused_everywhere && !session_.empty()) return {"", 1};
  return {session_, next_sequence_};
}

void Session::connected(SteadyTime now) {
  connected_ = true;
  logged_in_ = !soup_;
  paused_ = false;
  heard_ = sent_ = now;
  if (!soup_) {
    ++logins_;
    state_ = FeedState::kStreaming;
    return;
  }
  if (!ended_) state_ = FeedState::kLoggingIn;
  const Ask wanted = ask();
  output_ = soup::login_request(
      version_, {.username = options_.username,
                 .password = password_,
                 .session = wanted.session,
                 .sequence = wanted.sequence,
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
      return rejected(scan.rejection);
    case Scan::Stop::kEnded:
      spdlog::info("feed {}: session {} ended, {} packets", feed_, session_, next_sequence_ - 1);
      ended_ = true;
      state_ = FeedState::kEnded;
      return Verdict::kEnded;
    case Scan::Stop::kBroken:
      spdlog::warn("feed {}: the exchange sent {}; connecting again, from sequence {}", feed_, scan.problem,
                   next_sequence_);
      return Verdict::kHangUp;
  }
  return Verdict::kGoOn;
}

Verdict Session::accepted(const soup::Accepted& accepted) {
  unavailable_ = 0;
  if (ended_ && accepted.session == session_) return Verdict::kHangUp;  // the old one still: ask again later
  logged_in_ = true;
  ++logins_;
  if (accepted.session == session_ || session_.empty()) {
    spdlog::info("feed {}: logged in to session {} at sequence {}", feed_, accepted.session, accepted.sequence);
  } else {
    spdlog::warn("feed {}: logged in to session {} at sequence {}; the last one was {}", feed_, accepted.session,
                 accepted.sequence, session_);
  }
  ended_ = false;
  session_ = accepted.session;
  next_sequence_ = accepted.sequence;
  state_ = FeedState::kStreaming;
  return Verdict::kGoOn;
}

Verdict Session::rejected(char reason) {
  if (reason == 'A') {
    state_ = FeedState::kFailed;
    problem_ = error(ExitCode::kProtocol,
                     fmt::format("feed {}: the exchange rejected the login as not authorised; check feed.{}.username "
                                 "(\"{}\") and feed.{}.password_file",
                                 feed_, feed_, options_.username, feed_));
    return Verdict::kFailed;
  }
  ++unavailable_;
  spdlog::warn("feed {}: the exchange rejected the login: session \"{}\" not available (reason {}); trying again", feed_,
               ask().session, reason);
  return Verdict::kHangUp;
}

Verdict Session::tick(SteadyTime now) {
  if (!connected_ || !soup_) return Verdict::kGoOn;
  if (!paused_ && now - heard_ >= options_.silence) {
    spdlog::warn("feed {}: nothing heard for {} ms{}; connecting again", feed_, options_.silence.count(),
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

Verdict Session::closed(bool eof) {
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

milliseconds Session::delay() { return ended_ || state_ == FeedState::kEnded ? backoff_.max() : backoff_.next(); }

void Session::request_logout() {
  if (soup_ && logged_in_) output_ += soup::logout_request();
}

}  // namespace tickbridge::net
