#include "journal/align.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <random>

#include "journal/align_index.h"
#include "support/seed.h"

namespace tickbridge::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Record n of a partition has sequence n and hash n * 100; the checkpoint stands at record 4 and offset 10.
constexpr std::uint64_t hash_of(std::uint64_t record) { return record * 100; }
constexpr std::uint64_t kForeign = 7;

Suffix suffix(std::initializer_list<std::uint64_t> hashes, std::int64_t lost = 0) {
  Suffix out;
  out.from = {.position = {4, 0}, .offset = 10, .hash = hash_of(4), .markers = 0, .gap = false};
  std::int64_t offset = 11 + lost;
  for (const std::uint64_t hash : hashes) out.found.push_back({offset++, hash});
  out.end = offset;
  out.lost = lost;
  return out;
}

Aligner aligner(std::vector<Suffix> suffixes, Aligner::Settings settings = {}) {
  return {settings, std::move(suffixes)};
}

Alignment next(Aligner& aligner, std::uint64_t record, std::int32_t partition = 0) {
  return aligner.next(partition, {record, 0}, hash_of(record));
}

std::vector<std::int64_t> offsets(Aligner& aligner, Stranger::Kind kind) {
  std::vector<std::int64_t> out;
  for (const Stranger& stranger : aligner.take_strangers()) {
    if (stranger.kind == kind) out.push_back(stranger.offset);
  }
  return out;
}
std::vector<std::int64_t> foreign(Aligner& of) { return offsets(of, Stranger::Kind::kForeign); }
std::vector<std::int64_t> doubles(Aligner& of) { return offsets(of, Stranger::Kind::kDouble); }

TEST(Aligner, SkipsWhatIsThereAndWritesTheRest) {
  Aligner align = aligner({suffix({500, 600})});
  EXPECT_FALSE(align.aligned());
  EXPECT_EQ(next(align, 3), Alignment::kThere);
  EXPECT_EQ(next(align, 4), Alignment::kThere);
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_EQ(align.reached(0).offset, 11);
  EXPECT_EQ(align.reached(0).position, (Position{5, 0}));
  EXPECT_EQ(next(align, 6), Alignment::kThere);
  EXPECT_TRUE(align.aligned());
  EXPECT_EQ(next(align, 7), Alignment::kWrite);
  EXPECT_EQ(align.matched(), 2U);
  EXPECT_EQ(align.total(), 2U);
  EXPECT_THAT(align.take_strangers(), IsEmpty());
}

TEST(Aligner, AnEmptySuffixStillDropsWhatIsBeforeTheCheckpoint) {
  Aligner align = aligner({suffix({})});
  EXPECT_TRUE(align.aligned());
  EXPECT_FALSE(align.caught_up({3, 0}));
  EXPECT_FALSE(align.done({3, 0}));
  EXPECT_EQ(next(align, 4), Alignment::kThere);
  EXPECT_TRUE(align.done({4, 0}));
  EXPECT_EQ(next(align, 5), Alignment::kWrite);
}

TEST(Aligner, AnExchangeThatReplaysOtherDataIsFoundOutAtTheCheckpointedRecord) {
  Aligner align = aligner({suffix({})});
  EXPECT_EQ(align.next(0, {4, 0}, 999), Alignment::kFailed);
  EXPECT_THAT(align.problem(), HasSubstr("partition 0: the record at offset 10"));
  EXPECT_EQ(next(align, 5), Alignment::kFailed);
}

TEST(Aligner, PassesForeignRecordsOverAndNamesThem) {
  Aligner align = aligner({suffix({kForeign, 500, kForeign, kForeign, 600, kForeign})});
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_EQ(next(align, 6), Alignment::kThere);
  EXPECT_FALSE(align.aligned());
  EXPECT_EQ(next(align, 7), Alignment::kWrite);
  EXPECT_TRUE(align.aligned());
  const auto strangers = align.take_strangers();
  EXPECT_EQ(strangers.size(), 4U);
  EXPECT_EQ(strangers[0].offset, 11);
  EXPECT_EQ(strangers[3].offset, 16);
}

TEST(Aligner, KnowsACopyFromAForeignRecord) {
  Aligner align = aligner({suffix({500, 600, 500, 600, 700, 400})});
  EXPECT_EQ(next(align, 4), Alignment::kThere);
  for (std::uint64_t record = 5; record <= 7; ++record) EXPECT_EQ(next(align, record), Alignment::kThere);
  EXPECT_EQ(next(align, 8), Alignment::kWrite);
  EXPECT_THAT(doubles(align), ElementsAre(13, 14, 16));
}

TEST(Aligner, TakesALateBatchThatCameFirstAsTheRecordsThemselves) {
  Aligner align = aligner({suffix({500, 500, 600, 700, 600, 700})});
  for (std::uint64_t record = 5; record <= 7; ++record) EXPECT_EQ(next(align, record), Alignment::kThere);
  EXPECT_EQ(next(align, 8), Alignment::kWrite);
  EXPECT_THAT(doubles(align), ElementsAre(12, 15, 16));
}

TEST(Aligner, StopsWhenNothingShowsThatLogAndReplayBelongTogether) {
  Aligner align = aligner({suffix({kForeign, 8}), suffix({500})});
  EXPECT_EQ(next(align, 5), Alignment::kFailed);
  EXPECT_THAT(align.problem(), HasSubstr("offset 11"));
}

TEST(Aligner, AMatchElsewhereShowsIt) {
  Aligner align = aligner({suffix({kForeign, 8}), suffix({500})});
  EXPECT_EQ(next(align, 5, 1), Alignment::kThere);
  EXPECT_EQ(next(align, 6), Alignment::kWrite);
  EXPECT_THAT(foreign(align), ElementsAre(11, 12));
}

TEST(Aligner, TheCheckpointedRecordShowsIt) {
  Aligner align = aligner({suffix({kForeign}), suffix({})});
  EXPECT_EQ(next(align, 4, 1), Alignment::kThere);
  EXPECT_EQ(next(align, 5), Alignment::kWrite);
}

TEST(Aligner, AWitnessFromBeforeNextSequenceShowsIt) {
  Aligner align = aligner({suffix({kForeign})});
  align.witness({4, 0}, hash_of(4));
  EXPECT_EQ(next(align, 5), Alignment::kWrite);
  EXPECT_THAT(foreign(align), ElementsAre(11));
}

TEST(Aligner, AWitnessThatTheCheckpointDoesNotKnowShowsNothing) {
  for (const auto& [position, hash] : {std::pair{Position{4, 0}, hash_of(3)}, std::pair{Position{3, 0}, hash_of(4)}}) {
    Aligner align = aligner({suffix({kForeign})});
    align.witness(position, hash);
    EXPECT_EQ(next(align, 5), Alignment::kFailed);
  }
}

TEST(WitnessFrom, IsTheNewestRecordWhereAllComeBeforeNextSequence) {
  Checkpoint checkpoint;
  checkpoint.next_sequence = 7;
  Suffix older = suffix({});
  older.from.position = {2, 0};
  EXPECT_EQ(witness_from(checkpoint, {older, suffix({})}), 7U);  // nothing to explain
  EXPECT_EQ(witness_from(checkpoint, {older, suffix({kForeign})}), 4U);
  checkpoint.next_sequence = 4;  // the replay holds it anyway
  EXPECT_EQ(witness_from(checkpoint, {older, suffix({kForeign})}), 4U);
  checkpoint.next_sequence = 1'000'000;  // too far to be worth it
  EXPECT_EQ(witness_from(checkpoint, {suffix({kForeign})}), 1'000'000U);
  Suffix told = suffix({kForeign});
  told.from.strangers_to = 11;
  checkpoint.next_sequence = 7;
  EXPECT_EQ(witness_from(checkpoint, {told}), 7U);
}

TEST(Aligner, AnAnnouncedMatchShowsIt) {
  Aligner align = aligner({suffix({kForeign}), suffix({600})});
  align.expect(0, hash_of(5));
  align.expect(1, hash_of(6));
  EXPECT_EQ(next(align, 5), Alignment::kWrite);
}

TEST(Aligner, CopiesAloneNeedNoOtherProof) {
  Aligner align = aligner({suffix({300})});
  EXPECT_EQ(next(align, 3), Alignment::kThere);
  EXPECT_EQ(next(align, 5), Alignment::kWrite);
  EXPECT_THAT(doubles(align), ElementsAre(11));
}

TEST(Aligner, KnowsCopiesOfWhatLiesBeforeTheCheckpoint) {
  Suffix late = suffix({200, 300, 500});
  late.before = {200, 300, 400};
  Aligner align = aligner({late});
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_THAT(doubles(align), ElementsAre(11, 12));
  Suffix only = suffix({200, 300});
  only.before = {200, 300, 400};
  Aligner idle = aligner({only});
  EXPECT_EQ(next(idle, 5), Alignment::kWrite);
}

TEST(Aligner, AnAnnouncedRecordBehindAMissingOneIsAHole) {
  Aligner align = aligner({suffix({500, 700})});
  for (std::uint64_t record = 5; record <= 7; ++record) align.expect(0, hash_of(record));
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_EQ(next(align, 6), Alignment::kFailed);
  EXPECT_THAT(align.problem(), HasSubstr("hole"));
}

TEST(Aligner, AHoleThatShowsLateIsStillTold) {
  Aligner align = aligner({suffix({500, 700})});
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_EQ(next(align, 6), Alignment::kWrite);
  EXPECT_FALSE(align.done({6, 0}));
  EXPECT_EQ(next(align, 7), Alignment::kFailed);
  EXPECT_THAT(align.problem(), HasSubstr("offset 12"));
}

TEST(Aligner, StopsComparingWithForeignRecordsAfterAWhile) {
  Aligner align = aligner({suffix({500, kForeign})});
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  for (std::uint64_t record = 6; !align.done({record, 0}); ++record) {
    ASSERT_EQ(next(align, record), Alignment::kWrite);
    ASSERT_LT(record, 100'000U);
  }
}

TEST(Aligner, AfterACleanStopNothingIsOurs) {
  Aligner align = aligner({suffix({kForeign, 500}), suffix({})}, {.clean = true});
  EXPECT_TRUE(align.aligned());
  EXPECT_THAT(foreign(align), ElementsAre(11, 12));
  EXPECT_EQ(align.reached(0).offset, 10);
  EXPECT_EQ(align.reached(0).strangers_to, 12);
  EXPECT_EQ(align.reached(1).strangers_to, -1);
  EXPECT_EQ(next(align, 5), Alignment::kWrite);
}

TEST(Aligner, RemembersStrangersAcrossStarts) {
  Aligner align = aligner({suffix({500, kForeign, 8})});
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_EQ(next(align, 6), Alignment::kWrite);
  EXPECT_EQ(align.reached(0).offset, 11);
  EXPECT_EQ(align.reached(0).strangers_to, 13);

  Suffix later = suffix({kForeign, 8, 600});
  later.from = {.position = {5, 0}, .offset = 10, .hash = hash_of(5)};
  later.from.strangers_to = 12;
  Aligner next_start = aligner({later});
  EXPECT_THAT(foreign(next_start), ElementsAre(11, 12));
  EXPECT_EQ(next(next_start, 6), Alignment::kThere);
  EXPECT_EQ(next_start.reached(0).strangers_to, -1);
}

TEST(Aligner, BehindAGapWhatItHasFromInsideIsOurs) {
  Aligner align = aligner({suffix({500, 600, 700, 800, kForeign, 900})}, {.by_content = true});
  EXPECT_TRUE(align.reached(0).gap);
  EXPECT_EQ(next(align, 7), Alignment::kThere);
  EXPECT_EQ(align.from_gap(), 2U);
  EXPECT_FALSE(align.reached(0).gap);
  EXPECT_EQ(next(align, 8), Alignment::kThere);
  EXPECT_EQ(next(align, 9), Alignment::kThere);
  EXPECT_THAT(foreign(align), ElementsAre(15));
}

TEST(Aligner, BehindAGapASuffixMayEndInsideIt) {
  Aligner align = aligner({suffix({500, 600})}, {.by_content = true});
  EXPECT_EQ(next(align, 9), Alignment::kWrite);
  EXPECT_THAT(align.take_strangers(), IsEmpty());
  EXPECT_EQ(align.reached(0).offset, 12);
}

TEST(Aligner, AGapThatOpensWhileAligningIsSearchedByContent) {
  Aligner align = aligner({suffix({500, 600, 700, 800})});
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  align.gap_opens();
  EXPECT_TRUE(align.reached(0).gap);
  EXPECT_EQ(next(align, 8), Alignment::kThere);
  EXPECT_EQ(align.from_gap(), 2U);
  EXPECT_TRUE(align.aligned());
}

TEST(Aligner, APartitionRemembersAGapAcrossStarts) {
  Suffix with = suffix({500, 600});
  with.from.gap = true;
  Aligner align = aligner({with});
  EXPECT_EQ(next(align, 9), Alignment::kWrite);
}

TEST(Aligner, FindsTheFirstRecordThatRetentionHasLeft) {
  Aligner align = aligner({suffix({700, 800}, 3)});  // 5 and 6 deleted, and a marker
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_EQ(align.reached(0).position, (Position{5, 0}));
  EXPECT_EQ(next(align, 6), Alignment::kThere);
  EXPECT_EQ(next(align, 7), Alignment::kThere);
  EXPECT_EQ(next(align, 8), Alignment::kThere);
  EXPECT_EQ(next(align, 9), Alignment::kWrite);
  EXPECT_EQ(align.counted(), 2U);
}

TEST(Aligner, CountsWhereRetentionHasLeftNothing) {
  Suffix none = suffix({}, 3);
  none.from.markers = 1;
  none.end = 15;  // a fence's marker at 14
  Aligner align = aligner({none});
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_EQ(align.reached(0).offset, 11);
  EXPECT_FALSE(align.aligned());
  EXPECT_EQ(next(align, 6), Alignment::kThere);
  EXPECT_TRUE(align.aligned());
  EXPECT_EQ(next(align, 7), Alignment::kWrite);
  EXPECT_EQ(align.counted(), 2U);
  EXPECT_EQ(align.reached(0).offset, 14);
  const auto told = align.take_strangers();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, Stranger::Kind::kCounted);
  EXPECT_EQ(told[0].count, 2U);
}

TEST(Aligner, AfterACleanStopTellsOnlyWhatItHasNotToldBefore) {
  Suffix behind = suffix({kForeign, kForeign});  // at 11 and 12
  behind.from.strangers_to = 11;
  Aligner align = aligner({behind}, {.clean = true});
  EXPECT_TRUE(align.aligned());
  const auto told = align.take_strangers();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].offset, 12);
  EXPECT_EQ(align.reached(0).strangers_to, 12);
  behind.from.strangers_to = 12;
  EXPECT_THAT(aligner({behind}, {.clean = true}).take_strangers(), IsEmpty());
  EXPECT_EQ(aligner({behind}).take_strangers().size(), 2U);  // whoever was killed may not have lived to tell
}

TEST(Aligner, DoesNotTakeAMarkerThatIsLeftForADeletedOne) {
  Suffix none = suffix({}, 1);
  none.from.markers = 1;
  none.end = 14;  // the marker at 12, this start's at 13
  Aligner align = aligner({none});
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_EQ(next(align, 6), Alignment::kWrite);
}

TEST(Aligner, SkipsNoMoreThanRetentionCanHaveDeleted) {
  Aligner align = aligner({suffix({kForeign}, 1), suffix({500})});
  EXPECT_EQ(next(align, 5, 1), Alignment::kThere);
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_EQ(next(align, 6), Alignment::kWrite);
}

TEST(Aligner, NeverGuessesAcrossAGapAndRetentionTogether) {
  Aligner align = aligner({suffix({}, 3)}, {.by_content = true});
  EXPECT_EQ(next(align, 9), Alignment::kFailed);
}

TEST(Aligner, AtTheSessionsEndWhatIsLeftIsToldWithoutAnotherRecord) {
  Aligner align = aligner({suffix({500, 500, kForeign}), suffix({kForeign})});
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_FALSE(align.aligned());
  align.finish();
  EXPECT_TRUE(align.aligned());
  EXPECT_EQ(align.take_strangers().size(), 3U);
  EXPECT_EQ(align.reached(0).strangers_to, 13);
}

TEST(Aligner, NotesTheMarkersBehindEachOffset) {
  Suffix with = suffix({500, 600});
  with.found[1].offset = 13;  // markers at 12, 14 and 15
  with.end = 16;
  Aligner align = aligner({with});
  EXPECT_EQ(align.reached(0).markers, 3);
  EXPECT_EQ(next(align, 5), Alignment::kThere);
  EXPECT_EQ(align.reached(0).markers, 3);
  EXPECT_EQ(next(align, 6), Alignment::kThere);
  EXPECT_EQ(align.reached(0).markers, 2);
}

TEST(SuffixIndex, FindsEveryPlaceOfAHash) {
  std::mt19937_64 random{tests::seed()};
  std::vector<Found> found(1'000);
  for (std::size_t i = 0; i < found.size(); ++i) found[i] = {static_cast<std::int64_t>(i), random() % 300};
  const SuffixIndex index{found};
  for (std::uint64_t hash = 0; hash < 310; ++hash) {
    std::vector<std::uint32_t> expected;
    for (std::uint32_t i = 0; i < found.size(); ++i) {
      if (found[i].hash == hash) expected.push_back(i);
    }
    std::vector<std::uint32_t> seen;
    for (std::uint32_t i = index.first(hash); i != SuffixIndex::kNone; i = index.next(i)) seen.push_back(i);
    EXPECT_EQ(seen, expected) << hash;
    if (expected.empty()) continue;
    EXPECT_EQ(index.first_from(hash, expected.back()), expected.back());
  }
}

}  // namespace
}  // namespace tickbridge::journal
