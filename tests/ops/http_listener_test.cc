#include "ops/http_listener.h"

#include <gtest/gtest.h>

namespace tickbridge::ops {
namespace {

TEST(HttpListener, UnderstandsAddresses) {
  EXPECT_EQ(url_of(*parse_listen("127.0.0.1:9464")), "http://127.0.0.1:9464/");
  EXPECT_EQ(url_of(*parse_listen("localhost:0")), "http://127.0.0.1:0/");
  EXPECT_EQ(url_of(*parse_listen("[::1]:65535")), "http://[::1]:65535/");
  EXPECT_EQ(url_of(*parse_listen("0.0.0.0:80")), "http://0.0.0.0:80/");
  EXPECT_EQ(url_of(*parse_listen("[::]:80")), "http://[::]:80/");
}

TEST(HttpListener, SaysHowToWriteAnAddress) {
  for (const auto* const bad :
       {"9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:1x", "::1:9464",
        "[::1]", "[127.0.0.1]:1", "[]:1", "example.org:1", "127.0.0.1:9464 ", "[::1:1"}) {
    const auto endpoint = parse_listen(bad);
    ASSERT_FALSE(endpoint) << bad;
    EXPECT_EQ(endpoint.error().code, ExitCode::kConfig);
    EXPECT_NE(endpoint.error().message.find("127.0.0.1:9464"), std::string::npos);
  }
}

TEST(HttpListener, RefusesAnAddressInUseAsUnavailable) {
  boost::asio::io_context io;
  const auto first = open_listener(io, "127.0.0.1:0");
  ASSERT_TRUE(first);
  const auto second = open_listener(io, "127.0.0.1:" + std::to_string(first->local_endpoint().port()));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ExitCode::kUnavailable);
  EXPECT_NE(second.error().message.find("another program listens there"), std::string::npos);
}

TEST(HttpListener, RefusesAnAddressOfAnotherMachineAsConfiguration) {
  boost::asio::io_context io;
  const auto acceptor = open_listener(io, "192.0.2.1:9464");  // RFC 5737: nobody's
  ASSERT_FALSE(acceptor);
  EXPECT_EQ(acceptor.error().code, ExitCode::kConfig);
}

}  // namespace
}  // namespace tickbridge::ops
