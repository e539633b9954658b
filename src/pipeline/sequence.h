#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "codec/payload.h"
#include "codec/soup.h"

namespace tickbridge::pipeline {

/// What the check of a sequence found.
struct SequenceFinding {
  bool first = false;           ///< the feed's first session
  bool new_session = false;     ///< not the one before, or not the one that the first login asked for
  std::uint64_t gap_begin = 0;  ///< numbers gap_begin .. gap_end - 1 are missing; equal: none
  std::uint64_t gap_end = 0;
  std::uint64_t repeats = 0;  ///< so many packets come again
  [[nodiscard]] bool gap() const noexcept { return gap_begin != gap_end; }
};

/// Follows the numbers of a feed's packets: implicit ones (SoupBinTCP), or a plain count (frames).
///
/// A login answered lower than expected brings repeats, higher a gap; another session begins at 1.
class PacketSequence {
 public:
  /// What the first login asks for: `session` empty: whichever is current; `first` 0: whatever comes is the first.
  PacketSequence(std::string session, std::uint64_t first)
      : session_{std::move(session)}, expected_{first}, base_{first == 0 ? 1 : first} {}

  /// A login's answer, before packet number `packet` of the task.
  [[nodiscard]] SequenceFinding login(const codec::soup::Accepted& accepted, std::uint32_t packet);
  /// A task ends, `packets` of it are accounted for.
  void advance(std::uint32_t packets) noexcept {
    base_ += packets;
    if (base_ > expected_) expected_ = base_;
  }

  [[nodiscard]] std::uint64_t of(std::uint32_t packet) const noexcept { return base_ + packet; }
  /// True if that packet was there before.
  [[nodiscard]] bool repeats(std::uint32_t packet) const noexcept { return of(packet) < expected_; }
  /// The next number that is new.
  [[nodiscard]] std::uint64_t expected() const noexcept { return expected_; }
  [[nodiscard]] const std::string& session() const noexcept { return session_; }

 private:
  std::string session_;
  bool known_ = false;
  std::uint64_t expected_;
  std::uint64_t base_;  // number of the task's packet 0
};

/// Follows the explicit numbers of MoldUDP64 messages.
class MoldSequence {
 public:
  /// A packet's header. Afterwards repeats(index) tells of its messages.
  [[nodiscard]] SequenceFinding header(const codec::MoldHeader& header);
  [[nodiscard]] bool repeats(std::uint32_t index) const noexcept { return index < repeated_; }
  [[nodiscard]] std::uint64_t repeated() const noexcept { return repeated_; }

  // What survives a restart: the session (empty: no header seen) and the number expected next.
  [[nodiscard]] std::string session() const {
    return known_ ? std::string{session_.data(), session_.size()} : std::string{};
  }
  [[nodiscard]] std::uint64_t expected() const noexcept { return expected_; }
  void restore(const std::string& session, std::uint64_t expected);

 private:
  bool known_ = false;
  std::array<char, 10> session_{};
  std::uint64_t expected_ = 0;
  std::uint64_t repeated_ = 0;  // messages at the packet's beginning that were there before
};

}  // namespace tickbridge::pipeline
