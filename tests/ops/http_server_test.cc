// Real requests over loopback; the clients are plain blocking sockets, so that they can misbehave.
#include "ops/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "metrics/system.h"
#include "ops/exposition_parser.h"
#include "support/certificates.h"

namespace tickbridge::ops {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_{::socket(AF_INET, SOCK_STREAM, 0)} {
    const timeval limit{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  Client(Client&& other) noexcept : fd_{std::exchange(other.fd_, -1)}, connected_{other.connected_} {}
  Client& operator=(Client&&) = delete;
  ~Client() {
    if (fd_ >= 0) close(fd_);
  }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int socket() const { return fd_; }
  bool send(std::string_view text) const {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  /// All until the server closes.
  [[nodiscard]] std::string read_all() const {
    std::string all;
    while (read_some(all)) {
    }
    return all;
  }
  /// One answer with a body of its Content-Length.
  [[nodiscard]] std::string read_answer() {
    while (true) {
      const std::size_t head = pending_.find("\r\n\r\n");
      const std::size_t length = pending_.find("Content-Length: ");
      if (head != std::string::npos && length < head) {
        const std::size_t size = head + 4 + std::stoul(pending_.substr(length + 16));
        if (pending_.size() >= size) {
          std::string answer = pending_.substr(0, size);
          pending_.erase(0, size);
          return answer;
        }
      }
      if (!read_some(pending_)) return {};
    }
  }

 private:
  bool read_some(std::string& into) const {
    char buffer[4096];
    const ssize_t size = recv(fd_, buffer, sizeof(buffer), 0);
    if (size > 0) into.append(buffer, static_cast<std::size_t>(size));
    return size > 0;
  }
  int fd_;
  bool connected_ = false;
  std::string pending_;
};

std::string get_request(std::string_view path, std::string_view method = "GET") {
  return std::string{method} + " " + std::string{path} + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

struct HttpServerTest : testing::Test {
  void start(HttpLimits limits = {}) {
    Sources sources{.registry = &registry, .ready = [this] { return ready; }, .healthy = [this] { return healthy; }};
    sources.sample = [this] { registry.add_feed("nasdaq").set(metrics::FeedGauge::kRingBytes, 4096); };
    sources.extra = [] {
      return std::vector<metrics::Family>{{"tickbridge_extra", metrics::Kind::kGauge, "More", {{{}, 1.5}}}};
    };
    auto started = HttpServer::start(options, std::move(sources), limits);
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
  }
  std::string ask(std::string_view path, std::string_view method = "GET") const {
    Client client{server->port()};
    client.send(get_request(path, method));
    return client.read_answer();
  }

  /// Only who has this token may ask.
  void want_token() {
    std::ofstream{folder / "token"} << "0123456789abcdef\n";
    options.token_file = folder / "token";
  }
  std::string ask_with(std::string_view path, std::string_view authorization) const {
    Client client{server->port()};
    client.send("GET " + std::string{path} + " HTTP/1.1\r\nHost: x\r\nAuthorization: " + std::string{authorization} +
                "\r\n\r\n");
    return client.read_answer();
  }

  tests::Folder folder;
  HttpOptions options = [] {
    HttpOptions some;
    some.listen = "127.0.0.1:0";
    return some;
  }();
  metrics::Registry registry{"1.2.3"};
  std::string ready;
  std::string healthy;
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpServerTest, AnswersEveryPath) {
  start();
  EXPECT_THAT(server->url(), testing::MatchesRegex("http://127.0.0.1:[0-9]+/"));
  EXPECT_THAT(ask("/"), HasSubstr("<table "));
  EXPECT_THAT(ask("/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(ask("/readyz?verbose"), StartsWith("HTTP/1.1 200 OK\r\n"));
  const auto status = boost::json::parse(body_of(ask("/api/status")));
  EXPECT_EQ(status.at("feeds").at("nasdaq").at("state").as_string(), "connecting");
  const std::string metrics = ask("/metrics");
  EXPECT_THAT(metrics, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  const auto parsed = test::parse_exposition(body_of(metrics));
  EXPECT_EQ(parsed.problem, "");
  EXPECT_EQ(parsed.samples.at("tickbridge_feed_ring_bytes{feed=\"nasdaq\"}"), 4096);
  EXPECT_EQ(parsed.samples.at("tickbridge_extra"), 1.5);
  EXPECT_EQ(parsed.samples.at("tickbridge_http_requests_total{code=\"2xx\"}"), 4);
}

TEST_F(HttpServerTest, SaysWhyItIsNotReadyOrHealthy) {
  ready = "feed nasdaq is connecting";
  healthy = "worker 2 hangs";
  start();
  EXPECT_THAT(ask("/readyz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(body_of(ask("/readyz")), "feed nasdaq is connecting\n");
  EXPECT_EQ(body_of(ask("/healthz")), "worker 2 hangs\n");
}

TEST_F(HttpServerTest, NamesThePathsThatThereAre) {
  start();
  const std::string answer = ask("/metric");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 "));
  for (const auto* const path : {"\n/\n", "\n/metrics\n", "\n/healthz\n", "\n/readyz\n", "\n/api/status\n"}) {
    EXPECT_THAT(answer, HasSubstr(path));
  }
}

TEST_F(HttpServerTest, TakesOnlyGetAndHead) {
  start();
  for (const auto* const method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const std::string answer = ask("/metrics", method);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
  }
}

TEST_F(HttpServerTest, AnswersHeadLikeGetWithoutTheBody) {
  start();
  Client client{server->port()};
  client.send("HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = client.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInTheirOrder) {
  start();
  Client client{server->port()};
  client.send(get_request("/healthz") + get_request("/nothing") + get_request("/api/status") + get_request("/readyz"));
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(client.read_answer(), HasSubstr("uptime_seconds"));
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, UnderstandsARequestThatComesByteByByte) {
  start();
  Client client{server->port()};
  for (const char c : get_request("/healthz")) ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, RefusesAHeaderThatIsTooLong) {
  start();
  Client client{server->port()};
  client.send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, RefusesABodyThatIsTooLong) {
  start();
  Client client{server->port()};
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n" + std::string(10'000, 'x'));
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, RefusesWhatIsNoRequest) {
  start();
  for (const std::string garbage :
       {"\x16\x03\x01 tls?\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n: \r\n\r\n", "GET\r\n\r\n"}) {
    Client client{server->port()};
    client.send(garbage);
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 400 "));
  }
  EXPECT_THAT(ask("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, LosesPatienceWithASlowClient) {
  start({.patience = std::chrono::milliseconds{300}});
  Client client{server->port()};
  const auto begin = SteadyClock::now();
  std::jthread drip{[&](const std::stop_token& stop) {  // each byte comes in time, the request never does
    client.send("GET / HTTP/1.1\r\nX: ");
    while (!stop.stop_requested() && client.send("x")) std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }};
  EXPECT_EQ(client.read_all(), "");
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds{10});
}

TEST_F(HttpServerTest, MakesRoomForAClientThatAsks) {
  start({.patience = std::chrono::milliseconds{60'000}, .connections = 8});
  std::vector<Client> idle;
  for (int i = 0; i < 50; ++i) {
    idle.emplace_back(server->port());
    ASSERT_TRUE(idle.back().connected());
    idle.back().send("GET / HT");
  }
  EXPECT_THAT(ask("/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(idle.front().read_all(), "") << "the oldest was closed";
  EXPECT_GE(registry.daemon().value(metrics::DaemonCounter::kHttpEvicted), 42U);
  EXPECT_LE(registry.daemon().value(metrics::DaemonGauge::kHttpConnections), 9);
}

TEST_F(HttpServerTest, AnswersManyAtOnceWhileFeedsCount) {
  start();
  metrics::FeedMetrics& feed = registry.add_feed("nasdaq");
  std::jthread counting{[&](const std::stop_token& stop) {
    while (!stop.stop_requested()) feed.add(metrics::FeedCounter::kMessagesReceived, 3);
  }};
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> scrapers;
    for (int t = 0; t < 8; ++t) {
      scrapers.emplace_back([&] {
        Client client{server->port()};
        for (int i = 0; i < 20; ++i) {
          client.send(get_request("/metrics"));
          good += test::parse_exposition(body_of(client.read_answer())).problem.empty() ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(good, 160);
}

TEST_F(HttpServerTest, StopsAtOnceWithClientsConnected) {
  start();
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(server->port()).send(i % 2 == 0 ? "GET" : get_request("/metrics"));
  const auto begin = SteadyClock::now();
  server.reset();
  EXPECT_LT(SteadyClock::now() - begin, std::chrono::seconds{2});
  EXPECT_EQ(registry.daemon().value(metrics::DaemonGauge::kHttpConnections), 0);
}

TEST_F(HttpServerTest, KeepsNoFileOfAClientThatLeft) {
  start();
  const double before = metrics::sample_system().open_fds;
  for (int i = 0; i < 200; ++i) Client{server->port()}.send(i % 2 == 0 ? get_request("/") : "GET");
  (void)ask("/healthz");  // it came last, so all others were accepted before
  const auto deadline = SteadyClock::now() + std::chrono::seconds{10};
  while (metrics::sample_system().open_fds > before && SteadyClock::now() < deadline) std::this_thread::yield();
  EXPECT_LE(metrics::sample_system().open_fds, before);
}

TEST_F(HttpServerTest, LivesThroughAPageThatThrows) {
  Sources sources{.registry = &registry, .ready = []() -> std::string { throw std::runtime_error{"broken"}; }};
  server = HttpServer::start(options, std::move(sources)).value();
  EXPECT_THAT(ask("/readyz"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(ask("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, RefusesAPortThatIsTaken) {
  start();
  options.listen = "127.0.0.1:" + std::to_string(server->port());
  const auto second = HttpServer::start(options, {.registry = &registry});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ExitCode::kUnavailable);
}

TEST_F(HttpServerTest, ListensNowhereWhenSwitchedOff) {
  options.listen.clear();
  const auto off = HttpServer::start(options, {.registry = &registry});
  ASSERT_TRUE(off);
  EXPECT_EQ((*off)->url(), "");
  EXPECT_EQ((*off)->port(), 0);
}

TEST_F(HttpServerTest, AnswersOnlyWhoShowsTheToken) {
  want_token();
  start();
  for (const auto* const path : {"/", "/metrics", "/api/status", "/nothing"}) {
    const std::string answer = ask(path);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 401 ")) << path;
    EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Basic realm=\"tickbridge\", charset=\"UTF-8\"\r\n"));
    EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Bearer realm=\"tickbridge\"\r\n"));
  }
  EXPECT_THAT(ask_with("/metrics", "Bearer 0123456789abcdeX"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(ask_with("/metrics", "Bearer 0123456789abcdef"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask_with("/", "Basic dXNlcjowMTIzNDU2Nzg5YWJjZGVm"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask("/metrics", "DELETE"), StartsWith("HTTP/1.1 401 "));
  EXPECT_EQ(registry.daemon().value(metrics::DaemonCounter::kHttpUnauthorized), 6U);
}

TEST_F(HttpServerTest, TellsOthersOnlyWhetherItIsHealthy) {
  want_token();
  ready = "feed nasdaq is connecting";
  start();
  EXPECT_THAT(ask("/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask("/readyz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(ask("/readyz"), testing::Not(HasSubstr("nasdaq")));
  EXPECT_EQ(body_of(ask_with("/readyz", "Bearer 0123456789abcdef")), "feed nasdaq is connecting\n");
}

TEST_F(HttpServerTest, KeepsAConnectionThatAsksAgainWithTheToken) {
  want_token();
  start();
  Client client{server->port()};
  client.send(get_request("/"));
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 401 "));
  client.send("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n");
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 200 "));
}

/// HTTPS, with a client of OpenSSL's own.
struct HttpsTest : HttpServerTest {
  HttpsTest() {
    ::signal(SIGPIPE, SIG_IGN);  // the client writes with OpenSSL's own hands
    authority.issue("server", "DNS:localhost,IP:127.0.0.1");
    authority.issue("client", "DNS:client");
    stranger.issue("foreign", "DNS:client");
    options.tls_certificate_file = folder / "server.pem";
    options.tls_key_file = folder / "server.key";
  }
  /// The whole answer to one request, shown the certificate of that name; "": there was none.
  std::string ask_over_tls(std::string_view request, const std::string& certificate = "") {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_client_method()), &SSL_CTX_free};
    EXPECT_EQ(SSL_CTX_load_verify_file(context.get(), authority.ca().c_str()), 1);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    if (!certificate.empty()) {
      SSL_CTX_use_certificate_chain_file(context.get(), (folder / certificate + ".pem").c_str());
      SSL_CTX_use_PrivateKey_file(context.get(), (folder / certificate + ".key").c_str(), SSL_FILETYPE_PEM);
    }
    const Client client{server->port()};
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl{SSL_new(context.get()), &SSL_free};
    SSL_set_fd(ssl.get(), client.socket());
    std::string answer;
    if (SSL_connect(ssl.get()) == 1) {
      SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
      char buffer[4096];
      for (int size = 0; (size = SSL_read(ssl.get(), buffer, sizeof buffer)) > 0;) {
        answer.append(buffer, static_cast<std::size_t>(size));
      }
      ended_well = SSL_get_shutdown(ssl.get()) == SSL_RECEIVED_SHUTDOWN;
    }
    ERR_clear_error();
    return answer;
  }
  static std::string closing(std::string_view path) {
    return "GET " + std::string{path} + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  }

  tests::Authority authority{folder, "authority"};
  tests::Authority stranger{folder, "stranger-authority"};
  bool ended_well = false;
};

TEST_F(HttpsTest, AnswersOverTls) {
  start();
  EXPECT_THAT(server->url(), StartsWith("https://127.0.0.1:"));
  EXPECT_THAT(ask_over_tls(closing("/metrics")), HasSubstr("tickbridge_http_requests_total"));
  EXPECT_TRUE(ended_well);
  EXPECT_THAT(ask_over_tls("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpsTest, RefusesWhatIsNoTls) {
  start();
  Client client{server->port()};
  client.send(get_request("/metrics"));
  EXPECT_THAT(client.read_all(), testing::Not(HasSubstr("HTTP/1.1 200")));
  EXPECT_EQ(registry.daemon().value(metrics::DaemonCounter::kHttpHandshakesFailed), 1U);
}

TEST_F(HttpsTest, LosesPatienceInTheHandshake) {
  start({.patience = std::chrono::milliseconds{200}});
  const Client client{server->port()};
  client.send("\x16\x03\x01");
  EXPECT_EQ(client.read_all(), "");
}

TEST_F(HttpsTest, WantsACertificateIfToldTo) {
  options.tls_client_ca_file = authority.ca();
  start();
  EXPECT_THAT(ask_over_tls(closing("/metrics"), "client"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(ask_over_tls(closing("/metrics")), "");
  EXPECT_EQ(ask_over_tls(closing("/healthz"), "foreign"), "");
}

TEST_F(HttpsTest, ReadsRenewedCertificatesAgain) {
  start();
  EXPECT_THAT(ask_over_tls(closing("/healthz")), StartsWith("HTTP/1.1 200 "));
  stranger.issue("server", "IP:127.0.0.1");  // in place of the old one
  EXPECT_EQ(ask_over_tls(closing("/healthz")), "") << "nobody trusts that one";
  std::ofstream{options.tls_certificate_file} << "half written";
  EXPECT_EQ(ask_over_tls(closing("/healthz")), "") << "the last that could be used";
  authority.issue("server", "IP:127.0.0.1");
  EXPECT_THAT(ask_over_tls(closing("/healthz")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpsTest, RefusesFilesThatAreNotWhatTheyShouldBe) {
  const auto wrong = [&] {
    const auto refused = HttpServer::start(options, {.registry = &registry});
    EXPECT_FALSE(refused);
    return refused ? std::string{} : refused.error().message;
  };
  options.tls_key_file = folder / "client.key";
  EXPECT_THAT(wrong(), HasSubstr("http.tls_key_file"));
  options.tls_certificate_file = folder / "client.key";
  EXPECT_THAT(wrong(), HasSubstr("http.tls_certificate_file"));
}

}  // namespace
}  // namespace tickbridge::ops
