#include "ops/http_access.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>

namespace tickbridge::ops {
namespace {

using testing::HasSubstr;

struct HttpAccessTest : testing::Test {
  ~HttpAccessTest() override { std::remove(path.c_str()); }
  Result<HttpAccess> with(const std::string& content) const {
    std::ofstream{path} << content;
    HttpOptions options;
    options.token_file = path;
    return HttpAccess::create(options);
  }
  std::string path = testing::TempDir() + "/http_access_token";
};

TEST_F(HttpAccessTest, LetsEverybodyInWithoutAToken) {
  const auto access = HttpAccess::create({});
  ASSERT_TRUE(access);
  EXPECT_FALSE(access->needs_token());
  EXPECT_TRUE(access->admits(""));
}

TEST_F(HttpAccessTest, TakesTheTokenAsBearerAndAsAnybodysPassword) {
  const auto access = with("0123456789abcdef\n");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_TRUE(access->needs_token());
  for (const auto* const right : {
           "Bearer 0123456789abcdef", "bearer  0123456789abcdef",
           "Basic dXNlcjowMTIzNDU2Nzg5YWJjZGVm",  // user:0123456789abcdef
           "basic OjAxMjM0NTY3ODlhYmNkZWY=",      // :0123456789abcdef
       }) {
    EXPECT_TRUE(access->admits(right)) << right;
  }
}

TEST_F(HttpAccessTest, TakesNothingElse) {
  const auto access = with("0123456789abcdef");
  ASSERT_TRUE(access);
  for (const std::string wrong :
       {"", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdeF", "Bearer 0123456789abcdef0",
        "Bearer 0123456789abcdef ", "0123456789abcdef", "Token 0123456789abcdef", "Basic 0123456789abcdef",
        "Basic MDEyMzQ1Njc4OWFiY2RlZg==",  // without a colon
        "Basic MDEyMzQ1Njc4OWFiY2RlZjp4",  // as the user
        "Basic =", "Basic ====", "Basic dXNl", "Basic dXNlcjow\xff\xff\xff\xff", "Basic dXNlcj"}) {
    EXPECT_FALSE(access->admits(wrong)) << wrong;
  }
  EXPECT_FALSE(access->admits("Basic " + std::string(1'000'000, 'A')));
}

TEST_F(HttpAccessTest, RefusesFilesWithoutATokenWorthTheName) {
  for (const std::string bad : {"", "\n", "short\n", "with a blank in the middle\n", "with-a-\x01-control-letter\n"}) {
    const auto access = with(bad);
    ASSERT_FALSE(access) << bad;
    EXPECT_EQ(access.error().code, ExitCode::kConfig);
    EXPECT_THAT(access.error().message, HasSubstr("http.token_file"));
    EXPECT_THAT(access.error().message, testing::Not(HasSubstr("control-letter"))) << "what it holds is a secret";
  }
  EXPECT_FALSE(with(std::string(5000, 'x')));
  HttpOptions missing;
  missing.token_file = "/nonexistent/token";
  EXPECT_FALSE(HttpAccess::create(missing));
}

TEST_F(HttpAccessTest, OpensOnlyWhatTellsNothing) {
  EXPECT_TRUE(HttpAccess::is_open("/healthz"));
  EXPECT_TRUE(HttpAccess::is_open("/readyz?x=1"));
  for (const auto* const target :
       {"/", "/metrics", "/api/status", "/healthz/", "/healthz/../metrics", "//healthz", ""}) {
    EXPECT_FALSE(HttpAccess::is_open(target)) << target;
  }
}

}  // namespace
}  // namespace tickbridge::ops
