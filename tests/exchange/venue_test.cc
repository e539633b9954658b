// Who may log in and where a client begins: venue.h, pacer.h.
#include "exchange/venue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace tickbridge::exchange {
namespace {

using namespace std::chrono_literals;
using Kind = LoginAnswer::Kind;
const SteadyTime kNow{};

/// `count` BinaryFILE records, an hour apart.
std::vector<std::byte> hours(int count) {
  std::vector<std::byte> records;
  for (int n = 0; n < count; ++n) {
    std::vector<std::byte> record(2 + 12);
    store_be<std::uint16_t>(record, 0, 12);
    const std::uint64_t time = std::uint64_t{3'600'000'000'000} * static_cast<std::uint64_t>(n);
    store_be<std::uint16_t>(record, 7, static_cast<std::uint16_t>(time >> 32U));
    store_be<std::uint32_t>(record, 9, static_cast<std::uint32_t>(time));
    records.insert(records.end(), record.begin(), record.end());
  }
  return records;
}

class VenueTest : public testing::Test {
 protected:
  LoginAnswer ask(Venue& venue, std::uint64_t sequence, const std::string& session = {}, SteadyTime now = kNow) {
    LoginRequest request;
    request.session = session;
    request.sequence = sequence;
    return venue.login(request, now);
  }
  std::vector<std::byte> records_ = hours(20);
  Options options_;
};

TEST_F(VenueTest, BeginsWhereTheClientAsks) {
  Venue venue{records_, options_};
  EXPECT_EQ(ask(venue, 1).sequence, 1U);
  EXPECT_EQ(ask(venue, 7).sequence, 7U);
  EXPECT_EQ(ask(venue, 21).sequence, 21U);
  EXPECT_EQ(ask(venue, 99).sequence, 21U);
  EXPECT_EQ(ask(venue, 0).sequence, 20U);
}

TEST_F(VenueTest, ChecksNameAndPassword) {
  options_.username = "me";
  Venue venue{records_, options_};
  EXPECT_EQ(ask(venue, 1).kind, Kind::kRejected);
  LoginRequest request;
  request.username = "me";
  EXPECT_EQ(venue.login(request, kNow).kind, Kind::kAccepted);
}

TEST_F(VenueTest, RejectsASessionThatIsNotThere) {
  Venue venue{records_, options_};
  const LoginAnswer answer = ask(venue, 1, "OTHER");
  EXPECT_EQ(answer.kind, Kind::kRejected);
  EXPECT_EQ(answer.reason, 'S');
}

TEST_F(VenueTest, GoesOnToTheNextSessionAndLetsTheEndedOneBeJoinedAgain) {
  options_.sessions = 2;
  Venue venue{records_, options_};
  Session& first = venue.current();
  EXPECT_EQ(ask(venue, 1).session_name, "1000000001");
  venue.served(first);
  EXPECT_EQ(ask(venue, 1).session_name, "1000000002");
  EXPECT_EQ(ask(venue, 5, "1000000001").session, &first);
  EXPECT_FALSE(venue.all_served());
  venue.served(first);
  EXPECT_EQ(ask(venue, 1).session_name, "1000000002");
  venue.served(venue.current());
  EXPECT_TRUE(venue.all_served());
}

TEST_F(VenueTest, RejectsAsOftenAsTold) {
  ASSERT_FALSE(add_fault(options_.faults, "reject:S:2"));
  Venue venue{records_, options_};
  EXPECT_EQ(ask(venue, 1).reason, 'S');
  EXPECT_EQ(ask(venue, 1).kind, Kind::kRejected);
  EXPECT_EQ(ask(venue, 1).kind, Kind::kAccepted);
}

TEST_F(VenueTest, IsSilentAsOftenAsTold) {
  ASSERT_FALSE(add_fault(options_.faults, "silent-login:1"));
  Venue venue{records_, options_};
  EXPECT_EQ(ask(venue, 1).kind, Kind::kSilence);
  EXPECT_EQ(ask(venue, 1).kind, Kind::kAccepted);
}

TEST_F(VenueTest, AnswersWithAnotherSessionOnlyWhoNamesOne) {
  ASSERT_FALSE(add_fault(options_.faults, "other-session:1"));
  Venue venue{records_, options_};
  EXPECT_EQ(ask(venue, 1).session_name, "1000000001");
  EXPECT_EQ(ask(venue, 1, "1000000001").session_name, "1000000008");
  EXPECT_EQ(ask(venue, 1, "1000000001").session_name, "1000000001");
}

TEST_F(VenueTest, RepeatsAndSkips) {
  ASSERT_FALSE(add_fault(options_.faults, "repeat:3"));
  Venue repeating{records_, options_};
  EXPECT_EQ(ask(repeating, 10).sequence, 7U);
  EXPECT_EQ(ask(repeating, 2).sequence, 2U);
  options_.faults = {};
  ASSERT_FALSE(add_fault(options_.faults, "skip:3"));
  Venue skipping{records_, options_};
  EXPECT_EQ(ask(skipping, 1).sequence, 4U);
  EXPECT_EQ(ask(skipping, 3).sequence, 4U);
  EXPECT_EQ(ask(skipping, 9).sequence, 9U);
}

TEST_F(VenueTest, GivesAtARateOnlyWhatExists) {
  options_.rate = 2;
  Venue venue{records_, options_};
  EXPECT_EQ(ask(venue, 5).sequence, 1U);
  EXPECT_EQ(ask(venue, 50, "", kNow + 3s).sequence, 7U);
  EXPECT_EQ(ask(venue, 0, "", kNow + 3s).sequence, 6U);
  EXPECT_EQ(venue.current().existing(kNow + 9s), 18U);
  EXPECT_EQ(venue.current().existing(kNow + 10s), kNever);
}

TEST(SessionName, CountsUp) {
  EXPECT_EQ(session_name("1689192121", 0), "1689192121");
  EXPECT_EQ(session_name("1689192121", 2), "1689192123");
  EXPECT_EQ(session_name("DAY", 1), "DAY2");
  EXPECT_EQ(session_name("9999999999", 1), "9999999992");
}

TEST(Pacer, FollowsTheFilesOwnTimeThroughItsLoops) {
  const auto records = hours(3);
  Pacer pacer{records, 2, 0, 3600};
  EXPECT_EQ(pacer.messages(kNow), 0U);
  pacer.start(kNow);
  EXPECT_EQ(pacer.messages(kNow), 1U);
  EXPECT_EQ(pacer.messages(kNow + 999ms), 1U);
  EXPECT_EQ(pacer.messages(kNow + 1s), 2U);
  EXPECT_EQ(pacer.messages(kNow + 2s), 4U);
  EXPECT_EQ(pacer.messages(kNow + 4s), 6U);
}

TEST(Pacer, GivesAllAtOnceWithoutAPace) {
  Pacer pacer{{}, 1, 0, 0};
  EXPECT_EQ(pacer.messages(kNow), kNever);
}

}  // namespace
}  // namespace tickbridge::exchange
