#include "journal/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <regex>

#include "support/seed.h"

namespace tickbridge::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Checkpoint sample() {
  Checkpoint out;
  out.feed = "nasdaq";
  out.epoch = 7;
  out.number = 12;
  out.instance = "host:4711";
  out.session = "S1        ";
  out.next_sequence = std::numeric_limits<std::uint64_t>::max();
  out.topic = "ticks";
  out.partitions = {{.position = {41, 2}, .offset = 100, .hash = 0xFEDCBA9876543210U, .markers = 3, .gap = true},
                    {.position = {}, .offset = -1, .hash = 0, .markers = 0, .gap = false}};
  out.partitions[1].strangers_to = 17;
  out.state = {
      .midnight_ms = 1577682000000, .last_timestamp_ms = -5, .turn = 3, .mold_session = "M", .mold_expected = 9};
  out.state_epoch_floor = 6;
  out.interval_ms = 500;
  out.parameters = {{"partitions", "2"}, {"key", "symbol"}};
  out.decision = "gap: \"quoted\"";
  out.session_ended = true;
  out.left = {{"S9", 1, 5}, {"S \xFF", 18446744073709551615U, -1}};
  out.strangers = {{0, 3, 9}, {1, 9007199254740993, 9007199254740993}};
  out.clean = true;
  return out;
}

std::string without(std::string text, std::string_view member, std::string_view instead) {
  const std::size_t at = text.find(member);
  EXPECT_NE(at, std::string::npos) << member;
  return text.replace(at, member.size(), instead);
}

TEST(Checkpoint, ComesBackFromJson) {
  const Result<Checkpoint> read = parse_checkpoint(to_json(sample()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, sample());
}

TEST(Checkpoint, IsWrittenAsThePageSays) {
  EXPECT_EQ(
      to_json(sample()),
      R"({"feed":"nasdaq","epoch":7,"number":12,"instance":"host:4711","session":"S1        ",)"
      R"("next_sequence":18446744073709551615,"topic":"ticks","partitions":[)"
      R"({"topic":"ticks","partition":0,"session":"S1        ","sequence":41,"index":2,"offset":100,)"
      R"("hash":"fedcba9876543210","markers":3,"gap":true},)"
      R"({"topic":"ticks","partition":1,"session":"S1        ","sequence":0,"index":0,"offset":-1,)"
      R"("hash":"0000000000000000","markers":0,"strangers_to":17}],)"
      R"("state":{"midnight_ms":1577682000000,"last_timestamp_ms":-5,"turn":3,"mold_session":"M","mold_expected":9},)"
      R"("state_epoch_floor":6,"parameters":{"key":"symbol","partitions":"2"},"interval_ms":500,)"
      R"("decision":"gap: \"quoted\"","session_ended":true,)"
      R"("left":[["S9",1,5],["S )"
      "\xC3\xBF"
      R"(",18446744073709551615,-1]],"strangers":[[0,3,9],[1,9007199254740993,9007199254740993]],"clean":true})");
}

TEST(Page, NamesEachMember) {
  std::ifstream file{TICKBRIDGE_SOURCE_DIR "/docs/wire/checkpoint.md"};
  const std::string page{std::istreambuf_iterator<char>{file}, {}};
  ASSERT_FALSE(page.empty());
  Checkpoint checkpoint = sample();
  checkpoint.settled = true;
  checkpoint.parameters.clear();
  const std::regex member{"\"([a-z_]+)\":"};
  for (const std::string& text : {to_json(checkpoint), to_json(StateBatch{})}) {
    for (std::sregex_iterator at{text.begin(), text.end(), member}, end; at != end; ++at) {
      EXPECT_THAT(page, HasSubstr("`" + (*at)[1].str() + "`"));
    }
  }
}

TEST(Checkpoint, KeepsAnyByteOfTheExchange) {
  Checkpoint odd = sample();
  odd.session.clear();
  for (int byte = 0; byte < 256; ++byte) odd.session += static_cast<char>(byte);
  odd.state.mold_session = "\xFF\x80\x7F";
  const Result<Checkpoint> read = parse_checkpoint(to_json(odd));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, odd);
}

TEST(Checkpoint, PassesOverMembersOfNewerVersions) {
  const Result<Checkpoint> read = parse_checkpoint(without(to_json(sample()), "{", "{\"newer\":[1,{}],"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, sample());
}

TEST(Checkpoint, NamesWhatIsMissingOrWrong) {
  const auto problem = [](std::string_view member, std::string_view instead) {
    const Result<Checkpoint> read = parse_checkpoint(without(to_json(sample()), member, instead));
    EXPECT_FALSE(read);
    return read ? std::string{} : read.error().message;
  };
  EXPECT_THAT(problem("\"epoch\":7", "\"epocx\":7"), HasSubstr("\"epoch\" is missing"));
  EXPECT_THAT(problem("\"epoch\":7", "\"epoch\":-7"), HasSubstr("\"epoch\" is no whole number"));
  EXPECT_THAT(problem("\"offset\":100", "\"offset\":\"x\""), HasSubstr("\"partitions[0].offset\""));
  EXPECT_THAT(problem("\"partition\":1", "\"partition\":5"), HasSubstr("\"partitions[1].partition\" is out of order"));
  EXPECT_THAT(problem("fedcba9876543210", "fedcba987654321g"), HasSubstr("\"partitions[0].hash\""));
  EXPECT_THAT(problem("\"clean\":true", "\"clean\":1"), HasSubstr("\"clean\""));
  EXPECT_THAT(problem("\"clean\":true", "\"clean\":true,\"settled\":1"), HasSubstr("\"settled\""));
  EXPECT_THAT(problem("\"left\":[[\"S9\",1,5]", "\"left\":[[\"S9\",1]"), HasSubstr("\"left\""));
  EXPECT_THAT(problem("\"left\":[[\"S9\",1,5]", "\"left\":[[\"S9\",-1,5]"), HasSubstr("\"left\""));
  for (const char* wrong : {"[0,9]", "[0,9,3]", "[0,-1,9]", "[\"0\",3,9]", "7"}) {
    EXPECT_THAT(problem("[0,3,9]", wrong), HasSubstr("\"strangers\"")) << wrong;
  }
  EXPECT_THAT(problem("}", ""), HasSubstr("no JSON"));
}

TEST(Checkpoint, RefusesDamagedTextWithoutFalling) {
  std::mt19937_64 random{tests::seed()};
  const std::string whole = to_json(sample());
  for (int round = 0; round < 2'000; ++round) {
    std::string text = whole.substr(0, random() % (whole.size() + 1));
    for (int i = 0; i < 3 && !text.empty(); ++i) text[random() % text.size()] = static_cast<char>(random());
    (void)parse_checkpoint(text);
    (void)parse_state(text);
  }
}

TEST(LeftSessions, AreTheNewestEachOnce) {
  std::vector<LeftSession> left;
  for (int i = 0; i < 20; ++i) leave(left, {"S" + std::to_string(i), 2, 0});
  leave(left, {"S7", 5, 0});
  leave(left, {"nothing of it came", 1, 0});
  EXPECT_EQ(left.size(), 16U);
  EXPECT_EQ(find_left(left, "S3", 0), nullptr);
  ASSERT_NE(find_left(left, "S7", 0), nullptr);
  EXPECT_EQ(find_left(left, "S7", 86'400'000), nullptr) << "another day's";
  EXPECT_EQ(find_left(left, "S7", 0)->next_sequence, 5U);
  EXPECT_EQ(left.back().session, "S7");
}

TEST(Checkpoint, HasAKeyAnEpoch) {
  EXPECT_EQ(checkpoint_key("nasdaq", 7), "nasdaq/7");
  EXPECT_EQ(state_key("nasdaq", 7, 3), "nasdaq/7/3");
}

StateBatch batch(std::uint64_t epoch, std::vector<StateEntry> entries, std::string session = "S1") {
  return {.feed = "nasdaq", .session = std::move(session), .epoch = epoch, .number = 1, .entries = std::move(entries)};
}

StateEntry entry(std::uint64_t sequence, std::uint16_t instrument, std::string key, bool sticky = false) {
  return {.position = {sequence, 0}, .instrument = instrument, .key = std::move(key), .sticky = sticky};
}

TEST(StateBatch, ComesBackFromJson) {
  const StateBatch before = batch(3, {entry(1, 65'535, "AAPL"), entry(9, 2, "#2", true), entry(10, 3, "\xFF\xC3")});
  const Result<StateBatch> read = parse_state(to_json(before));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, before);
}

TEST(StateBatch, IsWrittenAsThePageSays) {
  EXPECT_EQ(to_json(batch(2, {entry(3, 1, "A", true)})),
            R"({"feed":"nasdaq","session":"S1","epoch":2,"number":1,"entries":[[3,0,1,"A",true]]})");
}

TEST(StateBatch, NamesAnEntryThatIsWrong) {
  const std::string text = without(to_json(batch(3, {entry(1, 7, "AAPL")})), "[1,0,7", "[1,0,65536");
  const Result<StateBatch> read = parse_state(text);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("\"entries\""));
}

TEST(EntriesBefore, LeavesOutWhatWasLearntLater) {
  const auto entries = entries_before({batch(1, {entry(1, 1, "A"), entry(4, 1, "B"), entry(5, 2, "C")})}, "S1", 5);
  EXPECT_THAT(entries, ElementsAre(entry(1, 1, "A"), entry(4, 1, "B")));
}

TEST(EntriesBefore, PutsTheLastOneLastAcrossEpochs) {
  const auto entries =
      entries_before({batch(2, {entry(3, 1, "B")}), batch(1, {entry(1, 1, "A"), entry(3, 1, "B")})}, "S1", 9);
  EXPECT_THAT(entries, ElementsAre(entry(1, 1, "A"), entry(3, 1, "B")));
}

TEST(EntriesBefore, KnowsOneSessionFromAnother) {
  EXPECT_TRUE(entries_before({batch(1, {entry(1, 1, "A")}, "S0")}, "S1", 9).empty());
  EXPECT_TRUE(entries_before({batch(1, {entry(1, 1, "A")})}, "S1", 9, 2).empty());
}

TEST(Gone, IsWhatAnotherSessionOrAnEpochBelowTheFloorHasLearnt) {
  EXPECT_FALSE(gone(batch(2, {}), "S1", 2));
  EXPECT_TRUE(gone(batch(1, {}), "S1", 2));
  EXPECT_TRUE(gone(batch(3, {}, "S0"), "S1", 2));
}

}  // namespace
}  // namespace tickbridge::journal
