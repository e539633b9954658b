// The seam between a reader and its bytes, plain and through TLS, against a server that can misbehave.
#include "net/channel.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <functional>
#include <numeric>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "support/certificates.h"

namespace tickbridge::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using tcp = boost::asio::ip::tcp;

/// One connection's other side: blocking, on a thread of its own.
class Server {
 public:
  struct Files {
    std::string certificate;
    std::string key;
    std::string client_ca;
  };
  using Talk = std::function<void(SSL* ssl, int socket)>;

  Server(boost::asio::io_context& io, const Files& files, Talk talk)
      : acceptor_{io, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0}},
        context_{SSL_CTX_new(TLS_server_method())} {
    SSL_CTX_set_num_tickets(context_, 0);  // a close over unread bytes would be a reset
    EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context_, files.certificate.c_str()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_, files.key.c_str(), SSL_FILETYPE_PEM), 1);
    if (!files.client_ca.empty()) {
      EXPECT_EQ(SSL_CTX_load_verify_file(context_, files.client_ca.c_str()), 1);
      SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    thread_ = std::jthread{[this, talk = std::move(talk)] { serve(talk); }};
  }
  ~Server() {
    thread_.join();
    SSL_CTX_free(context_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  void serve(const Talk& talk) const {
    const int socket = ::accept(const_cast<tcp::acceptor&>(acceptor_).native_handle(), nullptr, nullptr);
    const timeval limit{20, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    SSL* const ssl = SSL_new(context_);
    SSL_set_fd(ssl, socket);
    talk(ssl, socket);
    SSL_free(ssl);
    ::close(socket);
  }

  tcp::acceptor acceptor_;
  SSL_CTX* context_;
  std::jthread thread_;
};

void greet(SSL* ssl, int) { SSL_accept(ssl); }

class ChannelTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }  // the server writes with OpenSSL's own hands
  ChannelTest() {
    authority_.issue("server", "DNS:localhost,IP:127.0.0.1");
    authority_.issue("expired", "IP:127.0.0.1", -20, -10);
    authority_.issue("young", "IP:127.0.0.1", 5, 10);
    authority_.issue("elsewhere", "DNS:a.example,DNS:b.example");
    authority_.issue("client", "DNS:client");
    stranger_.issue("stranger", "IP:127.0.0.1");
    stranger_.issue("foreign-client", "DNS:client");
    options_.on = true;
    options_.ca_file = authority_.ca();
  }

  [[nodiscard]] Server::Files files(const std::string& name, const std::string& client_ca = "") const {
    return {folder_ / name + ".pem", folder_ / name + ".key", client_ca};
  }
  /// A channel that has shaken hands with the server; what the handshake's problem was is in problem_.
  Channel& connect(const Server& server, bool tls = true) {
    std::unique_ptr<TlsClient> client;
    if (tls) client = TlsClient::create("nasdaq", options_).value();
    channel_ = std::make_unique<Channel>(io_, std::move(client));
    channel_->renew().connect(server.endpoint());
    channel_->shake_hands("127.0.0.1", [this](const std::string& problem) { problem_ = problem, shaken_ = true; });
    run_until([this] { return shaken_; });
    return *channel_;
  }
  void run_until(const std::function<bool()>& done) {
    const auto deadline = SteadyClock::now() + 60s;
    while (!done() && SteadyClock::now() < deadline) {
      io_.restart();
      io_.run_one_for(1s);
    }
    ASSERT_TRUE(done());
  }
  /// All that comes until the end, in pieces of at most `most`; the last read's error is in error_.
  std::string read_all(std::size_t most = 256 << 10) {
    std::string all;
    std::vector<std::byte> room(most);
    while (true) {
      const SocketRead read = channel_->read(room);
      all.append(reinterpret_cast<const char*>(room.data()), read.size);
      if (read.size != 0) {
        EXPECT_GT(read.newest_ns, 0);
        EXPECT_LE(read.size, most);
        if (channel_->has_more()) continue;
      } else if (read.error != EAGAIN) {
        error_ = read.error;
        return all;
      }
      bool ready = false;
      channel_->wait([&](boost::system::error_code) { ready = true; });
      run_until([&] { return ready; });
    }
  }
  /// What the handshake with that certificate fails with.
  std::string refusal(const std::string& name) {
    const Server server{io_, files(name), greet};
    connect(server);
    channel_->close();
    return problem_;
  }

  tests::Folder folder_;
  tests::Authority authority_{folder_, "authority"};
  tests::Authority stranger_{folder_, "stranger-authority"};
  boost::asio::io_context io_;
  TlsOptions options_;
  std::unique_ptr<Channel> channel_;
  std::string problem_;
  bool shaken_ = false;
  int error_ = 0;
};

std::string numbers(std::size_t size) {
  std::string text(size, '\0');
  std::iota(text.begin(), text.end(), '\0');
  return text;
}

TEST_F(ChannelTest, BringsTheBytesAsTheyAre) {
  const std::string text = numbers(3'000'000);
  for (const bool tls : {false, true}) {
    const Server server{
        io_, files("server"), [&](SSL* ssl, int socket) {
          if (!tls) {
            std::size_t sent = 0;
            while (sent < text.size()) {
              sent += static_cast<std::size_t>(::send(socket, text.data() + sent, text.size() - sent, 0));
            }
            return;
          }
          ASSERT_EQ(SSL_accept(ssl), 1);
          ASSERT_EQ(SSL_write(ssl, text.data(), static_cast<int>(text.size())), static_cast<int>(text.size()));
          SSL_shutdown(ssl);
        }};
    shaken_ = false;
    connect(server, tls);
    ASSERT_EQ(problem_, "");
    EXPECT_TRUE(read_all() == text) << tls;
    EXPECT_EQ(error_, 0) << "the other side closed in good order";
  }
}

TEST_F(ChannelTest, BringsThemIntoSmallRoomsToo) {
  const std::string text = numbers(200'000);
  const Server server{io_, files("server"), [&](SSL* ssl, int) {
                        SSL_accept(ssl);
                        SSL_write(ssl, text.data(), static_cast<int>(text.size()));
                        SSL_shutdown(ssl);
                      }};
  connect(server);
  EXPECT_TRUE(read_all(777) == text);
  EXPECT_EQ(error_, 0);
}

TEST_F(ChannelTest, TellsACutFromAGoodbye) {
  const Server server{io_, files("server"), [](SSL* ssl, int) {
                        SSL_accept(ssl);
                        SSL_write(ssl, "half", 4);
                      }};
  connect(server);
  EXPECT_EQ(read_all(), "half");
  EXPECT_NE(error_, 0);
  EXPECT_THAT(channel_->describe({.error = error_}), HasSubstr("without TLS's goodbye"));
}

TEST_F(ChannelTest, RefusesBytesThatWereChanged) {
  const Server server{io_, files("server"), [](SSL* ssl, int socket) {
                        SSL_accept(ssl);
                        SSL_write(ssl, "right", 5);
                        const std::string forged = "\x17\x03\x03" + std::string("\0\x20", 2) + std::string(32, 'x');
                        ::send(socket, forged.data(), forged.size(), 0);
                        char end = 0;
                        (void)::recv(socket, &end, 1, 0);
                      }};
  connect(server);
  EXPECT_EQ(read_all(), "right");
  EXPECT_NE(error_, 0);
  EXPECT_THAT(channel_->describe({.error = error_}), HasSubstr("TLS failed"));
  channel_->close();
}

TEST_F(ChannelTest, SendsAllEvenIfTheOtherSideReadsLate) {
  const std::string text = numbers(8'000'000);  // more than the sockets hold
  std::string got;
  {
    const Server server{io_, files("server"), [&](SSL* ssl, int) {
                          SSL_accept(ssl);
                          std::vector<char> room(65536);
                          while (got.size() < text.size()) {
                            const int size = SSL_read(ssl, room.data(), static_cast<int>(room.size()));
                            if (size <= 0) return;
                            got.append(room.data(), static_cast<std::size_t>(size));
                          }
                        }};
    connect(server);
    bool sent = false;
    channel_->send(text, [&](const std::string& problem) {
      EXPECT_EQ(problem, "");
      sent = true;
    });
    run_until([&] { return sent; });
    channel_->close();
  }
  EXPECT_TRUE(got == text);
}

TEST_F(ChannelTest, SaysGoodbyeWhenItCloses) {
  int last = -1;
  {
    const Server server{io_, files("server"), [&](SSL* ssl, int) {
                          SSL_accept(ssl);
                          char end = 0;
                          last = SSL_get_error(ssl, SSL_read(ssl, &end, 1));
                        }};
    connect(server);
    channel_->close();
  }
  EXPECT_EQ(last, SSL_ERROR_ZERO_RETURN);
}

TEST_F(ChannelTest, ACloseInTheHandshakeEndsIt) {
  const Server server{io_, files("server"), [](SSL*, int socket) {
                        std::array<char, 4096> hello{};
                        while (::recv(socket, hello.data(), hello.size(), 0) > 0) {
                        }
                      }};
  channel_ = std::make_unique<Channel>(io_, TlsClient::create("nasdaq", options_).value());
  channel_->renew().connect(server.endpoint());
  channel_->shake_hands("127.0.0.1", [this](const std::string& problem) { problem_ = problem, shaken_ = true; });
  io_.poll();
  EXPECT_FALSE(shaken_);
  channel_->close();
  run_until([this] { return shaken_; });
  EXPECT_EQ(problem_, Channel::kClosed);
}

TEST_F(ChannelTest, SaysWhatIsWrongWithACertificate) {
  EXPECT_EQ(refusal("server"), "");
  shaken_ = false;
  EXPECT_THAT(refusal("stranger"), HasSubstr("not signed by anybody trusted here (it is for 127.0.0.1, issued by"));
  shaken_ = false;
  EXPECT_THAT(refusal("expired"), HasSubstr("its certificate has expired"));
  shaken_ = false;
  EXPECT_THAT(refusal("young"), HasSubstr("not valid yet"));
  shaken_ = false;
  EXPECT_THAT(refusal("elsewhere"), HasSubstr("not for \"127.0.0.1\" (it is for a.example, b.example,"));
}

TEST_F(ChannelTest, TakesAnyCertificateIfToldTo) {
  options_.ca_file.clear();
  options_.verify = false;
  for (const auto* const name : {"server", "stranger", "expired", "elsewhere"}) {
    shaken_ = false;
    EXPECT_EQ(refusal(name), "") << name;
  }
}

TEST_F(ChannelTest, LooksForTheNameThatItIsTold) {
  options_.server_name = "b.example";
  EXPECT_EQ(refusal("elsewhere"), "");
  shaken_ = false;
  EXPECT_THAT(refusal("server"), HasSubstr("not for \"b.example\""));
}

TEST_F(ChannelTest, SaysTheNameBeforeTheHandshake) {
  std::string name;
  options_.server_name = "a.example";
  {
    const Server server{io_, files("elsewhere"), [&](SSL* ssl, int) {
                          SSL_accept(ssl);
                          const char* const said = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
                          name = said != nullptr ? said : "";
                        }};
    connect(server);
    channel_->close();
  }
  EXPECT_EQ(name, "a.example");
}

TEST_F(ChannelTest, ShowsItsOwnCertificate) {
  const auto talk = [](SSL* ssl, int) {
    if (SSL_accept(ssl) == 1) SSL_write(ssl, "welcome", 7);
    SSL_shutdown(ssl);
  };
  options_.certificate_file = folder_ / "client.pem";
  options_.key_file = folder_ / "client.key";
  const Server server{io_, files("server", authority_.ca()), talk};
  connect(server);
  EXPECT_EQ(read_all(), "welcome");
}

TEST_F(ChannelTest, SaysWhatTheOtherSideThinksOfIt) {
  const auto talk = [](SSL* ssl, int) {
    SSL_accept(ssl);
    ERR_clear_error();
  };
  {
    const Server server{io_, files("server", authority_.ca()), talk};
    connect(server);
    (void)read_all();  // TLS 1.3: the handshake is over before the server has looked
    EXPECT_THAT(channel_->describe({.error = error_}), HasSubstr("wants a certificate of us"));
  }
  options_.certificate_file = folder_ / "foreign-client.pem";
  options_.key_file = folder_ / "foreign-client.key";
  shaken_ = false;
  const Server server{io_, files("server", authority_.ca()), talk};
  connect(server);
  (void)read_all();
  EXPECT_THAT(channel_->describe({.error = error_}), HasSubstr("it refused our certificate"));
}

TEST_F(ChannelTest, SaysThatTheOtherSideSpeaksNoTls) {
  for (const std::string text : {"220 mail.example\r\n", "", "HTTP/1.1 400 Bad Request\r\n\r\n"}) {
    const Server server{io_, files("server"), [&](SSL*, int socket) {
                          std::array<char, 4096> hello{};
                          (void)::recv(socket, hello.data(), hello.size(), 0);
                          ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
                        }};
    shaken_ = false;
    connect(server);
    EXPECT_THAT(problem_, HasSubstr(text.empty() ? "may not speak TLS there" : "no TLS")) << text;
  }
}

TEST_F(ChannelTest, RefusesOldTls) {
  const Server server{io_, files("server"), [](SSL* ssl, int) {
                        SSL_set_min_proto_version(ssl, TLS1_VERSION);
                        SSL_set_max_proto_version(ssl, TLS1_1_VERSION);
                        SSL_set_cipher_list(ssl, "DEFAULT@SECLEVEL=0");
                        SSL_accept(ssl);
                        ERR_clear_error();
                      }};
  connect(server);
  EXPECT_THAT(problem_, HasSubstr("neither TLS 1.2 nor 1.3"));
}

TEST_F(ChannelTest, RefusesFilesThatAreNotWhatTheyShouldBe) {
  const auto wrong = [&] {
    const auto client = TlsClient::create("nasdaq", options_);
    EXPECT_FALSE(client);
    return client ? std::string{} : client.error().message;
  };
  const std::string right = options_.ca_file;
  options_.ca_file = folder_ / "client.key";
  EXPECT_THAT(wrong(), HasSubstr("feed.nasdaq.tls_ca_file"));
  options_.ca_file = right;
  options_.certificate_file = folder_ / "client.key";
  options_.key_file = folder_ / "client.key";
  EXPECT_THAT(wrong(), HasSubstr("feed.nasdaq.tls_certificate_file"));
  options_.certificate_file = folder_ / "client.pem";
  options_.key_file = folder_ / "server.key";
  EXPECT_THAT(wrong(), HasSubstr("feed.nasdaq.tls_key_file"));
}

}  // namespace
}  // namespace tickbridge::net
