#include "net/feed_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <optional>
#include <random>
#include <utility>

#include "base/log.h"

namespace tickbridge::net {

namespace asio = boost::asio;
using metrics::FeedCounter;
using metrics::FeedGauge;
using metrics::FeedState;

namespace {

constexpr std::size_t kMaxRead = std::size_t{256} << 10U;  // the workers get going while the next read comes
constexpr std::size_t kMinRead = 4096;
constexpr std::size_t kLargeRead = std::size_t{16} << 10U;
constexpr milliseconds kDrainPoll{2};  // zlib-stream: until the last connection is worked off

constexpr std::int64_t kNsInMs = 1'000'000;

std::int64_t wall_milliseconds() noexcept { return wall_nanoseconds() / kNsInMs; }

std::uint64_t seed() { return (std::uint64_t{std::random_device{}()} << 32U) | std::random_device{}(); }

}  // namespace

FeedReader::FeedReader(asio::io_context& io, std::string feed, const codec::Options& codec, const Options& options,
                       Credentials credentials, bool again_after_end, Intake& intake, metrics::FeedMetrics& metrics,
                       ReaderEvents events)
    : io_{io},
      feed_{std::move(feed)},
      options_{options},
      again_after_end_{again_after_end},
      intake_{intake},
      metrics_{metrics},
      events_{std::move(events)},
      session_{feed_, codec, options, std::move(credentials.password), seed()},
      scanner_{codec},
      resolver_{io},
      channel_{io, std::move(credentials.tls)},
      retry_{io},
      tick_{io},
      startup_{io} {}

void FeedReader::start(SteadyTime startup_deadline) {
  for (const FeedGauge gauge : {FeedGauge::kLastReceive, FeedGauge::kLastPacket}) {
    if (metrics_.value(gauge) == 0) metrics_.set(gauge, wall_milliseconds());
  }
  startup_.expires_at(startup_deadline);
  startup_.async_wait([this](Code code) {
    if (code || stopped_ || session_.has_logged_in()) return;
    fail(error(ExitCode::kUnavailable,
               fmt::format("feed {}: no login at the exchange within startup_timeout; {}check feed.{}.hosts", feed_,
                           last_problem_.empty() ? "" : fmt::format("the last attempt: {}; ", last_problem_), feed_)));
  });
  connect_after(milliseconds{0});
}

void FeedReader::stop() {
  if (stopped_) return;
  stopped_ = true;
  session_.request_logout();
  const std::string logout = session_.take_output();
  if (!logout.empty() && !writing_) channel_.send_now(logout);  // a courtesy: the exchange sees the close anyway
  ++connection_;
  resolver_.cancel();
  retry_.cancel();
  tick_.cancel();
  startup_.cancel();
  channel_.close();
}

void FeedReader::connect_after(milliseconds delay) {
  show();
  retry_.expires_after(delay);
  retry_.async_wait([this](Code code) {
    if (!code && !stopped_) resolve();
  });
}

void FeedReader::resolve() {
  const Address& address = options_.hosts[turn()];
  const std::uint64_t connection = reporting_ = ++connection_;
  intake_.begin_connection(connection);
  ++resolving_;
  resolver_.async_resolve(address.host, std::to_string(address.port),
                          [this, connection](Code code, const tcp::resolver::results_type& endpoints) {
                            --resolving_;
                            if (connection != connection_) return;
                            if (code) return unreachable(code.message());
                            connect(endpoints);
                          });
}

void FeedReader::connect(const tcp::resolver::results_type& endpoints) {
  const std::uint64_t connection = connection_;
  tcp::socket& socket = channel_.renew();
  tick_.expires_after(options_.silence);  // a connect, or a handshake, that nobody answers
  tick_.async_wait([this, connection](Code code) {
    if (!code && connection == connection_) channel_.close();
  });
  asio::async_connect(socket, endpoints, [this, connection](Code code, const tcp::endpoint& endpoint) {
    if (connection != connection_) return;
    if (code) return unreachable(code == asio::error::operation_aborted ? "no answer" : code.message());
    log_event(Event::kConnected, of_feed(feed_), "connected to {}:{}", endpoint.address().to_string(), endpoint.port());
    shake_hands();
  });
}

void FeedReader::shake_hands() {
  Code ignored;
  channel_.socket().set_option(tcp::no_delay{true}, ignored);
  channel_.socket().set_option(asio::socket_base::keep_alive{true}, ignored);  // frames have no heartbeats of their own
  stamp_arrivals(channel_.socket().native_handle());
  channel_.shake_hands(options_.hosts[turn()].host, [this, connection = connection_](const std::string& problem) {
    if (connection != connection_) return;
    if (problem == Channel::kClosed) return unreachable("no answer to the TLS handshake: it may not speak TLS there");
    if (!problem.empty()) return unreachable(problem);
    tick_.cancel();
    connected();
  });
}

void FeedReader::unreachable(const std::string& why) {
  tick_.cancel();
  channel_.close();
  last_problem_ = why;
  const Address& address = options_.hosts[turn()];
  session_.unreachable(SteadyClock::now(), turn());
  ++address_;
  const milliseconds delay = session_.delay();
  log_event(Event::kUnreachable, of_feed(feed_), "cannot reach the exchange at {}:{}: {}; trying {} in {} ms",
            address.host, address.port, why, options_.hosts.size() > 1 ? "the next address" : "again", delay.count());
  connect_after(delay);
}

void FeedReader::connected() {
  if (session_.has_logged_in()) metrics_.add(FeedCounter::kReconnects, 1);
  scanner_.connected();
  arrival_.connected(wall_nanoseconds());
  reading_paused_ = writing_ = last_was_large_ = false;
  session_.connected(SteadyClock::now(), turn());
  show();
  send();
  arm_timer();
  read();
}

void FeedReader::read() {
  if (intake_.ring().writable().size() < kMinRead) {
    // Wait for a good part of the ring, so that reads stay large.
    if (!intake_.ring().wait_for_space(intake_.ring().size() / 8)) {
      reading_paused_ = true;
      session_.pause();
      metrics_.add(FeedCounter::kReadStops, 1);
      return;
    }
  }
  // Behind a large read there is more, as a rule, and a look costs less than waiting. Other feeds come first.
  if (!last_was_large_ && !channel_.has_more()) return await_bytes();
  asio::post(io_, [this, connection = connection_] {
    if (connection == connection_) look();
  });
}

void FeedReader::await_bytes() {
  channel_.wait([this, connection = connection_](Code code) {
    if (connection != connection_) return;
    if (!code) return look();
    lost(code.message());
  });
}

void FeedReader::look() {
  const MutableBytes free = intake_.ring().writable();
  const SocketRead read = channel_.read(free.first(std::min(free.size(), kMaxRead)));
  last_was_large_ = read.size >= kLargeRead;
  if (read.size != 0) return take(read);
  if (read.error == EAGAIN) {
    arrival_.seen(read);
    return await_bytes();
  }
  if (read.error != 0) return lost(channel_.describe(read));
  hang_up(true);
}

void FeedReader::lost(const std::string& why) {
  last_problem_ = why;
  log_event(Event::kConnectionLost, of_feed(feed_), "connection to the exchange lost: {}", why);
  hang_up(false);
}

void FeedReader::take(const SocketRead& read) {
  const SteadyTime now = SteadyClock::now();
  metrics_.add(FeedCounter::kBytesReceived, read.size);
  metrics_.add(FeedCounter::kReads, 1);
  metrics_.set(FeedGauge::kLastReceive, read.began_ns / kNsInMs);
  intake_.ring().wrote(read.size);
  const std::uint64_t connection = connection_;
  if (intake_.scans()) {
    session_.received(now);
    intake_.ring().publish(read.size, read.began_ns, arrival_.oldest(read, false));
    intake_.announce();
  } else {
    scan_whole_packets(read, now);
  }
  arrival_.seen(read);
  if (connection == connection_) this->read();
}

void FeedReader::scan_whole_packets(const SocketRead& read, SteadyTime now) {
  const std::uint64_t connection = connection_;
  std::optional<std::int64_t> arrived_ns;
  bool more = true;
  while (more && connection == connection_) {
    const Bytes bytes = intake_.ring().unpublished();
    const Scan scan = scanner_.scan(bytes);
    if (!arrived_ns) arrived_ns = arrival_.oldest(read, scan.packets == 1 && scan.whole == bytes.size());
    note(scan);
    const Verdict verdict = session_.scanned(scan, now);
    const bool unwanted = scan.stop == Scan::Stop::kAccepted && verdict == Verdict::kHangUp;  // an ended session, again
    if (unwanted) {
      intake_.ring().discard_unpublished();
    } else {
      intake_.ring().publish(scan.whole, read.began_ns, *arrived_ns);
    }
    more = scan.stop != Scan::Stop::kMore;
    if (more) act(verdict);
  }
  metrics_.set(FeedGauge::kNextSequence, static_cast<std::int64_t>(session_.next_sequence()));
  intake_.announce();
}

void FeedReader::report(std::uint64_t connection, const Scan& scan) {
  asio::post(io_, [this, connection, scan] {
    if (connection != reporting_ || stopped_) return;
    note(scan);
    const Verdict verdict = session_.scanned(scan, SteadyClock::now());
    metrics_.set(FeedGauge::kNextSequence, static_cast<std::int64_t>(session_.next_sequence()));
    act(verdict);
  });
}

void FeedReader::note(const Scan& scan) {
  if (scan.sequenced != 0) metrics_.set(FeedGauge::kLastPacket, wall_milliseconds());
  if (scan.ignored != 0) metrics_.add(FeedCounter::kPacketsUnsequenced, scan.ignored);
  if (scan.stop == Scan::Stop::kBroken) metrics_.add(FeedCounter::kProtocolErrors, 1);
  if (scan.stop == Scan::Stop::kRejected) metrics_.add(FeedCounter::kLoginsRejected, 1);
}

void FeedReader::act(Verdict verdict) {
  show();
  switch (verdict) {
    case Verdict::kGoOn:
      send();
      return arm_timer();
    case Verdict::kFailed:
      return fail(session_.problem());
    case Verdict::kHangUp:
    case Verdict::kEnded:
      return hang_up(false);
  }
}

void FeedReader::hang_up(bool eof) {
  if (hanging_up_) return;
  hanging_up_ = true;
  reading_paused_ = false;  // a wake-up that is still to come must not read from the next connection's socket
  closed_by_exchange_ = eof;
  ++connection_;
  tick_.cancel();
  channel_.close();
  if (!intake_.ring().unpublished().empty()) {
    log_event(Event::kPacketCut, of_feed(feed_), "the connection ended inside a packet, {} bytes of it are dropped",
              intake_.ring().unpublished().size());
  }
  intake_.ring().discard_unpublished();
  conclude_when_idle();
}

// zlib-stream: the last bytes may hold the end of the session, and tell what to ask for next.
void FeedReader::conclude_when_idle() {
  if (stopped_) return;
  if (intake_.idle()) {
    asio::post(io_, [this] { conclude(); });  // behind the scans that were reported before it was idle
    return;
  }
  retry_.expires_after(kDrainPoll);
  retry_.async_wait([this](Code code) {
    if (!code) conclude_when_idle();
  });
}

void FeedReader::conclude() {
  if (stopped_) return;
  hanging_up_ = false;
  reporting_ = 0;
  const bool ended_before = session_.state() == FeedState::kEnded;
  const bool ended = session_.closed(closed_by_exchange_, SteadyClock::now()) == Verdict::kEnded || ended_before;
  show();
  if (ended) {
    events_.on_ended();
    if (!again_after_end_) return;
  }
  ++address_;
  connect_after(session_.delay());
}

void FeedReader::fail(const Error& problem) {
  stop();
  metrics_.set_state(FeedState::kFailed);
  events_.on_failed(problem);
}

void FeedReader::send() {
  if (writing_ || hanging_up_) return;
  out_ = session_.take_output();
  if (out_.empty()) return;
  writing_ = true;
  const std::uint64_t connection = connection_;
  channel_.send(out_, [this, connection](const std::string& problem) {
    if (connection != connection_) return;
    writing_ = false;
    if (problem.empty()) send();  // a broken connection shows in read()
  });
}

void FeedReader::arm_timer() {
  const SteadyTime deadline = session_.deadline();
  if (hanging_up_ || deadline == SteadyTime::max()) return;
  tick_.expires_at(deadline);
  tick_.async_wait([this, connection = connection_](Code code) {
    if (!code && connection == connection_) on_timer();
  });
}

void FeedReader::on_timer() { act(session_.tick(SteadyClock::now())); }

void FeedReader::wake() {
  asio::post(io_, [this] {
    if (!reading_paused_ || stopped_) return;
    reading_paused_ = false;
    session_.resume(SteadyClock::now());
    read();
  });
}

void FeedReader::catching_up(bool still) {
  if (std::exchange(catching_up_, still) != still && !stopped_) show();
}

void FeedReader::show() {
  metrics_.set_state(catching_up_ && streaming() ? FeedState::kRecovering : session_.state());
  metrics_.set_session(session_.name());
}

}  // namespace tickbridge::net
