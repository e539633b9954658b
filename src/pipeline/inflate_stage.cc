#include "pipeline/inflate_stage.h"

#include <algorithm>
#include <thread>

namespace tickbridge::pipeline {

using net::Scan;

namespace {

constexpr std::size_t kMaxStep = std::size_t{128} << 10U;
constexpr std::size_t kMinRoom = 4096;

}  // namespace

InflateStage::InflateStage(const codec::Options& options, ring::ByteRing raw, ring::ByteRing& plain, Events events)
    : after_login_{options.transport == codec::Transport::kSoupBinTcp &&
                   options.compression_starts == codec::CompressionStart::kAfterLogin},
      max_ratio_{options.max_inflate_ratio},
      raw_{std::move(raw)},
      plain_{plain},
      events_{std::move(events)},
      inflater_{max_ratio_},
      scanner_{options} {}

void InflateStage::begin_connection(std::uint64_t connection) {
  // Idle, but a worker may be at a late request (the plain ring has room again) and find nothing: that is short.
  while (!turn_.try_enter()) std::this_thread::yield();
  connection_ = connection;
  const ring::Claim rest = raw_.claim(raw_.size());
  static_cast<void>(raw_.release(std::max({end_, rest.end, raw_.published()})));
  begin_ = end_ = raw_.published();
  inflater_.reset();
  scanner_.connected();
  plain_.discard_unpublished();
  compressed_ = !after_login_;
  output_waits_ = broken_ = false;
  for (std::uint32_t seen = 1; !turn_.leave(seen);) look();
}

bool InflateStage::idle() const noexcept { return looked_at_ == raw_.published() && turn_.idle() && !blocked_; }

bool InflateStage::run() {
  if (!requested_.take()) return false;
  if (!turn_.enter()) return true;
  std::uint32_t seen = 1;
  do {
    look();
  } while (!turn_.leave(seen));
  return true;
}

void InflateStage::look() {
  blocked_ = false;
  while (step()) {
  }
}

// false: nothing more to do now.
bool InflateStage::step() {
  const std::uint64_t published = raw_.published();
  if (begin_ == end_ || !compressed_) {
    const ring::Claim more = raw_.claim(kMaxStep);
    if (more.size() != 0) {
      end_ = more.end;
      received_ns_ = more.received_ns;
      arrived_ns_ = more.arrived_ns;
    } else if (begin_ == end_ && !output_waits_) {
      looked_at_ = published;
      return false;
    }
  }
  if (broken_) {
    used(end_ - begin_);
    output_waits_ = false;
    return true;
  }
  const std::size_t need = compressed_ ? kMinRoom : scanner_.max_packet_bytes();
  if (plain_.writable().size() < need && !plain_.wait_for_space(std::max(need, plain_.size() / 8))) {
    blocked_ = true;
    return false;
  }
  const Bytes input = raw_.bytes(begin_, end_);
  const bool goes_on = compressed_ ? inflate(input) : pass_plain(input);
  if (!goes_on) looked_at_ = published;
  return goes_on;
}

// Before the login's answer the server speaks plainly: whole packets are copied, what follows the answer is not.
bool InflateStage::pass_plain(Bytes input) {
  const MutableBytes room = plain_.writable();
  const Scan scan = scanner_.scan(input.first(std::min(input.size(), room.size())));
  std::copy_n(input.begin(), scan.whole, room.begin());
  plain_.wrote(scan.whole);
  plain_.publish(scan.whole, received_ns_, arrived_ns_);
  used(scan.whole);
  report(scan);
  if (scan.stop == Scan::Stop::kAccepted) compressed_ = true;
  if (scan.stop == Scan::Stop::kBroken) broken_ = true;
  return scan.stop != Scan::Stop::kMore || scan.whole != 0 || end_ != raw_.published();
}

bool InflateStage::inflate(Bytes input) {
  const MutableBytes room = plain_.writable();
  const MutableBytes out = room.first(std::min(room.size(), kMaxStep));
  const codec::StreamInflater::Step step = inflater_.step(input, out);
  plain_.wrote(step.given);
  output_waits_ = step.given == out.size();
  used(step.taken);
  publish_packets();
  if (broken_) return true;
  if (step.reason == codec::Reason::kInflateLimit)
    break_off("a zlib stream that inflates beyond max_inflate_ratio");
  else if (step.reason != codec::Reason::kNone)
    break_off("bytes that are no zlib stream");
  else if (step.ended && begin_ != end_)
    break_off("bytes behind the end of its zlib stream");
  else if (step.taken == 0 && step.given == 0 && begin_ != end_ && !output_waits_)
    break_off("a zlib stream that stands still");
  return true;
}

void InflateStage::publish_packets() {
  for (;;) {
    const Scan scan = scanner_.scan(plain_.unpublished());
    plain_.publish(scan.whole, received_ns_, arrived_ns_);
    if (scan.whole != 0 || scan.stop != Scan::Stop::kMore) report(scan);
    if (scan.stop == Scan::Stop::kBroken) broken_ = true;
    if (scan.stop == Scan::Stop::kMore || broken_) break;
  }
}

void InflateStage::report(const Scan& scan) {
  if (scan.whole != 0) events_.on_published();
  events_.on_scan(connection_, scan);
}

void InflateStage::used(std::size_t n) {
  begin_ += n;
  if (n != 0 && raw_.release(begin_)) events_.on_raw_space();
}

void InflateStage::break_off(const char* problem) {
  broken_ = true;
  Scan scan;
  scan.stop = Scan::Stop::kBroken;
  scan.problem = problem;
  report(scan);
}

}  // namespace tickbridge::pipeline
