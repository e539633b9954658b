#include "net/session.h"

#include <gtest/gtest.h>

#include "codec/soup.h"

namespace tickbridge::net {
namespace {

using namespace std::chrono_literals;
using metrics::FeedState;

class SoupSession : public ::testing::Test {
 protected:
  SoupSession() { options_.hosts = {{"a", 1}, {"b", 2}}; }

  Session& session() {
    if (!session_) session_.emplace("nasdaq", codec_, options_, "secret", 42);
    return *session_;
  }
  Scan accepted(std::string name, std::uint64_t sequence) {
    Scan scan;
    scan.stop = Scan::Stop::kAccepted;
    scan.accepted = {std::move(name), sequence};
    return scan;
  }
  Scan stop(Scan::Stop why) {
    Scan scan;
    scan.stop = why;
    scan.rejection = 'S';
    scan.problem = "garbage";
    return scan;
  }
  Scan packets(std::uint64_t n) {
    Scan scan;
    scan.sequenced = n;
    return scan;
  }
  void log_in(std::string name = "0000000001", std::uint64_t sequence = 1) {
    session().connected(now_);
    static_cast<void>(session().take_output());
    ASSERT_EQ(session().scanned(accepted(std::move(name), sequence), now_), Verdict::kGoOn);
  }
  /// What a login at that address asks for, which is rejected.
  std::string refused(std::size_t address) {
    session().connected(now_, address);
    std::string login = session().take_output();
    EXPECT_EQ(session().scanned(stop(Scan::Stop::kRejected), now_), Verdict::kHangUp);
    static_cast<void>(session().closed(false, now_));
    return login;
  }
  std::string login_of(std::string_view name, std::uint64_t sequence) {
    return codec::soup::login_request(codec_.soup_version, {.username = options_.username,
                                                            .password = "secret",
                                                            .session = name,
                                                            .sequence = sequence,
                                                            .heartbeat_timeout_ms = 15000});
  }

  codec::Options codec_;
  Options options_;
  std::optional<Session> session_;
  SteadyTime now_{1h};
};

TEST_F(SoupSession, AsksForTheBeginningFirst) {
  session().connected(now_);
  EXPECT_EQ(session().state(), FeedState::kLoggingIn);
  EXPECT_EQ(session().take_output(), login_of("", 1));
  EXPECT_EQ(session().take_output(), "") << "taken once";
}

TEST_F(SoupSession, AsksForTheNewestWhenItStartsNow) {
  options_.start = "now";
  session().connected(now_);
  EXPECT_EQ(session().take_output(), login_of("", 0));
}

TEST_F(SoupSession, AsksForANumberWhenToldTo) {
  options_.start = "4711";
  options_.session = "S1";
  session().connected(now_);
  EXPECT_EQ(session().take_output(), login_of("S1", 4711));
}

TEST_F(SoupSession, ResumesAtTheNextExpectedSequence) {
  log_in("S1", 1);
  EXPECT_EQ(session().state(), FeedState::kStreaming);
  EXPECT_EQ(session().scanned(packets(99), now_), Verdict::kGoOn);
  EXPECT_EQ(session().closed(true, now_), Verdict::kHangUp);
  EXPECT_EQ(session().state(), FeedState::kConnecting);
  session().connected(now_);
  EXPECT_EQ(session().take_output(), login_of("S1", 100));
}

TEST_F(SoupSession, SendsAHeartbeatAfterASecondWithoutSending) {
  log_in();
  EXPECT_EQ(session().deadline(), now_ + 1s);
  EXPECT_EQ(session().tick(now_ + 999ms), Verdict::kGoOn);
  EXPECT_EQ(session().take_output(), "");
  EXPECT_EQ(session().tick(now_ + 1s), Verdict::kGoOn);
  EXPECT_EQ(session().take_output(), codec::soup::client_heartbeat());
  EXPECT_EQ(session().deadline(), now_ + 2s);
}

TEST_F(SoupSession, SendsNoHeartbeatBeforeTheLoginIsAnswered) {
  session().connected(now_);
  static_cast<void>(session().take_output());
  EXPECT_EQ(session().tick(now_ + 5s), Verdict::kGoOn);
  EXPECT_EQ(session().take_output(), "");
}

TEST_F(SoupSession, HangsUpOnSilence) {
  log_in();
  session().received(now_ + 5s);
  EXPECT_EQ(session().tick(now_ + 19s), Verdict::kGoOn);
  EXPECT_EQ(session().tick(now_ + 20s), Verdict::kHangUp);
}

TEST_F(SoupSession, HangsUpOnAServerThatNeverAnswersTheLogin) {
  session().connected(now_);
  EXPECT_EQ(session().tick(now_ + 15s), Verdict::kHangUp);
}

TEST_F(SoupSession, RestsSilenceWhileReadsAreStoppedButGoesOnWithHeartbeats) {
  log_in();
  session().pause();
  EXPECT_EQ(session().tick(now_ + 60s), Verdict::kGoOn);
  EXPECT_EQ(session().take_output(), codec::soup::client_heartbeat());
  session().resume(now_ + 61s);
  EXPECT_EQ(session().tick(now_ + 75s), Verdict::kGoOn);
  EXPECT_EQ(session().tick(now_ + 76s), Verdict::kHangUp);
}

TEST_F(SoupSession, FailsWhenNotAuthorised) {
  session().connected(now_);
  Scan scan = stop(Scan::Stop::kRejected);
  scan.rejection = 'A';
  EXPECT_EQ(session().scanned(scan, now_), Verdict::kFailed);
  EXPECT_EQ(session().problem().code, ExitCode::kProtocol);
  EXPECT_NE(session().problem().message.find("feed.nasdaq.username"), std::string::npos);
}

TEST_F(SoupSession, LogsInBlankWhenAllAddressesHaveRefusedALearntSessionForATime) {
  log_in("S1", 7);
  static_cast<void>(session().closed(false, now_));
  for (const auto after : {0ms, 100ms, 500ms, 1300ms}) {
    now_ += after;
    for (const std::size_t address : {1U, 0U}) EXPECT_EQ(refused(address), login_of("S1", 7)) << after.count();
  }
  now_ += 100ms;
  EXPECT_EQ(refused(1), login_of("", 1));
  EXPECT_EQ(refused(0), login_of("", 1)) << "and goes on so";
}

TEST_F(SoupSession, OneAddressThatRefusesForLongIsNotAll) {
  log_in("S1", 7);
  static_cast<void>(session().closed(false, now_));
  for (int i = 0; i < 14; ++i, now_ += 1s) {
    EXPECT_EQ(refused(1), login_of("S1", 7)) << i;
    session().unreachable(now_, 0);
  }
  EXPECT_EQ(refused(0), login_of("S1", 7)) << "it is there again, and has only just refused";
  EXPECT_EQ(refused(1), login_of("S1", 7));
}

TEST_F(SoupSession, WaitsForAnAddressThatIsAwayAsLongAsForASilentOne) {
  log_in("S1", 7);
  static_cast<void>(session().closed(false, now_));
  session().unreachable(now_, 0);
  EXPECT_EQ(refused(1), login_of("S1", 7));
  now_ += options_.silence - 1ms;
  session().unreachable(now_, 0);
  EXPECT_EQ(refused(1), login_of("S1", 7));
  now_ += 1ms;
  EXPECT_EQ(refused(1), login_of("", 1));
}

TEST_F(SoupSession, AnAddressThatClosesWithoutAnAnswerIsAway) {
  log_in("S1", 7);
  static_cast<void>(session().closed(false, now_));
  EXPECT_EQ(refused(0), login_of("S1", 7));
  EXPECT_EQ(refused(1), login_of("S1", 7));
  session().connected(now_, 0);
  static_cast<void>(session().closed(true, now_));
  now_ += 5s;
  EXPECT_EQ(refused(1), login_of("S1", 7));
}

TEST_F(SoupSession, ARefusalCountsNoMoreOnceALoginWasAccepted) {
  options_.hosts = {{"a", 1}};
  log_in("S1", 7);
  static_cast<void>(session().closed(false, now_));
  EXPECT_EQ(refused(0), login_of("S1", 7));
  log_in("S1", 7);
  static_cast<void>(session().closed(false, now_));
  now_ += 5s;
  EXPECT_EQ(refused(0), login_of("S1", 7));
}

TEST_F(SoupSession, AsksAgainSoonUntilItIsClearThatASessionIsGone) {
  options_.hosts = {{"a", 1}};
  for (int i = 0; i < 20; ++i) static_cast<void>(session().delay());  // after a long outage
  log_in("S1", 7);
  static_cast<void>(session().closed(false, now_));
  EXPECT_GE(session().delay(), 5s);
  static_cast<void>(refused(0));
  EXPECT_LE(session().delay(), 500ms);
  now_ += 2s;
  EXPECT_EQ(refused(0), login_of("", 1));
  EXPECT_GE(session().delay(), 5s);
}

TEST_F(SoupSession, KeepsAskingForASessionConfiguredByName) {
  options_.session = "S1";
  for (int i = 0; i < 5; ++i) {
    session().connected(now_);
    EXPECT_EQ(session().take_output(), login_of("S1", 1));
    EXPECT_EQ(session().scanned(stop(Scan::Stop::kRejected), now_), Verdict::kHangUp);
    static_cast<void>(session().closed(false, now_));
  }
}

TEST_F(SoupSession, EndsAndThenAsksForTheNextSessionFromItsBeginning) {
  log_in("S1", 1);
  static_cast<void>(session().scanned(packets(10), now_));
  EXPECT_EQ(session().scanned(stop(Scan::Stop::kEnded), now_), Verdict::kEnded);
  EXPECT_EQ(session().state(), FeedState::kEnded);
  EXPECT_EQ(session().closed(true, now_), Verdict::kGoOn);
  EXPECT_EQ(session().delay(), options_.reconnect_max);
  session().connected(now_);
  EXPECT_EQ(session().state(), FeedState::kEnded) << "until another session is there";
  EXPECT_EQ(session().take_output(), login_of("", 1));
  EXPECT_EQ(session().scanned(accepted("S1", 1), now_), Verdict::kHangUp) << "the old one: ask again later";
  static_cast<void>(session().closed(false, now_));
  session().connected(now_);
  EXPECT_EQ(session().scanned(accepted("S2", 1), now_), Verdict::kGoOn);
  EXPECT_EQ(session().state(), FeedState::kStreaming);
  EXPECT_EQ(session().name(), "S2");
}

TEST_F(SoupSession, HangsUpOnGarbageAndResumes) {
  log_in("S1", 1);
  Scan scan = stop(Scan::Stop::kBroken);
  scan.sequenced = 3;
  EXPECT_EQ(session().scanned(scan, now_), Verdict::kHangUp);
  EXPECT_EQ(session().next_sequence(), 4U);
}

// A login alone is no success: a server that accepts it and then sends garbage must not be called ten times a second.
TEST_F(SoupSession, WaitsLongerEachTimeThatAConnectionBringsNoPacket) {
  options_.reconnect_min = 100ms;
  options_.reconnect_max = 10s;
  const auto delay_after = [this](std::uint64_t sequenced) {
    log_in("S1", session().next_sequence());
    static_cast<void>(session().scanned(packets(sequenced), now_));
    static_cast<void>(session().scanned(stop(Scan::Stop::kBroken), now_));
    static_cast<void>(session().closed(false, now_));
    return session().delay();
  };
  EXPECT_LE(delay_after(0), 100ms);
  for (int i = 0; i < 9; ++i) static_cast<void>(delay_after(0));
  EXPECT_GE(delay_after(0), 5s);
  EXPECT_LE(delay_after(1), 100ms);
}

TEST_F(SoupSession, LogsOutOnRequest) {
  log_in();
  session().request_logout();
  EXPECT_EQ(session().take_output(), codec::soup::logout_request());
}

TEST(FramesSession, StreamsAtOnceAndEndsWithTheStream) {
  codec::Options codec;
  codec.transport = codec::Transport::kFrames;
  Options options;
  options.hosts = {{"a", 1}};
  Session session{"b3", codec, options, "", 1};
  session.connected(SteadyTime{1h});
  EXPECT_EQ(session.state(), FeedState::kStreaming);
  EXPECT_EQ(session.take_output(), "");
  EXPECT_EQ(session.deadline(), SteadyTime::max());
  EXPECT_EQ(session.closed(false, SteadyTime{1h}), Verdict::kHangUp) << "cut: not the end";
  session.connected(SteadyTime{1h});
  EXPECT_EQ(session.closed(true, SteadyTime{1h}), Verdict::kEnded);
}

TEST(Backoff, DoublesUpToItsLimitWithJitter) {
  Backoff backoff{100ms, 1000ms, 7};
  for (const milliseconds whole : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const milliseconds delay = backoff.next();
    EXPECT_LE(delay, whole);
    EXPECT_GE(delay, whole / 2);
  }
  backoff.reset();
  EXPECT_LE(backoff.next(), 100ms);
}

}  // namespace
}  // namespace tickbridge::net
