#include <fmt/format.h>

#include "config/generate.h"
#include "base/secret_name.h"
#include "config/helpers.h"
#include "config/java_names.h"
#include "config/table.h"

namespace tickbridge::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The rendering without its comments.
std::string bare(const std::string& rendered) {
  std::vector<std::string> lines = lines_of(rendered);
  for (std::string& line : lines) line = line.substr(0, line.find(" # "));
  return joined(lines);
}

constexpr std::string_view kMuch = R"(
shutdown_timeout = "0s"
[feed.a]
hosts = ["10.1.1.1:9000", "[::1]:9001"]
payload = "block"
start = 17
partitioner = "explicit"
partitions = { "BRK.A" = 3, "*" = 0 }
headers = ["sequence", "receive_time"]
delivery = "at_least_once"
[feed.a.soupbintcp]
version = "4.1"
[feed.b-2]
port = 9000
topic = "b"
transport = "frames"
delivery = "at_most_once"
when_full = "drop"
[feed.b-2.frames]
magic = "BABE"
byte_order = "little"
[producer]
linger.ms = 7
batch.size = 0
sasl.password = "hunter2"
sasl.mechanism = "PLAIN"
send.buffer.bytes = -1
[producer.librdkafka]
queue.buffering.backpressure.threshold = 1
message.send.max.retries = 9
sasl.oauthbearer.client.secret = "hunter3"
ssl.key.pem = "hunter4"
ssl.certificate.pem = "hunter5"
[topics]
create = true
config = { "min.insync.replicas" = "2" }
[log]
format = "json"
)";

TEST(Render, IsReadAgainToTheSame) {
  for (const std::string_view toml : {kMuch, kFeed}) {
    const Config once = accepted(toml);
    const std::string rendered = render(once);
    const Config twice = accepted(rendered);
    EXPECT_EQ(bare(render(twice)), bare(rendered));
    for (const Difference& difference : differences(once, twice)) {
      EXPECT_TRUE(is_secret_name(std::string_view{difference.option}.substr(sizeof "producer"))) << difference.option;
    }
  }
  EXPECT_TRUE(differences(accepted(kFeed), accepted(render(accepted(kFeed)))).empty());
}

TEST(Render, SaysWhereEachOptionCameFrom) {
  const std::string text = render(accepted("[feed.a]\nport = 9000\n[pipeline]\nworkers = 3\n", {"log.level=debug"}));
  EXPECT_THAT(text, testing::ContainsRegex("workers = 3 +# t.toml:4"));
  EXPECT_THAT(text, testing::ContainsRegex("level = \"debug\" +# --set log.level"));
  EXPECT_THAT(text, testing::ContainsRegex("hosts = .\"localhost:9000\". +# t.toml:2"));
  EXPECT_THAT(text, testing::ContainsRegex("task_bytes = 131072 +# default"));
  EXPECT_THAT(text, testing::ContainsRegex("# \"linger.ms\" = 5 +# the default"));
}

TEST(Render, HidesSecrets) {
  const std::string text = render(accepted(kMuch));
  EXPECT_THAT(text,
              AllOf(Not(HasSubstr("hunter")), HasSubstr("\"sasl.password\" = \"***\""),
                    HasSubstr("\"sasl.oauthbearer.client.secret\" = \"***\""), HasSubstr("\"ssl.key.pem\" = \"***\"")));
}

TEST(Render, NamesEveryOptionThatApplies) {
  const std::string text = render(accepted(kFeed));
  for (const Option& option : options()) {
    const std::string_view key = key_of(option.path);
    if (key == "host" || key == "port" || option.path.starts_with("feed.*.frames")) continue;
    EXPECT_THAT(text, testing::ContainsRegex(fmt::format("(^|\n)(# )?\"?{}\"? (=|is not set)", key))) << option.path;
  }
}

TEST(Render, GivesWhatTheGeneratedExampleSays) {
  const Config config = accepted(example());
  EXPECT_TRUE(differences(config, accepted("[feed.nasdaq]\nhosts = [\"localhost:9000\"]\n")).empty());
}

}  // namespace
}  // namespace tickbridge::config
