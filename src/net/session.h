#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "codec/options.h"
#include "codec/soup.h"
#include "metrics/feed_metrics.h"
#include "net/backoff.h"
#include "net/options.h"
#include "net/scanner.h"

namespace tickbridge::net {

/// What is to be done with the connection now.
enum class Verdict : std::uint8_t {
  kGoOn,
  kHangUp,  ///< close, and connect again after delay()
  kEnded,   ///< the session (frames: the stream) is over; close
  kFailed,  ///< for good: problem() says why
};

/// A feed's session as a state machine without I/O: it is told what happened and when, and says what to
/// send and what to do. Main thread only.
///
/// SoupBinTCP 3.00, 4.00 and 4.1 (docs/wire/soupbintcp.md): login, heartbeats of both sides, silence, end
/// of session, resume at the next expected sequence. `frames` has none of these: connected is streaming.
class Session {
 public:
  Session(std::string feed, const codec::Options& codec, const Options& options, std::string password,
          std::uint64_t seed);

  /// What the first login asks for, if not what the options say. Sequence 0: the newest.
  void resume_at(std::string session, std::uint64_t sequence) {
    session_ = std::move(session);
    next_sequence_ = sequence;
  }

  // --- what happened ---
  /// Connected to that one of Options::hosts.
  void connected(SteadyTime now, std::size_t address = 0);
  /// That one cannot be connected to.
  void unreachable(SteadyTime now, std::size_t address) { stands(address, Standing::Kind::kAway, now); }
  void received(SteadyTime now) noexcept { heard_ = now; }
  [[nodiscard]] Verdict scanned(const Scan& scan, SteadyTime now);
  /// Time went on: heartbeats and silence.
  [[nodiscard]] Verdict tick(SteadyTime now);
  /// The connection is gone, whoever closed it. `eof`: the server closed in good order.
  [[nodiscard]] Verdict closed(bool eof, SteadyTime now);
  /// Reads are stopped because the ring is full: silence rests, heartbeats go on.
  void pause() noexcept { paused_ = true; }
  void resume(SteadyTime now) noexcept { paused_ = false, heard_ = now; }

  // --- what to do ---
  /// Bytes to send; taken once.
  [[nodiscard]] std::string take_output() { return std::exchange(output_, {}); }
  void request_logout();
  /// When tick() is wanted at the latest.
  [[nodiscard]] SteadyTime deadline() const noexcept;
  /// How long to wait before the next connection.
  [[nodiscard]] milliseconds delay();
  [[nodiscard]] const Error& problem() const noexcept { return problem_; }

  [[nodiscard]] metrics::FeedState state() const noexcept { return state_; }
  [[nodiscard]] const std::string& name() const noexcept { return session_; }
  /// The next packet to ask the exchange for.
  [[nodiscard]] std::uint64_t next_sequence() const noexcept { return next_sequence_; }
  [[nodiscard]] bool has_logged_in() const noexcept { return logins_ != 0; }

 private:
  struct Ask {
    std::string session;
    std::uint64_t sequence;
  };
  /// What an address says to logins to session_, and since when it says nothing else.
  struct Standing {
    enum class Kind : std::uint8_t {
      kUnknown,
      kRefuses,  ///< "session not available"
      kAway,     ///< no connection, or no answer
    };
    Kind kind = Kind::kUnknown;
    SteadyTime since{};
  };
  [[nodiscard]] Ask ask(SteadyTime now) const;
  void stands(std::size_t address, Standing::Kind kind, SteadyTime now);
  [[nodiscard]] bool refused() const noexcept;
  [[nodiscard]] bool refused_everywhere(SteadyTime now) const;
  [[nodiscard]] Verdict accepted(const codec::soup::Accepted& accepted);
  [[nodiscard]] Verdict rejected(char reason, SteadyTime now);

  // constant after construction
  std::string feed_;
  bool soup_;
  codec::SoupVersion version_;
  Options options_;
  std::string password_;

  Backoff backoff_;
  metrics::FeedState state_ = metrics::FeedState::kConnecting;
  bool connected_ = false;
  bool answered_ = false;  // the login
  bool logged_in_ = false;
  bool paused_ = false;
  bool ended_ = false;  // session_ has ended: what comes next is another one
  std::uint64_t logins_ = 0;
  std::vector<Standing> standings_;  // by address, since the last login that was accepted
  std::size_t address_ = 0;          // of this connection
  Ask asked_{};                      // on this connection
  std::string session_;              // learnt from the last login
  std::uint64_t next_sequence_ = 1;
  SteadyTime heard_{};
  SteadyTime sent_{};
  std::string output_;
  Error problem_;
};

}  // namespace tickbridge::net
