#include "metrics/families.h"

#include <gmock/gmock.h>

#include <set>
#include <thread>

namespace tickbridge::metrics {
namespace {

const Family* find(const std::vector<Family>& families, std::string_view name) {
  for (const Family& family : families) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

std::vector<Family> collect_now(const Registry& registry) {
  return collect(registry, sample_system(), SteadyClock::now());
}

TEST(Families, GiveEachNameOnceWithTheConventionsOfPrometheus) {
  Registry registry{"1.2.3"};
  registry.add_feed("a");
  std::set<std::string> names;
  for (const Family& family : collect_now(registry)) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    EXPECT_EQ(family.name.ends_with("_total"), family.kind == Kind::kCounter) << family.name;
    EXPECT_THAT(family.name, testing::MatchesRegex("(tickbridge|process)_[a-z_]*[a-z]"));
    EXPECT_FALSE(family.help.empty());
    EXPECT_FALSE(family.samples.empty()) << family.name;
  }
}

TEST(Families, GatherTheReasonsOfAllFeedsInOneFamily) {
  Registry registry{"1"};
  registry.add_feed("a").add(FeedCounter::kDroppedFull, 7);
  registry.add_feed("b");
  const auto families = collect_now(registry);
  const Family* dropped = find(families, "tickbridge_feed_messages_dropped_total");
  ASSERT_NE(dropped, nullptr);
  ASSERT_EQ(dropped->samples.size(), 10U);
  for (const Sample& sample : dropped->samples) {
    ASSERT_EQ(sample.labels.size(), 2U);
    EXPECT_EQ(sample.labels[1].name, "reason");
    EXPECT_EQ(sample.value, sample.labels[0].value == "a" && sample.labels[1].value == "full" ? 7 : 0);
  }
}

TEST(Families, SayOneStateForEachFeed) {
  Registry registry{"1"};
  registry.add_feed("a").set_state(FeedState::kStreaming);
  const auto families = collect_now(registry);
  double sum = 0;
  for (const Sample& sample : find(families, "tickbridge_feed_state")->samples) {
    sum += sample.value;
    EXPECT_EQ(sample.value == 1, sample.labels[1].value == "streaming");
  }
  EXPECT_EQ(sum, 1);
}

TEST(Families, LeaveOutWhatTheSystemDoesNotSay) {
  const Registry registry{"1"};
  EXPECT_EQ(find(collect(registry, SystemSample{}, SteadyClock::now()), "process_open_fds"), nullptr);
}

TEST(Registry, KeepsAFeedAtItsAddress) {
  Registry registry{"1"};
  FeedMetrics& first = registry.add_feed("first");
  for (int i = 0; i < 100; ++i) registry.add_feed("feed " + std::to_string(i));
  EXPECT_EQ(&registry.add_feed("first"), &first);
  EXPECT_EQ(registry.feeds().size(), 101U);
  EXPECT_EQ(registry.feeds().front(), &first);
}

TEST(Registry, LetsFeedsComeWhileOthersRead) {
  Registry registry{"1"};
  std::jthread writer{[&] {
    for (int i = 0; i < 50; ++i) registry.add_feed("feed " + std::to_string(i)).add(FeedCounter::kReads, 1);
  }};
  while (registry.feeds().size() < 50) (void)collect(registry, SystemSample{}, SteadyClock::now());
}

TEST(SystemSample, AgreesWithWhatIsKnown) {
  const SystemSample before = sample_system();
  std::vector<char> memory(64U << 20U, 1);
  std::jthread thread{[](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
  }};
  const SystemSample now = sample_system();
  EXPECT_GE(now.threads, before.threads + 1);
  EXPECT_GT(now.resident_bytes, before.resident_bytes + 50e6);
  EXPECT_GT(now.virtual_bytes, now.resident_bytes);
  EXPECT_GE(now.cpu_seconds, before.cpu_seconds);
  EXPECT_GE(now.open_fds, 3);
  EXPECT_LE(now.open_fds, now.max_fds);
  const double wall = static_cast<double>(wall_nanoseconds()) * 1e-9;
  EXPECT_LE(now.start_time_seconds, wall + 1);
  EXPECT_GT(now.start_time_seconds, wall - 300);
  EXPECT_NEAR(now.start_time_seconds, before.start_time_seconds, 0.02);
}

}  // namespace
}  // namespace tickbridge::metrics
