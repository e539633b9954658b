#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alignment.h"
#include "expectation.h"

namespace tickbridge::verify {

enum class FaultKind { kLost, kDuplicated, kOutOfOrder, kAltered };

/// One thing wrong, for people.
struct Fault {
  FaultKind kind = FaultKind::kLost;
  std::int32_t partition = 0;
  std::int64_t offset = -1;  ///< of the record; lost: of the record found where it was expected, -1: none came
  std::string key;
  std::uint32_t stream = kNoStream;  ///< lost, and altered where it stood in for a lost one: what was expected
  std::size_t place = 0;             ///< its number in that stream, from 0
  std::uint64_t count = 1;           ///< lost: so many in a row
  std::string what;
};

struct Verdict {
  std::uint64_t expected = 0, found = 0, lost = 0, duplicated = 0, out_of_order = 0, altered = 0;
  std::vector<Fault> faults{};  ///< the first kMostFaults of each kind
  [[nodiscard]] bool clean() const noexcept { return lost + duplicated + out_of_order + altered == 0; }
  [[nodiscard]] std::string line() const;  ///< the verifier's last line
};

constexpr std::size_t kMostFaults = 10;

/// Compares records, given in partition order, with what is expected.
///
/// In each stream the next record is normally the next expected one. Where it is not, records are held until a stretch
/// of them can be aligned again: what then has no partner is an *extra* (found) or *missing* (expected). At the end
/// extras and missing ones are brought together over all streams:
/// an extra that is missing in its own stream is out of order; one that is missing in another stream has the wrong key
/// or partition, so it is altered; an extra of a value that its stream has already is duplicated; any other matches
/// nothing, so it is altered, and stands for one that is missing in its stream, if any is. What is still missing is
/// lost.
class Comparison {
 public:
  explicit Comparison(const Expectation& expectation);

  void take(std::int32_t partition, std::string_view key, std::string_view value, std::int64_t offset);
  [[nodiscard]] std::uint64_t found() const noexcept { return found_; }
  /// Records found where they were expected, so far.
  [[nodiscard]] std::uint64_t matched() const noexcept { return matched_; }
  /// Ends the comparison. To be called once.
  [[nodiscard]] Verdict finish();

 private:
  struct Extra {
    std::uint64_t hash = 0;
    std::int64_t offset = 0;
    std::int32_t partition = 0;
    std::uint32_t stream = kNoStream;
    std::uint32_t key = 0;  ///< stray: place in stray_keys_
    FaultKind kind = FaultKind::kAltered;
    bool settled = false;
    std::uint32_t for_stream = kNoStream;  ///< the missing one that it is
    std::size_t for_place = 0;
  };
  struct Missing {
    std::uint32_t stream = 0;
    std::size_t place = 0;
    std::uint64_t count = 0;
    std::int64_t offset = -1;
  };
  struct Held {
    std::vector<std::uint64_t> hashes;
    std::vector<std::int64_t> offsets;
    std::size_t next_try = 0;
  };
  struct Progress {
    const std::uint64_t* expected = nullptr;
    std::size_t next = 0;
    std::size_t size = 0;
    std::uint32_t held = kNoStream;  ///< place in held_
  };

  void hold(std::uint32_t stream, std::uint64_t hash, std::int64_t offset);
  void try_to_align(std::uint32_t stream);
  void align_rest(std::uint32_t stream);
  void settle(std::uint32_t stream, const std::vector<Pair>& pairs, std::size_t expected_end);
  void miss(std::uint32_t stream, std::size_t place, std::size_t count, std::int64_t offset);
  void stray(std::int32_t partition, std::string_view key, std::uint64_t hash, std::int64_t offset);

  template <typename Visit>
  void for_each_missing(Visit&& visit);
  void claim_missing(bool same_stream);
  void find_copies();
  void stand_in();
  [[nodiscard]] Verdict judge();
  [[nodiscard]] Fault describe(const Extra& extra) const;

  const Expectation& expectation_;
  std::vector<Progress> progress_;
  std::vector<Held> held_;
  std::vector<std::uint32_t> free_held_;
  std::vector<Extra> extras_;
  std::vector<Missing> missing_;
  std::vector<std::string> stray_keys_;
  std::vector<std::uint32_t> by_hash_;                          ///< extras_ by hash, at the end
  std::vector<std::pair<std::uint32_t, std::size_t>> claimed_;  ///< missing ones that an extra is
  std::uint64_t found_ = 0;
  std::uint64_t matched_ = 0;
};

}  // namespace tickbridge::verify
