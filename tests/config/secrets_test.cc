// Secrets: where they come from, and that they go nowhere else.
#include "config/secrets.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/helpers.h"
#include "config/table.h"

namespace tickbridge::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// A folder of files for one test.
class Secrets : public testing::Test {
 protected:
  Secrets() {
    std::string name = "/tmp/tickbridge-secrets-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    ::unsetenv("CREDENTIALS_DIRECTORY");
  }
  ~Secrets() override {
    std::filesystem::remove_all(folder_);
    ::unsetenv("CREDENTIALS_DIRECTORY");
  }

  std::string file(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = folder_ + "/" + name;
    std::ofstream{path} << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  static std::string producer(std::string_view lines) { return fmt::format("{}[producer]\n{}\n", kFeed, lines); }

  /// The configuration with its secrets read.
  Config taken(const std::string& toml, std::vector<std::string> set = {}) {
    Config config = accepted(toml, std::move(set));
    const auto warnings = take_secrets(config, "");
    EXPECT_TRUE(warnings) << (warnings ? "" : warnings.error().message);
    return config;
  }
  /// What is wrong with its secrets.
  static std::string wrong(const std::string& toml, const std::string& config_file = "") {
    Config config = accepted(toml);
    const auto warnings = take_secrets(config, config_file);
    if (warnings) return "nothing is wrong";
    EXPECT_EQ(warnings.error().code, ExitCode::kConfig);
    return warnings.error().message;
  }
  static std::vector<std::string> warnings(const std::string& toml, const std::string& config_file = "") {
    Config config = accepted(toml);
    const auto told = take_secrets(config, config_file);
    EXPECT_TRUE(told) << (told ? "" : told.error().message);
    return told ? *told : std::vector<std::string>{};
  }

  std::string folder_;
};

TEST_F(Secrets, ComeFromAFileWithoutItsLineEnd) {
  for (const char* const text : {"hunter2", "hunter2\n", "hunter2\r\n", "hunter2\nmore\n"}) {
    const std::string toml = producer(fmt::format("\"sasl.password_file\" = \"{}\"", file("p", text)));
    EXPECT_EQ(taken(toml).producer.properties.at("sasl.password"), "hunter2") << text;
  }
  const std::string key = producer(
      fmt::format("\"ssl.key.pem_file\" = \"{}\"\n\"ssl.certificate.pem\" = \"c\"", file("k", "line 1\nline 2\n")));
  EXPECT_EQ(taken(key).producer.properties.at("ssl.key.pem"), "line 1\nline 2");
}

TEST_F(Secrets, OfEveryPropertyHaveAFileForm) {
  const std::string path = file("p", "x");
  for (const Option& option : options()) {
    if (!option.secret || option.library == "sasl.jaas.config") continue;
    const std::string pair = option.library.ends_with("key.pem") ? "\n\"ssl.certificate.pem\" = \"c\"" : "";
    if (option.library == "ssl.ca.pem" || option.library == "ssl.certificate.pem") continue;  // no secrets
    const std::string name{option.library};
    EXPECT_EQ(taken(producer(fmt::format("\"{}_file\" = \"{}\"{}", name, path, pair))).producer.properties.at(name),
              "x");
    const auto own = producer(fmt::format("librdkafka.\"{}_file\" = \"{}\"{}", name, path, pair));
    EXPECT_EQ(taken(own).producer.properties.at(name), "x") << name;
  }
}

TEST_F(Secrets, ComeFromCredentialsOfSystemd) {
  const std::string toml = producer("\"sasl.password_file\" = \"credential:kafka\"");
  EXPECT_THAT(wrong(toml), AllOf(StartsWith("t.toml:4: producer.sasl.password_file"),
                                 HasSubstr("CREDENTIALS_DIRECTORY"), HasSubstr("LoadCredential=kafka:")));
  file("kafka", "hunter2\n", 0400);
  ::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  EXPECT_EQ(taken(toml).producer.properties.at("sasl.password"), "hunter2");
  EXPECT_THAT(wrong(producer("\"sasl.password_file\" = \"credential:other\"")),
              AllOf(HasSubstr("credential:other"), HasSubstr(folder_ + "/other"), HasSubstr("No such file")));
  EXPECT_THAT(wrong(producer("\"sasl.password_file\" = \"credential:../x\"")), HasSubstr("names no credential"));
  const std::string key =
      producer("\"ssl.key.location\" = \"credential:kafka\"\n\"ssl.certificate.location\" = \"credential:kafka\"");
  EXPECT_EQ(taken(key).producer.properties.at("ssl.key.location"), folder_ + "/kafka");
}

TEST_F(Secrets, ThatCannotBeReadAreNamedByOptionFileAndLine) {
  const auto said = [&](const std::string& path) {
    return wrong(producer(fmt::format("\"sasl.password_file\" = \"{}\"", path)));
  };
  EXPECT_THAT(said("/nonexistent/p"),
              AllOf(StartsWith("t.toml:4: producer.sasl.password_file = \"/nonexistent/p\" cannot be read"),
                    HasSubstr("No such file")));
  EXPECT_THAT(said(folder_), HasSubstr("cannot be read: Is a directory"));
  EXPECT_THAT(said(file("e", "")), HasSubstr("is empty"));
  EXPECT_THAT(said(file("n", "\n")), HasSubstr("is empty"));
  EXPECT_THAT(said(file("s", "\nx\n")), HasSubstr("has an empty first line"));
  EXPECT_THAT(said("/dev/zero"), HasSubstr("File too large"));
}

TEST_F(Secrets, OfAFeedAreLookedAtToo) {
  const auto with = [](const std::string& path) { return fmt::format("{}password_file = \"{}\"\n", kFeed, path); };
  EXPECT_THAT(wrong(with("/nonexistent/p")),
              StartsWith("t.toml:3: feed.a.password_file = \"/nonexistent/p\" cannot be"));
  EXPECT_THAT(wrong(with(folder_)), HasSubstr("cannot be read"));
  EXPECT_THAT(wrong(with("credential:feed")), HasSubstr("LoadCredential=feed:"));
  EXPECT_THAT(warnings(with(file("p", "x"))), IsEmpty());
  EXPECT_THAT(warnings(with(file("p", "x", 0644))), ElementsAre(HasSubstr("chmod o-r " + folder_ + "/p")));
}

TEST_F(Secrets, OfHttpAndOfTlsCanBeCredentialsToo) {
  const std::string toml =
      "[http]\ntoken_file = \"credential:token\"\ntls_certificate_file = \"credential:cert\"\n"
      "tls_key_file = \"credential:key\"\n" +
      std::string{kFeed};
  EXPECT_THAT(wrong(toml), AllOf(HasSubstr("t.toml:2: http.token_file"), HasSubstr("LoadCredential=token:"),
                                 HasSubstr("http.tls_certificate_file"), HasSubstr("http.tls_key_file")));
  file("token", "0123456789abcdef0123456789abcdef\n");
  file("cert", "PEM", 0644);
  file("key", "PEM", 0644);
  ::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  EXPECT_THAT(warnings(toml), ElementsAre(HasSubstr("http.tls_key_file")));  // a certificate is for everybody
  EXPECT_EQ(taken(toml).http.token_file, folder_ + "/token");
}

TEST_F(Secrets, ThatAllMayReadAreWarnedOf) {
  const std::string open = file("open", "hunter2\n", 0644);
  EXPECT_THAT(warnings(producer(fmt::format("\"sasl.password_file\" = \"{}\"", open))),
              ElementsAre(AllOf(StartsWith("t.toml:4: producer.sasl.password_file"), HasSubstr("chmod o-r " + open),
                                Not(HasSubstr("hunter")))));
  const std::string key =
      fmt::format("\"ssl.certificate.location\" = \"{}\"\n\"ssl.key.location\" = \"{}\"", open, open);
  EXPECT_THAT(warnings(producer(key)), ElementsAre(HasSubstr("producer.ssl.key.location")));
  EXPECT_THAT(warnings(producer(fmt::format("\"sasl.password_file\" = \"{}\"", file("shut", "x")))), IsEmpty());
}

TEST_F(Secrets, InAConfigurationThatAllMayReadAreRefused) {
  for (const char* const lines : {"\"sasl.password\" = \"hunter2\"", "librdkafka.\"sasl.password\" = \"hunter2\"",
                                  "\"sasl.oauthbearer.client.secret\" = \"hunter2\""}) {
    EXPECT_THAT(warnings(producer(lines), file("shut", "", 0640)),
                ElementsAre(AllOf(StartsWith("t.toml:4: producer."), HasSubstr("_file"), Not(HasSubstr("hunter")))));
    EXPECT_THAT(wrong(producer(lines), file("open", "", 0644)),
                AllOf(StartsWith("t.toml:4: producer."), HasSubstr("chmod o-r " + folder_ + "/open"),
                      Not(HasSubstr("hunter"))));
  }
  EXPECT_THAT(warnings(producer("\"ssl.ca.pem\" = \"public\""), file("open", "", 0644)), IsEmpty());
}

TEST_F(Secrets, OnTheCommandLineAreRefused) {
  for (const char* const name : {"producer.sasl.password", "producer.ssl.key.pem", "producer.sasl.jaas.config",
                                 "producer.librdkafka.ssl.key.password"}) {
    EXPECT_THAT(refusal(kFeed, {fmt::format("{}=hunter2", name)}),
                AllOf(StartsWith(fmt::format("--set {}: {} is a secret", name, name)),
                      HasSubstr(fmt::format("{}_file", name)), Not(HasSubstr("hunter"))));
  }
  EXPECT_EQ(refusal(kFeed, {"producer.ssl.ca.pem=public"}), "");
  EXPECT_EQ(refusal(kFeed, {"producer.sasl.password_file=/p"}), "");
}

TEST_F(Secrets, AreSetOnceTheLaterLayerWins) {
  EXPECT_THAT(
      refusal(producer("\"sasl.password\" = \"hunter2\"\n\"sasl.password_file\" = \"/p\"")),
      AllOf(StartsWith("t.toml:5: producer.sasl.password_file sets the same as producer.sasl.password (t.toml:4)"),
            Not(HasSubstr("hunter"))));
  const Config config = taken(producer("\"sasl.password\" = \"hunter2\""),
                              {fmt::format("producer.sasl.password_file={}", file("p", "other"))});
  EXPECT_EQ(config.producer.properties.at("sasl.password"), "other");
}

TEST_F(Secrets, AreShownByTheirFilesNamesOnly) {
  const std::string path = file("p", "hunter2");
  Config config = accepted(producer(
      fmt::format("\"sasl.password_file\" = \"{}\"\nlibrdkafka.\"ssl.keystore.password_file\" = \"{}\"", path, path)));
  const std::string before = render(config);
  EXPECT_THAT(before, AllOf(testing::ContainsRegex("\"sasl.password_file\" = \"" + path + "\" +# t.toml:4"),
                            testing::ContainsRegex("\"ssl.keystore.password_file\" = \"" + path + "\" +# t.toml:5"),
                            HasSubstr("# \"sasl.password\" = \"\"")));
  ASSERT_TRUE(take_secrets(config, ""));
  EXPECT_EQ(render(config), before);
}

TEST_F(Secrets, ThatChangeTakeARestart) {
  const std::string toml = producer(fmt::format("\"sasl.password_file\" = \"{}\"", file("p", "one")));
  const Config before = taken(toml);
  file("p", "two");
  const auto found = differences(before, taken(toml));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].option, "producer.sasl.password");
  EXPECT_EQ(found[0].takes, Reload::kRestart);
}

TEST_F(Secrets, FilesOfTlsMustBeThere) {
  EXPECT_THAT(wrong(producer("\"ssl.ca.location\" = \"/nonexistent/ca.pem\"")),
              StartsWith("t.toml:4: producer.ssl.ca.location = \"/nonexistent/ca.pem\" cannot be read"));
  EXPECT_THAT(warnings(producer(fmt::format("\"ssl.ca.location\" = \"{}\"", folder_))), IsEmpty());  // a folder is fine
  EXPECT_THAT(wrong(producer(fmt::format("\"ssl.keystore.location\" = \"{}\"", folder_))), HasSubstr("cannot be read"));
  const std::string jks = file("k.jks", "\xfe\xed\xfe\xed\x00");
  EXPECT_THAT(wrong(producer(fmt::format("\"ssl.keystore.location\" = \"{}\"", jks))),
              AllOf(HasSubstr("is a Java keystore"), HasSubstr("keytool -importkeystore -srckeystore " + jks)));
  EXPECT_THAT(
      refusal(producer("\"ssl.truststore.location\" = \"t.jks\"")),
      AllOf(HasSubstr("keytool -list -rfc"), HasSubstr("openssl pkcs12"), HasSubstr("producer.ssl.ca.location")));
}

TEST_F(Secrets, AKeyNeedsItsCertificate) {
  EXPECT_THAT(refusal(producer("\"ssl.key.location\" = \"k\"")),
              AllOf(StartsWith("t.toml:4: producer.ssl.key.location"), HasSubstr("has no certificate")));
  EXPECT_THAT(refusal(producer("\"ssl.key.pem\" = \"hunter2\"")),
              AllOf(HasSubstr("has no certificate"), Not(HasSubstr("hunter"))));
  EXPECT_THAT(refusal(producer("librdkafka.\"ssl.key.pem\" = \"hunter2\"")),
              AllOf(HasSubstr("has no certificate"), Not(HasSubstr("hunter"))));
  EXPECT_THAT(refusal(producer("\"ssl.key.pem_file\" = \"k\"")),
              AllOf(StartsWith("t.toml:4: producer.ssl.key.pem_file"), HasSubstr("has no certificate")));
  EXPECT_THAT(refusal(producer("\"ssl.certificate.location\" = \"c\"")), HasSubstr("has no key"));
}

TEST_F(Secrets, OfJavasLoginLineAreUserAndPassword) {
  const std::string line =
      "org.apache.kafka.common.security.scram.ScramLoginModule required username=\\\"me\\\" password=\\\"a "
      "\\\\\\\"b\\\";";
  const Config config = taken(producer(fmt::format("\"sasl.jaas.config\" = \"{}\"", line)));
  EXPECT_EQ(config.producer.properties.at("sasl.username"), "me");
  EXPECT_EQ(config.producer.properties.at("sasl.password"), "a \"b");
  EXPECT_FALSE(config.producer.properties.contains("sasl.jaas.config"));
  const std::string in_file = file(
      "jaas", "org.apache.kafka.common.security.plain.PlainLoginModule required\n username='me'\n password='x';\n");
  const Config from = taken(producer(fmt::format("\"sasl.jaas.config_file\" = \"{}\"", in_file)));
  EXPECT_EQ(from.producer.properties.at("sasl.password"), "x");
  EXPECT_THAT(
      wrong(producer(fmt::format("\"sasl.jaas.config_file\" = \"{}\"\n\"sasl.username\" = \"me\"", in_file))),
      AllOf(StartsWith("t.toml:4: producer.sasl.jaas.config_file sets the same as producer.sasl.username (t.toml:5)")));
  EXPECT_THAT(render(accepted(producer(fmt::format("\"sasl.jaas.config\" = \"{}\"", line)))),
              AllOf(HasSubstr("\"sasl.jaas.config\" = \"***\""), Not(HasSubstr("me"
                                                                               "\\\""))));
}

TEST_F(Secrets, OfALoginLineThatCannotBeReadAreNotShown) {
  struct Case {
    const char* line;
    const char* said;
  };
  const Case cases[] = {
      {"nonsense", "cannot be read"},
      {"a.PlainLoginModule required password='hunter2'", "names a login module"},
      {"x.plain.PlainLoginModule required password='hunter2';", "has no username and password"},
      {"x.plain.PlainLoginModule required username='a' password='hunter2'", "cannot be read"},
      {"x.plain.PlainLoginModule required username='a' password='hunter2", "cannot be read"},
      {"x.plain.PlainLoginModule required username 'a' password='hunter2';", "cannot be read"},
      {"com.sun.security.auth.module.Krb5LoginModule required password='hunter2';", "sasl.kerberos"},
      {"x.oauthbearer.OAuthBearerLoginModule required clientSecret='hunter2';", "sasl.oauthbearer"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(
        refusal(producer(fmt::format("\"sasl.jaas.config\" = \"{}\"", c.line))),
        AllOf(StartsWith("t.toml:4: producer.sasl.jaas.config = *** "), HasSubstr(c.said), Not(HasSubstr("hunter"))))
        << c.line;
  }
}

TEST_F(Secrets, MechanismsIsJavasMechanism) {
  EXPECT_EQ(accepted(producer("\"sasl.mechanisms\" = \"PLAIN\"")).producer.properties.at("sasl.mechanism"), "PLAIN");
}

}  // namespace
}  // namespace tickbridge::config
