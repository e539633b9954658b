#include <fmt/format.h>
#include <openssl/crypto.h>
#include <spdlog/version.h>
#include <sys/timex.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json.hpp>

#include "doctor/checks.h"
#include "doctor/reach.h"
#include "ops/http_listener.h"
#include "sink/versions.h"

namespace tickbridge::doctor {

namespace {

constexpr std::size_t kMostAnswer = 1 << 20;

/// What the daemon says at http.listen; empty: whoever listens there is none, or does not tell us.
std::string running_daemon(const boost::asio::ip::tcp::endpoint& at) {
  const Reached reached = reach(at.address().to_string(), at.port(), kPatience);
  const SteadyTime deadline = SteadyClock::now() + kPatience;
  if (!reached.reached() ||
      !reached.socket.send("GET /api/status HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n", deadline)) {
    return {};
  }
  std::string answer;
  for (std::string more; answer.size() < kMostAnswer && !(more = reached.socket.receive(deadline)).empty();)
    answer += more;
  const std::size_t body = answer.find("\r\n\r\n");
  if (body == answer.npos) return {};
  boost::system::error_code code;
  const boost::json::value status = boost::json::parse(answer.substr(body + 4), code);
  const boost::json::object* const fields = code ? nullptr : status.if_object();
  if (fields == nullptr || !fields->contains("version") || !fields->contains("feeds")) return {};
  const boost::json::object* const feeds = fields->at("feeds").if_object();
  const boost::json::string* const version = fields->at("version").if_string();
  if (feeds == nullptr || version == nullptr) return {};
  return fmt::format("a running tickbridge {} with {} feed(s)", std::string_view{*version}, feeds->size());
}

std::string in_seconds(std::int64_t microseconds) {
  return fmt::format("{:.6f} s", static_cast<double>(microseconds) / 1e6);
}

}  // namespace

void check_versions(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  for (const config::Feed& feed : context.config.feeds) {
    const auto warnings = sink::check_library_version(sink::library_version(), feed.sink.delivery);
    if (!warnings) {
      out.push_back(failure("versions", warnings.error()));
      return;
    }
    if (!warnings->empty()) {
      out.push_back(warning("versions", *warnings));
      return;
    }
  }
  out.push_back(ok("versions", fmt::format("tickbridge {}, librdkafka {}, {}", TICKBRIDGE_VERSION,
                                           sink::library_version_name(), OpenSSL_version(OPENSSL_VERSION))));
}

void check_user(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  if (::geteuid() == 0) {
    out.push_back(warning("user", "root: the daemon needs no right of root's; run it, and this, as a user of its own"));
  } else {
    out.push_back(ok("user", fmt::format("user id {}, not root", ::geteuid())));
  }
  if (context.config.core_dumps) {
    out.push_back(warning("core dumps",
                          "core_dumps = true: a core file holds the passwords that the daemon has read; take it out"));
  } else {
    out.push_back(ok("core dumps", "off"));
  }
}

// The kernel knows what its time daemon told it. The clocks of exchange and brokers nobody can ask for.
void check_clock(const Context& /*context*/, KafkaWorld& /*kafka*/, Findings& out) {
  timex state{};
  const int code = ::adjtimex(&state);
  if (code < 0) {
    out.push_back(skipped("clock", "the kernel does not say whether it is synchronised"));
  } else if (code == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
    out.push_back(warning("clock",
                          "not synchronised: receive times and latencies are as wrong as it is, and Kafka may "
                          "refuse times far from its own; run a time daemon (apt-get install chrony)"));
  } else {
    out.push_back(
        ok("clock", fmt::format("synchronised, off by {} at most as the time daemon says; the brokers' and the "
                                "exchange's clocks cannot be asked for",
                                in_seconds(state.maxerror))));
  }
}

void check_port(const Context& context, KafkaWorld& /*kafka*/, Findings& out) {
  const std::string& listen = context.config.http.listen;
  const std::string subject = fmt::format("http.listen {}", listen);
  if (listen.empty()) {
    out.push_back(ok("http.listen", "off: no dashboard, no metrics, no health"));
    return;
  }
  const auto endpoint = ops::parse_listen(listen);
  if (!endpoint) {
    out.push_back(failure(subject, endpoint.error()));
    return;
  }
  boost::asio::io_context io;
  const auto listener = ops::open_listener(io, listen);
  if (listener) {
    out.push_back(ok(subject, "free"));
    return;
  }
  const std::string daemon =
      listener.error().code == ExitCode::kUnavailable ? running_daemon(*endpoint) : std::string{};
  if (daemon.empty()) {
    out.push_back(failure(subject, listener.error()));
  } else {
    out.push_back(ok(subject, fmt::format("in use by {}; a second daemon needs another port", daemon)));
  }
}

}  // namespace tickbridge::doctor
