#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>

#include "codec/inflate.h"
#include "codec/soup.h"
#include "config/secrets.h"
#include "config/values.h"
#include "doctor/checks.h"
#include "doctor/line.h"
#include "doctor/reach.h"
#include "net/scanner.h"
#include "net/session.h"
#include "pipeline/hours.h"

namespace tickbridge::doctor {

namespace {

constexpr std::size_t kMostAnswer = 1 << 16;

/// The server's bytes as its packets stand in them, whatever compresses the whole stream.
class Incoming {
 public:
  explicit Incoming(const codec::Options& options)
      : inflates_{options.compression == codec::Compression::kZlibStream &&
                  options.compression_starts == codec::CompressionStart::kFirstByte},
        inflater_{0} {}
  /// false: not what a zlib stream is.
  [[nodiscard]] bool take(std::string_view bytes) {
    if (!inflates_) {
      plain_ += bytes;
      return true;
    }
    Bytes in = as_bytes(bytes);
    std::array<std::byte, 4096> out;
    while (!in.empty()) {
      const auto step = inflater_.step(in, out);
      if (step.reason != codec::Reason::kNone || (step.taken == 0 && step.given == 0)) return false;
      plain_ += as_text(Bytes{out}.first(step.given));
      in = in.subspan(step.taken);
    }
    return true;
  }
  [[nodiscard]] Bytes plain() const { return as_bytes(plain_); }
  void drop(std::size_t count) { plain_.erase(0, count); }

 private:
  bool inflates_;
  codec::StreamInflater inflater_;
  std::string plain_;
};

Finding rejected(const std::string& subject, const config::Feed& feed, net::Session& session, const net::Scan& scan) {
  if (session.scanned(scan, SteadyClock::now()) == net::Verdict::kFailed) return failure(subject, session.problem());
  if (feed.net.session.empty()) {
    return warning(subject, fmt::format("the exchange has no session now (reason {}); the daemon would ask again",
                                        scan.rejection));
  }
  return failure(
      subject, ExitCode::kUnavailable,
      fmt::format("session \"{}\" is not available (reason {}); correct feed.{}.session, or leave it out for "
                  "whichever is current",
                  feed.net.session, scan.rejection, feed.name));
}

/// Logs in asking for the newest packet, and out again.
Finding log_in(const std::string& subject, const config::Feed& feed, const std::string& password, Line& line) {
  const SteadyTime deadline = SteadyClock::now() + kPatience;
  net::Options asks = feed.net;
  asks.start = "now";
  net::Session session{feed.name, feed.codec, asks, password, 0};
  session.connected(SteadyClock::now());
  net::PacketScanner scanner{feed.codec};
  scanner.connected();
  Incoming incoming{feed.codec};
  if (!line.send(session.take_output(), deadline))
    return failure(subject, ExitCode::kUnavailable, "the login could not be sent: the exchange hung up");
  while (incoming.plain().size() < kMostAnswer) {
    const std::string bytes = line.receive(deadline);
    if (bytes.empty()) break;
    if (!incoming.take(bytes)) {
      return failure(subject, ExitCode::kUnavailable,
                     fmt::format("what the exchange sends is no zlib stream; look at feed.{}.compression", feed.name));
    }
    const net::Scan scan = scanner.scan(incoming.plain());
    incoming.drop(scan.whole);
    if (scan.stop == net::Scan::Stop::kAccepted) {
      static_cast<void>(session.scanned(scan, SteadyClock::now()));
      session.request_logout();
      static_cast<void>(line.send(session.take_output(), deadline));
      return ok(subject, fmt::format("accepted: session {}, next packet {}; logged out", scan.accepted.session,
                                     scan.accepted.sequence));
    }
    if (scan.stop == net::Scan::Stop::kRejected) return rejected(subject, feed, session, scan);
    if (scan.stop == net::Scan::Stop::kBroken) {
      return failure(
          subject, ExitCode::kUnavailable,
          fmt::format("the exchange sent {}; look at feed.{}.transport and .compression", scan.problem, feed.name));
    }
  }
  if (!incoming.plain().empty()) {
    return failure(subject, ExitCode::kUnavailable,
                   fmt::format("{} byte(s) came, and no whole packet; look at feed.{}.transport and .compression",
                               incoming.plain().size(), feed.name));
  }
  return failure(subject, ExitCode::kUnavailable,
                 fmt::format("no answer to the login within {} s; look whether it is a SoupBinTCP port, and at "
                             "feed.{}.soupbintcp.version",
                             kPatience.count() / 1000, feed.name));
}

Result<std::string> read_password(const config::Config& config, const config::Feed& feed) {
  if (feed.net.password_file.empty()) return std::string{};
  const std::string option = fmt::format("feed.{}.password_file", feed.name);
  return config::read_password(config::secret_file(config, option, feed.net.password_file));
}

void check_login(const Context& context, const config::Feed& feed, Line& line, Findings& out) {
  const std::string subject = fmt::format("feed {} login", feed.name);
  if (feed.codec.transport == codec::Transport::kFrames) {
    out.push_back(ok(subject, "transport = \"frames\" has none"));
    return;
  }
  if (!context.login) {
    out.push_back(skipped(subject,
                          "not tried: some exchanges end the older session of a user who logs in again; "
                          "tickbridge doctor --login tries it"));
    return;
  }
  const auto password = read_password(context.config, feed);
  out.push_back(password ? log_in(subject, feed, *password, line) : failure(subject, password.error()));
}

/// At the first address that lets us in, as the daemon does: TLS, then the login.
void enter(const Context& context, const config::Feed& feed, std::vector<Reached>& reached, Findings& out) {
  const auto entered = std::ranges::find_if(reached, &Reached::reached);
  if (entered == reached.end()) {
    out.push_back(skipped(fmt::format("feed {} login", feed.name), "no address is reached"));
    return;
  }
  const net::Address& at = feed.net.hosts[static_cast<std::size_t>(entered - reached.begin())];
  auto line = Line::open(feed, at.host, std::move(entered->socket), SteadyClock::now() + kPatience);
  const std::string subject = fmt::format("feed {} TLS", feed.name);
  if (!line) {
    out.push_back(failure(subject, line.error()));
    return;
  }
  if (!line->description().empty()) out.push_back(ok(subject, line->description()));
  check_login(context, feed, *line, out);
}

void check_feed(const Context& context, const config::Feed& feed, Findings& out) {
  std::vector<std::future<Reached>> asked;
  for (const net::Address& address : feed.net.hosts)
    asked.push_back(std::async(std::launch::async, reach, address.host, address.port, kPatience));
  std::vector<Reached> reached;
  for (auto& one : asked) reached.push_back(one.get());
  // Outside its hours nobody connects, and the exchange may be away.
  const auto hours = pipeline::Hours::create(feed.policies);
  const bool closed = hours && !hours->open(wall_nanoseconds());
  const bool any = closed || std::ranges::any_of(reached, &Reached::reached);
  for (std::size_t i = 0; i < reached.size(); ++i) {
    out.push_back(tell_reached(fmt::format("feed {}", feed.name), config::format_address(feed.net.hosts[i]), reached[i],
                               any ? Level::kWarning : Level::kFailure));
  }
  enter(context, feed, reached, out);
}

}  // namespace

void check_exchange(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  std::vector<std::future<Findings>> asked;
  for (const config::Feed& feed : context.config.feeds) {
    asked.push_back(std::async(std::launch::async, [&context, &feed] {
      Findings found;
      check_feed(context, feed, found);
      return found;
    }));
  }
  for (auto& one : asked) std::ranges::move(one.get(), std::back_inserter(out));
}

}  // namespace tickbridge::doctor
