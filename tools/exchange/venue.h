#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "exchange/image.h"
#include "exchange/login.h"
#include "exchange/options.h"
#include "exchange/pacer.h"
#include "exchange/random.h"

namespace tickbridge::exchange {

/// One trading session: its name, its packets, and when they exist.
struct Session {
  Session(Bytes records, const Options& options, const WireOptions& wire);

  std::string name;
  Image image;
  Pacer pacer;
  std::uint64_t hole_begin = 0;  ///< first packet that nobody can have, and
  std::uint64_t hole_end = 0;    ///< the first after it that one can

  /// How many packets exist now.
  [[nodiscard]] std::uint64_t packets(SteadyTime now) { return image.packets_within(pacer.messages(now)); }
  /// The same, but kNever once all exist. Without a pace that is always, and nothing is counted.
  [[nodiscard]] std::uint64_t existing(SteadyTime now);
};

/// What a login gets.
struct LoginAnswer {
  enum class Kind : std::uint8_t { kAccepted, kRejected, kSilence };
  Kind kind = Kind::kAccepted;
  char reason = 'A';           ///< kRejected
  Session* session = nullptr;  ///< kAccepted
  std::string session_name;    ///< as told to the client
  std::uint64_t sequence = 1;  ///< number of the first packet it will get
};

/// The exchange without its sockets: sessions, who may log in, where a client begins, what goes wrong. One thread.
class Venue {
 public:
  /// REQUIRES: records and options outlive this.
  Venue(Bytes records, Options& options);

  [[nodiscard]] LoginAnswer login(const LoginRequest& request, SteadyTime now);
  [[nodiscard]] Session& current() { return *sessions_[current_]; }
  /// A client got all of the session: logins that name none get the next one from now on.
  void served(const Session& session);
  /// True once the last session has been served.
  [[nodiscard]] bool all_served() const noexcept { return all_served_; }

  /// The fault that comes first after this packet or later, and has not happened; null: none.
  [[nodiscard]] Break* next_break(std::uint64_t packet) noexcept;
  /// The next login is answered `packets` lower than it asks.
  void arrange_repeat(std::uint64_t packets) noexcept { repeat_once_ = packets; }
  /// After how many packets a connection is to be cut. 2^64-1: never.
  [[nodiscard]] std::uint64_t draw_cut() noexcept;
  [[nodiscard]] Random& random() noexcept { return random_; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }

 private:
  [[nodiscard]] Session* named(const std::string& name);
  [[nodiscard]] bool authorised(const LoginRequest& request) const;
  [[nodiscard]] std::uint64_t first_packet(Session& session, std::uint64_t asked, SteadyTime now);

  Options& options_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::size_t current_ = 0;
  bool all_served_ = false;
  Random random_;
  std::uint64_t repeat_once_ = 0;
  std::uint32_t silent_left_;
  std::uint32_t rejections_left_;
  std::uint32_t other_sessions_left_;
};

/// The name of the n-th session after the one named `first`: a number goes up, other names get a number behind them.
[[nodiscard]] std::string session_name(const std::string& first, std::uint32_t n);

}  // namespace tickbridge::exchange
