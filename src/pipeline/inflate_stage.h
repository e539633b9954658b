#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "codec/inflate.h"
#include "codec/options.h"
#include "net/scanner.h"
#include "ring/byte_ring.h"
#include "ring/flag.h"
#include "ring/turn.h"

namespace tickbridge::pipeline {

/// Turns a connection's compressed bytes (raw ring) into plain ones (plain ring) and finds packets there: the
/// in-order step of compression = "zlib-stream". One worker at a time does it; none waits for another.
class InflateStage {
 public:
  struct Events {
    std::function<void(std::uint64_t connection, const net::Scan&)> on_scan;  ///< packets found
    std::function<void()> on_raw_space;                                       ///< wake the reader
    std::function<void()> on_published;                                       ///< plain bytes can be claimed
  };

  InflateStage(const codec::Options& options, ring::ByteRing raw, ring::ByteRing& plain, Events events);

  // --- main thread ---
  [[nodiscard]] ring::ByteRing& raw() noexcept { return raw_; }
  /// REQUIRES: idle().
  void begin_connection(std::uint64_t connection);
  /// True when everything published in raw() has been looked at, and nobody works on it.
  [[nodiscard]] bool idle() const noexcept;

  // --- any thread ---
  /// Asks for a run: raw bytes came, or the plain ring has room again.
  void request() noexcept { requested_.raise(); }
  [[nodiscard]] bool wanted() const noexcept { return requested_.raised(); }

  // --- workers ---
  /// Runs if a run is wanted and nobody else does. true: it did something.
  bool run();

 private:
  void look();
  [[nodiscard]] bool step();
  [[nodiscard]] bool pass_plain(Bytes input);
  [[nodiscard]] bool inflate(Bytes input);
  void publish_packets();
  void report(const net::Scan& scan);
  void used(std::size_t n);
  void break_off(const char* problem);

  // constant after construction
  bool after_login_;
  std::size_t max_ratio_;
  ring::ByteRing raw_;
  ring::ByteRing& plain_;
  Events events_;

  // the holder of the turn
  codec::StreamInflater inflater_;
  net::PacketScanner scanner_;
  std::uint64_t connection_ = 0;
  std::uint64_t begin_ = 0;  // raw bytes begin_ .. end_ are claimed and not used up
  std::uint64_t end_ = 0;
  std::int64_t received_ns_ = 0;
  std::int64_t arrived_ns_ = 0;
  bool compressed_ = false;    // the plain bytes before the login's answer are through
  bool output_waits_ = false;  // the inflater may hold output that found no room
  bool broken_ = false;        // drop what comes until the next connection

  // shared
  ring::Turn turn_;
  ring::Flag requested_;
  std::atomic<bool> blocked_{false};         // left because the plain ring is full
  std::atomic<std::uint64_t> looked_at_{0};  // raw_.published() when all of it was looked at
};

}  // namespace tickbridge::pipeline
