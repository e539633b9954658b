#include "exchange/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tickbridge::exchange {
namespace {

using testing::HasSubstr;

Arguments parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "tickbridge-exchange");
  return parse_arguments(static_cast<int>(words.size()), words.data());
}

TEST(Arguments, TakeTheContractsFlags) {
  const Arguments arguments = parsed({"--generate",
                                      "100",
                                      "--seed",
                                      "3",
                                      "--symbols",
                                      "7",
                                      "--transport",
                                      "frames",
                                      "--frames-magic",
                                      "BABA",
                                      "--frames-length-offset",
                                      "2",
                                      "--frames-header-bytes",
                                      "4",
                                      "--frames-byte-order",
                                      "little",
                                      "--compression",
                                      "zlib-auto",
                                      "--payload",
                                      "block",
                                      "--rate",
                                      "10",
                                      "--once",
                                      "--fault",
                                      "cut:5",
                                      "--fault",
                                      "slice:1"});
  ASSERT_TRUE(arguments.run) << arguments.text;
  EXPECT_EQ(arguments.options.generate.messages, 100U);
  EXPECT_EQ(arguments.options.wire.seed, 3U);
  EXPECT_EQ(arguments.options.wire.frames.magic, "\xBA\xBA");
  EXPECT_EQ(arguments.options.wire.compression, Compression::kZlibAuto);
  EXPECT_EQ(arguments.options.faults.cut_packets, 5U);
  EXPECT_EQ(arguments.options.faults.slice_bytes, 1U);
  EXPECT_TRUE(arguments.options.exit_when_served);
}

TEST(Arguments, AreRefusedWithTheUsageCode) {
  const std::vector<std::vector<const char*>> wrong = {
      {},
      {"--generate", "5", "--file", "/dev/null"},
      {"--generate", "5", "--rate", "5", "--pace", "2"},
      {"--generate", "5", "--transport", "smoke"},
      {"--generate", "5", "--fault", "explode"},
      {"--generate", "5", "--no-serve"},
      {"--generate", "5", "--session", "elevenchars"},
      {"--generate", "5", "--fault", "bomb@5"},
      {"--generate", "5", "--transport", "frames", "--fault", "repeat:5"},
      {"--generate", "5", "--transport", "frames", "--frames-length-offset", "1"},
      {"--generate", "5", "--transport", "frames", "--frames-magic", "BAB"},
      {"--generate", "5", "--transport", "frames", "--frames-magic", "BABA"},
      {"--file", "/nowhere"},
  };
  for (const auto& words : wrong) {
    const Arguments arguments = parsed(words);
    EXPECT_FALSE(arguments.run);
    EXPECT_EQ(arguments.exit_code, 64);
    EXPECT_FALSE(arguments.text.empty());
  }
}

TEST(Arguments, ExplainEveryFault) {
  const Arguments arguments = parsed({"--help"});
  EXPECT_EQ(arguments.exit_code, 0);
  for (const char* kind : {"cut:N", "slice", "stall:", "silent-login", "garbage", "repeat:N", "skip:N", "reject:A|S",
                           "other-session", "end@SEQ", "truncate-zlib@SEQ", "bomb@SEQ", "bad-length", "invalid:EVERY",
                           "unsequenced:EVERY", "debug:EVERY"}) {
    EXPECT_THAT(arguments.text, HasSubstr(kind));
  }
}

}  // namespace
}  // namespace tickbridge::exchange
