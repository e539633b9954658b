#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cache_line.h"
#include "sink/producer.h"

namespace tickbridge::sink {

/// What a queued message costs in the client library besides its key and value, bytes: rd_kafka_msg_t is 168
/// (2.0.2, x86-64), malloc's own 8, rounding up to 16 half of it; the rest is slack for newer versions.
/// With 8 + 100 bytes of key and value this gives 300; 287 were measured.
constexpr std::uint64_t kMessageCost = 192;
/// What a list of headers costs (rd_kafka_headers_t and its array), and each header in it besides its name
/// and value (rd_kafka_header_t). One header of 16 bytes then gives 176; 208 were measured with its rounding.
constexpr std::uint64_t kHeaderListCost = 112;
constexpr std::uint64_t kHeaderCost = 64;

/// A number of messages and what they cost in the client library, bytes.
struct Charge {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const Charge&, const Charge&) = default;
};

/// Messages in flight and their cost, in one atomic word so that both always belong together. Any thread.
class InFlight {
 public:
  static constexpr std::uint64_t kMaxCount = (1ULL << 23U) - 1;  ///< 24 bits, one of them to spare
  static constexpr std::uint64_t kMaxBytes = (1ULL << 39U) - 1;  ///< 40 bits, one of them to spare

  void add(Charge charge) noexcept { word_.fetch_add(pack(charge)); }
  /// REQUIRES: charge is part of what was added.
  Charge subtract(Charge charge) noexcept { return minus(unpack(word_.fetch_sub(pack(charge))), charge); }
  /// Takes `count` messages off, at the average cost of all that are in flight, and says what that was. A
  /// delivery event tells a count, not sizes; the average errs while sizes differ, and is exact again each
  /// time that nothing is left. REQUIRES: that many are in flight.
  Charge release(std::uint64_t count) noexcept;
  [[nodiscard]] Charge load() const noexcept { return unpack(word_.load()); }

 private:
  static constexpr unsigned kShift = 40;
  static constexpr std::uint64_t kMask = (1ULL << kShift) - 1;
  static std::uint64_t pack(Charge c) noexcept { return c.count << kShift | c.bytes; }
  static Charge unpack(std::uint64_t word) noexcept { return {word >> kShift, word & kMask}; }
  static Charge minus(Charge a, Charge b) noexcept { return {a.count - b.count, a.bytes - b.bytes}; }

  std::atomic<std::uint64_t> word_{0};
};

/// How many of `records` fit, from the first on, and what they cost.
struct Admitted {
  Charge charge;
  std::uint64_t refused_cost = 0;  ///< of the first that does not fit; 0: all fit
  bool timestamps = false;         ///< one at least of those that fit has a timestamp of its own
};

/// A lane's share of what may be in flight: who may take, who gives back, who is woken.
///
/// room / admit / take / give_back / ask_for_room: the committer (one thread at a time). release: the delivery
/// thread. One read-modify-write a call or event, never one a message.
class Admission {
 public:
  struct Limits {
    Charge share;                ///< the most that may be in flight
    bool one_at_a_time = false;  ///< nothing is taken while anything is in flight (send = "sync")
  };

  explicit Admission(const Limits& limits) noexcept : limits_{limits} {}

  /// What fits of `records`; each costs `fixed_cost` besides key and value. Takes nothing. The first record
  /// fits whenever nothing is in flight, whatever it costs: a record larger than the share must not stop the feed.
  [[nodiscard]] Admitted admit(std::span<const Outgoing> records, std::uint64_t fixed_cost) const noexcept;
  void take(Charge charge) noexcept { in_flight_.add(charge); }

  /// After a refusal: true if there is room again already; false: release() will say so, once. There is room
  /// when a quarter of the share is free, and `cost` bytes at least (so that a committer is not woken for each
  /// small event), or when nothing is in flight (so that it is woken at last).
  [[nodiscard]] bool ask_for_room(std::uint64_t cost) noexcept;

  /// Gives back what the library refused. The committer is awake: it needs no wake-up.
  void give_back(Charge charge) noexcept { in_flight_.subtract(charge); }
  /// Gives back what was delivered. True: the committer has asked for room and there is: wake it.
  [[nodiscard]] bool release(Charge charge) noexcept;

  [[nodiscard]] Charge in_flight() const noexcept { return in_flight_.load(); }  // any thread
  [[nodiscard]] const Limits& limits() const noexcept { return limits_; }

 private:
  [[nodiscard]] bool has_room(Charge used, std::uint64_t cost) const noexcept;

  const Limits limits_;
  // Shared by the committer and the delivery thread.
  alignas(kCacheLine) InFlight in_flight_;
  alignas(kCacheLine) std::atomic<bool> waiting_{false};
  std::atomic<std::uint64_t> wanted_{0};  ///< cost of what was refused; written before waiting_ is set
};

}  // namespace tickbridge::sink
