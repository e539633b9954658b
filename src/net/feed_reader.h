#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "metrics/feed_metrics.h"
#include "net/arrival.h"
#include "net/channel.h"
#include "net/intake.h"
#include "net/options.h"
#include "net/session.h"

namespace tickbridge::net {

/// What a reader tells the application. Main thread.
struct ReaderEvents {
  std::function<void()> on_ended;               ///< the session is over
  std::function<void(const Error&)> on_failed;  ///< for good
};

/// What a connection needs that no option says.
struct Credentials {
  std::string password;
  std::unique_ptr<TlsClient> tls;  ///< null: none
};

/// One feed's connection to the exchange: a thin layer of Asio over Session and PacketScanner.
///
/// Reads from the socket straight into the feed's ring, publishes whole packets, connects again when the
/// connection breaks. Main thread only, but for wake() and report(). Must outlive the io_context's run.
class FeedReader {
 public:
  FeedReader(boost::asio::io_context& io, std::string feed, const codec::Options& codec, const Options& options,
             Credentials credentials, bool again_after_end, Intake& intake, metrics::FeedMetrics& metrics,
             ReaderEvents events);

  /// The first login asks for this packet of this session, which an earlier life of the daemon has reached. Before
  /// start().
  void resume_at(const std::string& session, std::uint64_t sequence) { session_.resume_at(session, sequence); }
  /// What is replayed is still compared with what the log holds: shown as recovering, not as streaming.
  void catching_up(bool still);
  /// The next packet to ask the exchange for.
  [[nodiscard]] std::uint64_t next_sequence() const noexcept { return session_.next_sequence(); }
  /// Connects; gives up with kUnavailable if no login succeeded before the deadline.
  void start(SteadyTime startup_deadline);
  /// Stops for good: logs out, closes. What was read and holds whole packets is published already.
  void stop();

  /// After stop(): nothing of it comes back but what is posted already.
  [[nodiscard]] bool quiet() const noexcept { return stopped_ && resolving_ == 0; }

  /// The ring has room again. Any thread.
  void wake();
  /// What the feed's inflating stage found in a connection's bytes. Any thread.
  void report(std::uint64_t connection, const Scan& scan);

  [[nodiscard]] bool streaming() const noexcept { return session_.state() == metrics::FeedState::kStreaming; }

 private:
  using tcp = boost::asio::ip::tcp;
  using Code = boost::system::error_code;

  void connect_after(milliseconds delay);
  void resolve();
  void connect(const tcp::resolver::results_type& endpoints);
  void shake_hands();
  void connected();
  void read();
  void await_bytes();
  void look();
  void lost(const std::string& why);
  void take(const SocketRead& read);
  void scan_whole_packets(const SocketRead& read, SteadyTime now);
  void note(const Scan& scan);
  void act(Verdict verdict);
  void hang_up(bool eof);
  void conclude_when_idle();
  void conclude();
  void fail(const Error& error);
  void send();
  void arm_timer();
  void on_timer();
  void unreachable(const std::string& why);
  void show();
  [[nodiscard]] std::size_t turn() const noexcept { return address_ % options_.hosts.size(); }

  // constant after construction
  boost::asio::io_context& io_;
  std::string feed_;
  Options options_;
  bool again_after_end_;
  Intake& intake_;
  metrics::FeedMetrics& metrics_;
  ReaderEvents events_;

  // main thread only
  Session session_;
  PacketScanner scanner_;
  Arrival arrival_;
  tcp::resolver resolver_;
  Channel channel_;
  boost::asio::steady_timer retry_;
  boost::asio::steady_timer tick_;
  boost::asio::steady_timer startup_;
  std::uint64_t connection_ = 0;  // counts connections and hang-ups; handlers of an older one do nothing
  std::uint64_t reporting_ = 0;   // the connection whose scans are listened to
  std::size_t address_ = 0;
  bool hanging_up_ = false;  // closed, but what it brought is not worked off yet
  bool closed_by_exchange_ = false;
  bool reading_paused_ = false;
  bool last_was_large_ = false;
  bool stopped_ = false;
  int resolving_ = 0;  // looked-up names: that cannot be interrupted
  bool catching_up_ = false;
  bool writing_ = false;
  std::string out_;           // being written
  std::string last_problem_;  // with connecting
};

}  // namespace tickbridge::net
