#include "doctor/reach.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

namespace tickbridge::doctor {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// A port of the kernel's choice; it listens only if it is told to.
class Listener {
 public:
  Listener() : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    socklen_t size = sizeof at;
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
    port_ = ntohs(at.sin_port);
  }
  void listen() { EXPECT_EQ(::listen(socket_.get(), 4), 0); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Socket socket_;
  std::uint16_t port_ = 0;
};

TEST(Reach, ConnectsAndSaysWhere) {
  Listener listener;
  listener.listen();
  const Reached reached = reach("127.0.0.1", listener.port(), 5s);
  EXPECT_TRUE(reached.reached());
  ASSERT_EQ(reached.tried.size(), 1U);
  EXPECT_EQ(reached.tried[0].address, "127.0.0.1");
  const Finding line = tell_reached("feed x", "h:1", reached, Level::kFailure);
  EXPECT_EQ(line.level, Level::kOk);
  EXPECT_EQ(line.subject, "feed x h:1");
  EXPECT_THAT(line.text, HasSubstr("reached: 127.0.0.1 in "));
}

TEST(Reach, SaysWhyAClosedPortIsNotReached) {
  const Listener bound;  // and nobody listens
  const Finding line = tell_reached("feed x", "h:1", reach("127.0.0.1", bound.port(), 5s), Level::kFailure);
  EXPECT_EQ(line.level, Level::kFailure);
  EXPECT_EQ(line.code, ExitCode::kUnavailable);
  EXPECT_THAT(line.text, HasSubstr("Connection refused"));
}

TEST(Reach, SaysWhenANameIsNone) {
  const Reached reached = reach("no-such-host.invalid", 1, 5s);
  EXPECT_FALSE(reached.reached());
  const Finding line = tell_reached("feed x", "h:1", reached, Level::kWarning);
  EXPECT_EQ(line.level, Level::kWarning);
  EXPECT_EQ(line.code, ExitCode::kOk);
  EXPECT_THAT(line.text, HasSubstr("the name cannot be resolved"));
}

TEST(Reach, WarnsOfANameThatComesSlowly) {
  Listener listener;
  listener.listen();
  Reached reached = reach("127.0.0.1", listener.port(), 5s);
  reached.resolving = 2s;
  const Finding line = tell_reached("feed x", "h:1", reached, Level::kFailure);
  EXPECT_EQ(line.level, Level::kWarning);
  EXPECT_THAT(line.text, HasSubstr("its name took 2000.0 ms"));
}

}  // namespace
}  // namespace tickbridge::doctor
