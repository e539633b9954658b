#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "journal/align.h"
#include "journal/marks.h"
#include "journal/model/digest.h"
#include "journal/start.h"

// The journal's classes, with what they were told: so that a world can be copied, and told from another one.
namespace tickbridge::journal::model {

/// A copy is made by telling another one the same.
class ToldAligner : public Aligner {
 public:
  ToldAligner(Settings settings, const std::vector<Suffix>& suffixes)
      : Aligner{settings, suffixes}, settings_{settings}, suffixes_{suffixes} {}
  ToldAligner(const ToldAligner& other) : ToldAligner{other.settings_, other.suffixes_} {
    for (const Call& call : other.calls_) (void)tell(call);
  }
  ToldAligner& operator=(const ToldAligner&) = delete;
  ~ToldAligner() = default;

  [[nodiscard]] Alignment next(std::int32_t partition, Position position, std::uint64_t hash) {
    return tell({Call::Kind::kNext, partition, position, hash});
  }
  void expect(std::int32_t partition, std::uint64_t hash) { (void)tell({Call::Kind::kExpect, partition, {}, hash}); }
  void gap_opens() { (void)tell({Call::Kind::kGapOpens, 0, {}, 0}); }
  void finish() { (void)tell({Call::Kind::kFinish, 0, {}, 0}); }
  [[nodiscard]] std::vector<Stranger> take_strangers() {
    std::vector<Stranger> strangers = Aligner::take_strangers();
    if (!strangers.empty()) calls_.push_back({Call::Kind::kTake, 0, {}, 0});
    return strangers;
  }
  void add_to(Digest& digest) const {
    digest.add(settings_);
    digest.add(suffixes_);
    digest.add(calls_);
  }

 private:
  struct Call {
    enum class Kind : std::uint8_t { kNext, kExpect, kGapOpens, kFinish, kTake };
    Kind kind;
    std::int32_t partition;
    Position position;
    std::uint64_t hash;
  };
  Alignment tell(const Call& call) {
    calls_.push_back(call);
    switch (call.kind) {
      case Call::Kind::kNext:
        return Aligner::next(call.partition, call.position, call.hash);
      case Call::Kind::kExpect:
        Aligner::expect(call.partition, call.hash);
        break;
      case Call::Kind::kGapOpens:
        Aligner::gap_opens();
        break;
      case Call::Kind::kFinish:
        Aligner::finish();
        break;
      case Call::Kind::kTake:
        (void)Aligner::take_strangers();
    }
    return Alignment::kThere;
  }

  Settings settings_;
  std::vector<Suffix> suffixes_;
  std::vector<Call> calls_;
};

/// Knows the marks that are not acknowledged yet. What is proved of a partition follows from its offset.
class KnownMarks : public Marks {
 public:
  using Marks::Marks;
  void add(Mark mark) {
    known_.push_back(mark);
    Marks::add(std::move(mark));
  }
  void acknowledge(const std::vector<Acked>& acked, std::uint64_t dead_letters, std::uint64_t state_batches) {
    Marks::acknowledge(acked, dead_letters, state_batches);
    while (known_.size() > size()) known_.pop_front();
  }
  void add_to(Digest& digest) const {
    digest.add(next_sequence());
    digest.add(state());
    digest.add(partitions());
    digest.add(known_);
  }

 private:
  std::deque<Mark> known_;
};

/// Knows whom it saw.
class KnownLiveness : public Liveness {
 public:
  explicit KnownLiveness(const Checkpoint& newest) : Liveness{newest} {
    saw_.emplace_back(newest.epoch, newest.number);
  }
  void saw(const Checkpoint& checkpoint) {
    Liveness::saw(checkpoint);
    saw_.emplace_back(checkpoint.epoch, checkpoint.number);
  }
  void add_to(Digest& digest) const { digest.add(saw_); }

 private:
  std::vector<std::pair<std::uint64_t, std::uint64_t>> saw_;
};

}  // namespace tickbridge::journal::model
