#include "config/rules_tls.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "config/helpers.h"

namespace tickbridge::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A file that can be read; what is in it does not matter here.
struct RulesTls : testing::Test {
  RulesTls() { std::ofstream{file} << "x"; }
  ~RulesTls() override { std::remove(file.c_str()); }
  std::string feed(const std::string& lines) const { return fmt::format("{}{}\n", kFeed, filled(lines)); }
  std::string http(const std::string& lines) const { return fmt::format("{}[http]\n{}\n", kFeed, filled(lines)); }
  std::string filled(std::string text) const {
    for (std::size_t at = 0; (at = text.find("FILE", at)) != std::string::npos;) text.replace(at, 4, file);
    return text;
  }
  std::string file = fmt::format("{}/rules_tls_{}", testing::TempDir(), ::getpid());  // tests run beside each other
};

TEST_F(RulesTls, TakeTlsToTheExchange) {
  EXPECT_FALSE(accepted(feed("")).feeds[0].net.tls.on);
  const auto config =
      accepted(feed("tls = true\ntls_ca_file = \"FILE\"\ntls_certificate_file = \"FILE\"\ntls_key_file = \"FILE\"\n"
                    "tls_server_name = \"a.example\""));
  const net::TlsOptions& tls = config.feeds[0].net.tls;
  EXPECT_TRUE(tls.on && tls.verify);
  EXPECT_EQ(tls.ca_file, file);
  EXPECT_EQ(tls.server_name, "a.example");
  EXPECT_FALSE(accepted(feed("tls = true\ntls_verify = false")).feeds[0].net.tls.verify);
  EXPECT_EQ(refusal(feed("tls = true\ntls_server_name = \"::1\"")), "");
}

TEST_F(RulesTls, RefuseTlsOptionsWithoutTls) {
  for (const auto* const option : {"tls_ca_file = \"FILE\"", "tls_certificate_file = \"FILE\"",
                                   "tls_key_file = \"FILE\"", "tls_server_name = \"a\"", "tls_verify = false"}) {
    EXPECT_THAT(refusal(feed(option)), AllOf(HasSubstr("t.toml:3"), HasSubstr("contradicts feed.a.tls = false"),
                                             HasSubstr("set tls = true or leave it out")))
        << option;
  }
}

TEST_F(RulesTls, RefuseHalfAPair) {
  EXPECT_THAT(refusal(feed("tls = true\ntls_certificate_file = \"FILE\"")), HasSubstr("set both or none"));
  EXPECT_THAT(refusal(feed("tls = true\ntls_key_file = \"FILE\"")), HasSubstr("set both or none"));
  EXPECT_THAT(refusal(http("tls_certificate_file = \"FILE\"")), HasSubstr("set both or none"));
  EXPECT_THAT(refusal(http("tls_key_file = \"FILE\"")), HasSubstr("set both or none"));
}

TEST_F(RulesTls, RefuseAuthoritiesThatNobodyIsComparedWith) {
  EXPECT_THAT(refusal(feed("tls = true\ntls_ca_file = \"FILE\"\ntls_verify = false")),
              HasSubstr("leave one of them out"));
}

TEST_F(RulesTls, RefuseFilesThatCannotBeRead) {
  for (const auto* const key : {"tls_ca_file", "tls_certificate_file", "tls_key_file"}) {
    EXPECT_THAT(refusal(feed(fmt::format("tls = true\n{} = \"/nonexistent/file\"", key))),
                AllOf(HasSubstr(fmt::format("feed.a.{}", key)), HasSubstr("cannot be read")));
  }
  for (const auto* const key : {"token_file", "tls_certificate_file", "tls_key_file", "tls_client_ca_file"}) {
    EXPECT_THAT(refusal(http(fmt::format("{} = \"/tmp\"", key))),
                AllOf(HasSubstr(fmt::format("http.{}", key)), HasSubstr("cannot be read")));
  }
}

TEST_F(RulesTls, RefuseServerNamesThatAreNone) {
  for (const auto* const bad : {"a b", "a/b", "[::1]", "a,b"}) {
    EXPECT_NE(refusal(feed(fmt::format("tls = true\ntls_server_name = \"{}\"", bad))), "") << bad;
  }
}

TEST_F(RulesTls, KeepHttpOnLoopbackUnlessWhoAsksIsKnown) {
  const std::string tls = "\ntls_certificate_file = \"FILE\"\ntls_key_file = \"FILE\"";
  for (const auto* const inside : {"127.0.0.1:1", "127.8.9.10:1", "localhost:1", "[::1]:1", ""}) {
    EXPECT_EQ(refusal(http(fmt::format("listen = \"{}\"", inside))), "") << inside;
  }
  for (const auto* const outside : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "feed7.example:1", "127.0.0.1.example:1"}) {
    const std::string listen = fmt::format("listen = \"{}\"", outside);
    const std::string told = refusal(http(listen));
    EXPECT_THAT(told, AllOf(HasSubstr("http.token_file"), HasSubstr("http.tls_client_ca_file"),
                            HasSubstr("http.anonymous = true")))
        << outside;
    EXPECT_NE(refusal(http(listen + tls)), "") << "TLS alone asks nobody";
    EXPECT_EQ(refusal(http(listen + "\ntoken_file = \"FILE\"")), "");
    EXPECT_EQ(refusal(http(listen + tls + "\ntls_client_ca_file = \"FILE\"")), "");
    EXPECT_EQ(refusal(http(listen + "\nanonymous = true")), "");
  }
}

TEST_F(RulesTls, RefuseToAskAndNotToAsk) {
  EXPECT_THAT(refusal(http("token_file = \"FILE\"\nanonymous = true")), HasSubstr("leave one of them out"));
  EXPECT_THAT(refusal(http("tls_client_ca_file = \"FILE\"")), HasSubstr("set http.tls_certificate_file"));
}

}  // namespace
}  // namespace tickbridge::config
