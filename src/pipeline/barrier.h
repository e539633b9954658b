#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "journal/align.h"
#include "journal/checkpoint.h"
#include "journal/marks.h"

namespace tickbridge::pipeline {

/// What commit tells of itself between two packets, when it is asked to.
struct MarkReport {
  journal::Mark mark;
  std::string session;
  std::vector<std::pair<std::int32_t, journal::PartitionState>> matched;  ///< while aligning: what was found last
  std::vector<journal::Stranger> strangers;                               ///< found since the last report
  std::vector<journal::StateEntry>
      learnt;  ///< since the last report; batch number mark.state_batches, if there are any
  bool aligned = true;
  bool session_ended = false;  ///< right before mark.next_sequence
};

/// A place in the feed where commit stands still until it is told to go on (design.md, "The principle"): what comes
/// behind it depends on more than the feed.
struct Barrier {
  enum class Kind : std::uint8_t {
    kOwn,      ///< the first login of a life: nothing is handed over before the feed is owned
    kGap,      ///< a later login was answered higher than asked for
    kSession,  ///< a later login was answered with another session
    kDrain,    ///< asked for
    kReserve,  ///< at_most_once: the checkpoint has to run ahead of what comes next
  };
  Kind kind = Kind::kDrain;
  std::string left;             ///< the session that was left, if another one begins
  std::uint64_t left_at = 0;    ///< the next packet that would have been its
  bool left_early = false;      ///< its end had not come: what it had from left_at on was not received
  std::uint64_t gap_begin = 0;  ///< [begin, end) of the session that begins or goes on is missing; 0: no gap
  std::uint64_t gap_end = 0;
  std::uint64_t wanted = 0;  ///< kReserve: up to this packet, at least
  MarkReport report;         ///< mark.next_sequence is the first packet behind the barrier
};

}  // namespace tickbridge::pipeline
