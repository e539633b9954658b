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
#include <stop_token>
#include <thread>
#include <utility>

#include "base/log.h"
#include "ops/http_listener.h"

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

Reply answer_request(const Request& request, const Sources& sources) {
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return plain(405, "only GET and HEAD");
  }
  try {
    return answer({request.target().data(), request.target().size()}, sources);
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

}  // namespace

/// All members belong to the HTTP thread once it runs.
class HttpServer::Impl {
 public:
  Impl(Sources sources, HttpLimits limits) : sources_{std::move(sources)}, limits_{limits} {}

  Result<tcp::endpoint> listen(const std::string& where);
  void run();

 private:
  using Connections = std::list<beast::tcp_stream>;
  using Connection = Connections::iterator;

  asio::awaitable<void> accept_all();
  asio::awaitable<void> serve(Connection connection);
  asio::awaitable<void> serve_requests(beast::tcp_stream& stream);
  asio::awaitable<bool> send(beast::tcp_stream& stream, Reply reply, const Request& request, bool keep_alive);
  asio::awaitable<void> refuse(beast::tcp_stream& stream, unsigned status);
  void admit(tcp::socket socket);
  void shut();

  Sources sources_;
  HttpLimits limits_;
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
  for (beast::tcp_stream& stream : connections_) stream.close();
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
    connections_.front().close();
    connections_.splice(connections_.end(), connections_, connections_.begin());
    sources_.registry->daemon().add(DaemonCounter::kHttpEvicted, 1);
  }
  connections_.emplace_back(std::move(socket));
  asio::co_spawn(io_, serve(std::prev(connections_.end())),
                 [](const std::exception_ptr& problem) { log_problem("a connection failed", problem); });
}

asio::awaitable<void> HttpServer::Impl::serve(Connection connection) {
  metrics::DaemonMetrics& counts = sources_.registry->daemon();
  counts.add(DaemonGauge::kHttpConnections, 1);
  std::exception_ptr problem;
  try {
    co_await serve_requests(*connection);
  } catch (...) {
    problem = std::current_exception();
  }
  log_problem("a connection failed", problem);
  connections_.erase(connection);
  counts.add(DaemonGauge::kHttpConnections, -1);
}

asio::awaitable<void> HttpServer::Impl::serve_requests(beast::tcp_stream& stream) {
  beast::flat_buffer buffer{limits_.header_bytes + limits_.body_bytes};
  bool keep_alive = true;
  while (keep_alive) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(limits_.header_bytes);
    parser.body_limit(limits_.body_bytes);
    stream.expires_after(limits_.patience);  // for all of it, however many pieces it comes in
    const auto [code, size] = co_await http::async_read(stream, buffer, parser, kToken);
    if (code) {
      if (const unsigned status = status_of(code); status != 0) co_await refuse(stream, status);
      co_return;
    }
    const Request& request = parser.get();
    Reply reply = answer_request(request, sources_);
    keep_alive = co_await send(stream, std::move(reply), request, request.keep_alive());
  }
}

/// Whether the connection goes on.
asio::awaitable<bool> HttpServer::Impl::send(beast::tcp_stream& stream, Reply reply, const Request& request,
                                             bool keep_alive) {
  sources_.registry->daemon().add(counter_of(reply.status), 1);
  auto message = to_message(std::move(reply), request.version(), request.method() == http::verb::head, keep_alive);
  stream.expires_after(limits_.patience);
  const auto [code, size] = co_await beast::async_write(stream, std::move(message), kToken);
  co_return !code && keep_alive;
}

/// Tells why and takes in what still comes for a while: closing over unread bytes would make the answer vanish.
asio::awaitable<void> HttpServer::Impl::refuse(beast::tcp_stream& stream, unsigned status) {
  const Request nobody{http::verb::get, "/", 11};
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  Reply reply = plain(status, std::string{reason.data(), reason.size()});
  (void)co_await send(stream, std::move(reply), nobody, false);
  error_code code;
  stream.socket().shutdown(tcp::socket::shutdown_send, code);
  stream.expires_after(kLinger);
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
  server->impl_ = std::make_unique<Impl>(std::move(sources), limits);
  const auto endpoint = server->impl_->listen(options.listen);
  if (!endpoint) return endpoint.error();
  server->url_ = url_of(*endpoint);
  server->port_ = endpoint->port();
  server->impl_->run();
  log_event(Event::kHttpListening, "http: listening on {}", server->url_);
  return server;
}

}  // namespace tickbridge::ops
