#include "pipeline/sequence.h"

#include <algorithm>

namespace tickbridge::pipeline {

SequenceFinding PacketSequence::login(const codec::soup::Accepted& accepted, std::uint32_t packet) {
  SequenceFinding finding;
  finding.first = !known_;
  finding.new_session = accepted.session != session_ && (known_ || !session_.empty());
  if (finding.new_session && expected_ != 0) expected_ = 1;
  if (expected_ == 0) expected_ = accepted.sequence;
  const std::uint64_t before = std::max(expected_, finding.new_session ? 0 : of(packet));
  if (accepted.sequence > before) {
    finding.gap_begin = before;
    finding.gap_end = accepted.sequence;
  }
  if (accepted.sequence < before) finding.repeats = before - accepted.sequence;
  expected_ = std::max(before, accepted.sequence);
  session_ = accepted.session;
  known_ = true;
  base_ = accepted.sequence - packet;
  return finding;
}

SequenceFinding MoldSequence::header(const codec::MoldHeader& header) {
  SequenceFinding finding;
  finding.first = !known_;
  finding.new_session = known_ && header.session != session_;
  if (finding.new_session) expected_ = 1;
  if (!known_) expected_ = header.sequence;
  known_ = true;
  session_ = header.session;
  const std::uint64_t count = header.count == codec::MoldHeader::kEndOfSession ? 0 : header.count;
  if (header.sequence > expected_) {
    finding.gap_begin = expected_;
    finding.gap_end = header.sequence;
  }
  repeated_ = header.sequence < expected_ ? std::min(count, expected_ - header.sequence) : 0;
  expected_ = std::max(expected_, header.sequence + count);
  return finding;
}

void MoldSequence::restore(const std::string& session, std::uint64_t expected) {
  if (session.size() != session_.size()) return;
  std::copy(session.begin(), session.end(), session_.begin());
  known_ = true;
  expected_ = expected;
}

}  // namespace tickbridge::pipeline
