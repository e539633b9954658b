#include "codec/soup.h"

#include <gtest/gtest.h>

#include <random>

#include "codec/pcap.h"
#include "codec/real_data.h"
#include "pipeline/wire.h"
#include "support/seed.h"

namespace tickbridge::codec::soup {
namespace {

namespace wire = tests::wire;

// A login request that a real client sent to a real exchange, byte by byte.
TEST(LoginRequest, IsWhatARealClientSent) {
  const std::string expected =
      std::string{"\0\x2F", 2} + "L" + "user  " + "password  " + std::string(10, ' ') + std::string(19, ' ') + "0";
  EXPECT_EQ(
      login_request(SoupVersion::k300, {.username = "user", .password = "password", .session = "", .sequence = 0}),
      expected);
}

TEST(LoginRequest, IsWhatTheCaptureHolds) {
  TICKBRIDGE_NEEDS_REAL_DATA();
  const auto path = tests::real_data() / "framing-pcaps/Jnx/JnxEquities.Pts.Ouch.v1.11/LoginRequestPacket.pcap";
  const auto payloads = tests::pcap_payloads(tests::read_file(path));
  ASSERT_EQ(payloads.size(), 1U);
  EXPECT_EQ(
      login_request(SoupVersion::k300, {.username = "user", .password = "password", .session = "", .sequence = 0}),
      payloads[0]);
}

TEST(LoginRequest, HasUserAndPasswordLeftJustifiedSessionAndSequenceRightJustified) {
  const std::string request = login_request(
      SoupVersion::k400, {.username = "u", .password = "p", .session = "S1", .sequence = 18'446'744'073'709'551'615U});
  ASSERT_EQ(request.size(), 49U);
  EXPECT_EQ(request.substr(0, 3), (std::string{"\0\x2FL", 3}));
  EXPECT_EQ(request.substr(3, 6), "u     ");
  EXPECT_EQ(request.substr(9, 10), "p         ");
  EXPECT_EQ(request.substr(19, 10), "        S1");
  EXPECT_EQ(request.substr(29, 20), "18446744073709551615");
}

TEST(LoginRequest, HasA4Point1TimeoutOnlyThere) {
  const Login login{.username = "u", .password = "p", .session = "", .sequence = 1, .heartbeat_timeout_ms = 15'000};
  EXPECT_EQ(login_request(SoupVersion::k300, login), login_request(SoupVersion::k400, login));
  const std::string request = login_request(SoupVersion::k410, login);
  ASSERT_EQ(request.size(), 54U);
  EXPECT_EQ(request.substr(0, 2), (std::string{"\0\x34", 2}));
  EXPECT_EQ(request.substr(49), "15000");
  EXPECT_EQ(request.substr(2, 47), login_request(SoupVersion::k300, login).substr(2));
}

TEST(LoginRequest, KeepsItsLengthWhateverIsAskedFor) {
  const Login login{.username = "longer than six",
                    .password = "longer than ten",
                    .session = "longer than ten",
                    .sequence = 1,
                    .heartbeat_timeout_ms = 4'000'000'000U};
  const std::string request = login_request(SoupVersion::k410, login);
  ASSERT_EQ(request.size(), 54U);
  EXPECT_EQ(request.substr(49), "99999");
  EXPECT_EQ(login_request(SoupVersion::k300, login).size(), 49U);
}

TEST(ClientPackets, AreThreeBytes) {
  EXPECT_EQ(client_heartbeat(), (std::string_view{"\0\1R", 3}));
  EXPECT_EQ(logout_request(), (std::string_view{"\0\1O", 3}));
}

std::optional<Accepted> parse(std::string_view payload) { return parse_accepted(as_bytes(payload)); }
std::string payload(std::string_view session, std::string_view sequence) {
  return std::string{session} + std::string{sequence};
}

// An answer that a real exchange gave, byte by byte.
TEST(LoginAccepted, IsReadAsARealExchangeSentIt) {
  const auto accepted = parse("1689192121" + std::string(17, ' ') + "135");
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->session, "1689192121");
  EXPECT_EQ(accepted->sequence, 135U);
}

TEST(LoginAccepted, IsReadWithPaddingOnEitherSide) {
  for (const std::string session : {"        S1", "S1        ", "   S1     "}) {
    for (const std::string sequence : {"                   7", "7                   ", "00000000000000000007"}) {
      const auto accepted = parse(payload(session, sequence));
      ASSERT_TRUE(accepted) << session << sequence;
      EXPECT_EQ(accepted->session, "S1");
      EXPECT_EQ(accepted->sequence, 7U);
    }
  }
}

TEST(LoginAccepted, IsRefusedWithoutANumber) {
  const std::string session = "        S1";
  for (const std::string_view sequence :
       {"                    ", "                  -1", "                  +1", "                  1x",
        "                1 2 ", "99999999999999999999", "                 0x1", "                 1.0"}) {
    EXPECT_FALSE(parse(payload(session, sequence))) << sequence;
  }
  EXPECT_FALSE(parse(session + std::string(20, '\0')));
}

TEST(LoginAccepted, IsRefusedWithAWrongLength) {
  const std::string good = payload("        S1", "                   7");
  EXPECT_TRUE(parse(good));
  EXPECT_FALSE(parse(good.substr(1)));
  EXPECT_FALSE(parse(good + " "));
  EXPECT_FALSE(parse(""));
}

// The name goes into logs, headers and the next login.
TEST(LoginAccepted, IsRefusedWithAnUnprintableSession) {
  for (const char byte : {'\0', '\n', '\x1B', '\x7F', '\xC3'}) {
    std::string session = "        S1";
    session[3] = byte;
    EXPECT_FALSE(parse(payload(session, "                   7")));
  }
}

TEST(LoginAccepted, SurvivesAnyBytes) {
  std::mt19937_64 random{tests::seed()};
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes(i % 3 == 0 ? random() % 40 : 30, ' ');
    for (char& byte : bytes) {
      if (random() % 2 == 0) byte = static_cast<char>(random() % 4 == 0 ? random() : '0' + random() % 10);
    }
    const auto accepted = parse(bytes);
    ASSERT_TRUE(!accepted || accepted->session.size() <= 10);
  }
}

}  // namespace
}  // namespace tickbridge::codec::soup
