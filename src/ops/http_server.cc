#include "ops/http_server.h"

#include <pthread.h>
#include <signal.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/message_generator.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <exception>
#include <list>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "ops/http_access.h"
#include "ops/http_listener.h"
#include "ops/http_tls.h"

// A false alarm of g++ 12 under sanitizers: Asio's coroutine frames have their own new and delete, and it sees
// through only one of them.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace tickbridge::ops {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using metrics::DaemonCounter;
using metrics::DaemonGauge;

namespace {

using Request = http::request<http::string_body>;
constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kAcceptPause{100};  // when the process has no file descriptor left
constexpr std::chrono::milliseconds kLinger{1000};
constexpr std::size_t kLingerBytes = 1024 * 1024;

DaemonCounter counter_of(unsigned status) {
  if (status >= 500) return DaemonCounter::kHttpFailed;
  return status >= 400 ? DaemonCounter::kHttpRefused : DaemonCounter::kHttpOk;
}

/// What to tell a client whose bytes cannot be a request; 0: nothing, it is gone or was too slow.
unsigned status_of(const error_code& code) {
  if (code == http::error::header_limit || code == http::error::buffer_overflow) return 431;
  if (code == http::error::body_limit) return 413;
  if (code == http::error::end_of_stream || code == http::error::partial_message) return 0;
  return code.category() == http::make_error_code(http::error::bad_method).category() ? 400 : 0;
}

void log_problem(const char* where, const std::exception_ptr& problem) noexcept {
  if (!problem) return;
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& exception) {
    log_event(Event::kHttpFault, "http: {}: {}", where, exception.what());
  } catch (...) {
    log_event(Event::kHttpFault, "http: {}: unknown exception", where);
  }
}

Reply answer_request(const Request& request, const Sources& sources, bool known) {
  const std::string_view target{request.target().data(), request.target().size()};
  if (!known && !HttpAccess::is_open(target)) {
    return plain(401, "a token is needed: \"Authorization: Bearer TOKEN\", or as the password of any user");
  }
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return plain(405, "only GET and HEAD");
  }
  try {
    Reply reply = answer(target, sources);
    return known || reply.status == 200 ? reply : plain(reply.status, "no; why is told with the token");
  } catch (...) {
    log_problem("a page failed", std::current_exception());
    return plain(500, "internal error; the log has more");
  }
}

template <class Message>
void set_fields(Message& message, const Reply& reply, bool keep_alive) {
  message.set(http::field::content_type, reply.content_type);
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  message.set("Content-Security-Policy", kContentSecurityPolicy);
  if (reply.status == 401) {
    message.set(http::field::www_authenticate, R"(Basic realm="tickbridge", charset="UTF-8")");
    message.insert(http::field::www_authenticate, R"(Bearer realm="tickbridge")");
  }
  if (reply.status == 405) message.set(http::field::allow, "GET, HEAD");
  message.content_length(reply.body.size());
  message.keep_alive(keep_alive);
}

http::message_generator to_message(Reply reply, unsigned version, bool head, bool keep_alive) {
  const auto status = static_cast<http::status>(reply.status);
  if (head) {
    http::response<http::empty_body> message{status, version};
    set_fields(message, reply, keep_alive);
    return message;
  }
  http::response<http::string_body> message{status, version};
  set_fields(message, reply, keep_alive);
  message.body() = std::move(reply.body);
  return message;
}

void tell_wrong_token(const beast::tcp_stream& from) {
  error_code ignored;
  log_event(Event::kHttpWrongToken, "http: {} asked with a wrong token",
            from.socket().remote_endpoint(ignored).address().to_string());
}

/// What is open to others and how, where that is worth a word.
void tell_exposure(const HttpOptions& options, const tcp::endpoint& endpoint) {
  if (endpoint.address().is_loopback()) return;
  if (options.anonymous) {
    log_event(Event::kHttpExposed, "http: http.anonymous = true: everybody who reaches {} can read all pages",
              url_of(endpoint));
  } else if (options.tls_certificate_file.empty()) {
    log_event(Event::kHttpExposed,
              "http: the token goes through the network as it is, and so do all pages; set http.tls_certificate_file");
  }
}

/// One client's socket, and TLS over it where there is any.
struct HttpConnection {
  HttpConnection(tcp::socket client, HttpTls* https) : plain{std::move(client)} {
    if (https != nullptr) tls.emplace(plain, https->context());
  }
  beast::tcp_stream plain;
  std::optional<asio::ssl::stream<beast::tcp_stream&>> tls;
};

}  // namespace

/// All members belong to the HTTP thread once it runs.
class HttpServer::Impl {
 public:
  Impl(Sources sources, HttpLimits limits, HttpAccess access, std::unique_ptr<HttpTls> tls)
      : sources_{std::move(sources)}, limits_{limits}, access_{std::move(access)}, tls_{std::move(tls)} {}

  Result<tcp::endpoint> listen(const std::string& where);
  void run();

 private:
  using Connections = std::list<HttpConnection>;
  using Connection = Connections::iterator;

  asio::awaitable<void> accept_all();
  asio::awaitable<void> serve(Connection connection);
  asio::awaitable<void> serve_tls(HttpConnection& connection);
  // Stream: the socket's, or TLS's over it
  template <class Stream>
  asio::awaitable<void> serve_requests(Stream& stream);
  template <class Stream>
  asio::awaitable<bool> send(Stream& stream, Reply reply, const Request& request, bool keep_alive);
  template <class Stream>
  asio::awaitable<void> refuse(Stream& stream, unsigned status);
  [[nodiscard]] Reply reply_to(const Request& request, const beast::tcp_stream& from);
  void admit(tcp::socket socket);
  void shut();

  Sources sources_;
  HttpLimits limits_;
  HttpAccess access_;
  std::unique_ptr<HttpTls> tls_;  // null: no HTTPS
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer pause_{io_};
  Connections connections_;  // oldest first; empty before io_ goes, because run() ends only then
  bool stopping_ = false;
  std::jthread thread_;  // last, so that it is joined first
};

Result<tcp::endpoint> HttpServer::Impl::listen(const std::string& where) {
  auto acceptor = open_listener(io_, where);
  if (!acceptor) return acceptor.error();
  acceptor_ = std::move(*acceptor);
  return acceptor_.local_endpoint();
}

void HttpServer::Impl::run() {
  asio::co_spawn(io_, accept_all(), [](const std::exception_ptr& problem) { log_problem("accepting ended", problem); });
  sigset_t all;  // signals are for the main thread
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::jthread{[this](const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "http");
    const std::stop_callback on_stop{stop, [this] { asio::post(io_, [this] { shut(); }); }};
    io_.run();
  }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void HttpServer::Impl::shut() {
  stopping_ = true;
  acceptor_.close();
  pause_.cancel();
  for (HttpConnection& connection : connections_) connection.plain.close();
}

asio::awaitable<void> HttpServer::Impl::accept_all() {
  while (!stopping_) {
    auto [code, socket] = co_await acceptor_.async_accept(kToken);
    if (stopping_) co_return;
    if (!code) {
      admit(std::move(socket));
    } else if (code != asio::error::connection_aborted) {
      pause_.expires_after(kAcceptPause);
      (void)co_await pause_.async_wait(kToken);
    }
  }
}

void HttpServer::Impl::admit(tcp::socket socket) {
  // The oldest goes, so that clients that only hold connections never keep out one that asks. It leaves the list
  // when its coroutine wakes; at the list's end it is not chosen again until then.
  if (connections_.size() >= limits_.connections) {
    connections_.front().plain.close();
    connections_.splice(connections_.end(), connections_, connections_.begin());
    sources_.registry->daemon().add(DaemonCounter::kHttpEvicted, 1);
  }
  connections_.emplace_back(std::move(socket), tls_.get());
  asio::co_spawn(io_, serve(std::prev(connections_.end())),
                 [](const std::exception_ptr& problem) { log_problem("a connection failed", problem); });
}

asio::awaitable<void> HttpServer::Impl::serve(Connection connection) {
  metrics::DaemonMetrics& counts = sources_.registry->daemon();
  counts.add(DaemonGauge::kHttpConnections, 1);
  std::exception_ptr problem;
  try {
    if (connection->tls) {
      co_await serve_tls(*connection);
    } else {
      co_await serve_requests(connection->plain);
    }
  } catch (...) {
    problem = std::current_exception();
  }
  log_problem("a connection failed", problem);
  connections_.erase(connection);
  counts.add(DaemonGauge::kHttpConnections, -1);
}

asio::awaitable<void> HttpServer::Impl::serve_tls(HttpConnection& connection) {
  connection.plain.expires_after(limits_.patience);
  const auto [code] = co_await connection.tls->async_handshake(asio::ssl::stream_base::server, kToken);
  if (code) {
    sources_.registry->daemon().add(DaemonCounter::kHttpHandshakesFailed, 1);
    co_return;
  }
  co_await serve_requests(*connection.tls);
  connection.plain.expires_after(kLinger);
  (void)co_await connection.tls->async_shutdown(kToken);
}

Reply HttpServer::Impl::reply_to(const Request& request, const beast::tcp_stream& from) {
  const auto authorization = request[http::field::authorization];
  const bool known = access_.admits({authorization.data(), authorization.size()});
  if (!known && !authorization.empty()) tell_wrong_token(from);
  Reply reply = answer_request(request, sources_, known);
  if (reply.status == 401) sources_.registry->daemon().add(DaemonCounter::kHttpUnauthorized, 1);
  return reply;
}

template <class Stream>
asio::awaitable<void> HttpServer::Impl::serve_requests(Stream& stream) {
  beast::tcp_stream& socket = beast::get_lowest_layer(stream);
  beast::flat_buffer buffer{limits_.header_bytes + limits_.body_bytes};
  bool keep_alive = true;
  while (keep_alive) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(limits_.header_bytes);
    parser.body_limit(limits_.body_bytes);
    socket.expires_after(limits_.patience);  // for all of it, however many pieces it comes in
    const auto [code, size] = co_await http::async_read(stream, buffer, parser, kToken);
    if (code) {
      if (const unsigned status = status_of(code); status != 0) co_await refuse(stream, status);
      co_return;
    }
    const Request& request = parser.get();
    Reply reply = reply_to(request, socket);
    keep_alive = co_await send(stream, std::move(reply), request, request.keep_alive());
  }
}

/// Whether the connection goes on.
template <class Stream>
asio::awaitable<bool> HttpServer::Impl::send(Stream& stream, Reply reply, const Request& request, bool keep_alive) {
  sources_.registry->daemon().add(counter_of(reply.status), 1);
  auto message = to_message(std::move(reply), request.version(), request.method() == http::verb::head, keep_alive);
  beast::get_lowest_layer(stream).expires_after(limits_.patience);
  const auto [code, size] = co_await beast::async_write(stream, std::move(message), kToken);
  co_return !code && keep_alive;
}

/// Tells why and takes in what still comes for a while: closing over unread bytes would make the answer vanish.
template <class Stream>
asio::awaitable<void> HttpServer::Impl::refuse(Stream& stream, unsigned status) {
  beast::tcp_stream& socket = beast::get_lowest_layer(stream);
  const Request nobody{http::verb::get, "/", 11};
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  Reply reply = plain(status, std::string{reason.data(), reason.size()});
  (void)co_await send(stream, std::move(reply), nobody, false);
  error_code code;
  socket.socket().shutdown(tcp::socket::shutdown_send, code);
  socket.expires_after(kLinger);
  std::array<char, 4096> rest;
  std::size_t total = 0;
  while (!code && total < kLingerBytes) {
    const auto [failed, size] = co_await stream.async_read_some(asio::buffer(rest), kToken);
    code = failed;
    total += size;
  }
}

HttpServer::HttpServer() = default;
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpOptions& options, Sources sources, HttpLimits limits) {
  std::unique_ptr<HttpServer> server{new HttpServer};
  if (options.listen.empty()) return server;
  auto access = HttpAccess::create(options);
  if (!access) return access.error();
  auto tls = HttpTls::create(options);
  if (!tls) return tls.error();
  const bool https = *tls != nullptr;
  server->impl_ = std::make_unique<Impl>(std::move(sources), limits, std::move(*access), std::move(*tls));
  const auto endpoint = server->impl_->listen(options.listen);
  if (!endpoint) return endpoint.error();
  server->url_ = url_of(*endpoint, https);
  server->port_ = endpoint->port();
  server->impl_->run();
  log_event(Event::kHttpListening, "http: listening on {}", server->url_);
  tell_exposure(options, *endpoint);
  return server;
}

}  // namespace tickbridge::ops
