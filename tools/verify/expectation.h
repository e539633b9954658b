#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "message_file.h"
#include "routes.h"

namespace tickbridge::verify {

/// Messages of one key in one partition: within a stream the order is promised.
struct Stream {
  std::int32_t partition = 0;
  std::string key;                    ///< empty: without key
  std::vector<std::uint64_t> hashes;  ///< of the values, in feed order
};

constexpr std::uint32_t kNoStream = 0xffffffff;

/// Finds a stream by partition and key: one look into a small table, as it is done once a message.
class StreamIndex {
 public:
  [[nodiscard]] std::uint32_t find(std::int32_t partition, std::string_view key) const noexcept;
  void add(std::int32_t partition, std::string_view key, std::uint32_t stream);

 private:
  struct Slot {
    std::uint64_t name = 0;
    std::uint32_t stream = kNoStream;
  };
  void insert(Slot slot);
  std::vector<Slot> slots_ = std::vector<Slot>(1024);
  std::size_t used_ = 0;
};

/// How the file's messages become records.
struct Rules {
  bool raw = false;          ///< protocol = "raw": no checks, no instrument
  bool pass_unknown = true;  ///< on_unknown = "pass"
  RouteRules routes;
  std::uint32_t loops = 1;  ///< the file that many times over, in one session
};

/// What the topic must hold, about 8 bytes a message.
class Expectation {
 public:
  Expectation(MessageFile& file, const Rules& rules, std::int32_t partition_count);
  /// For tests: streams given by hand.
  explicit Expectation(std::vector<Stream> streams);

  [[nodiscard]] const std::vector<Stream>& streams() const noexcept { return streams_; }
  [[nodiscard]] const StreamIndex& index() const noexcept { return index_; }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  [[nodiscard]] std::uint64_t kept_out() const noexcept { return kept_out_; }
  [[nodiscard]] const std::array<std::uint64_t, 256>& by_type() const noexcept { return by_type_; }

 private:
  void add(const Route& route, std::string_view value);
  std::vector<Stream> streams_;
  StreamIndex index_;
  std::uint64_t total_ = 0;
  std::uint64_t kept_out_ = 0;  ///< invalid ones, and unknown ones where they are not passed on
  std::array<std::uint64_t, 256> by_type_{};
};

[[nodiscard]] Message look_at(std::string_view bytes, const Rules& rules) noexcept;

/// The file's messages that must be in the topic, each with its route, in feed order.
template <typename Visit>
void for_each_expected(MessageFile& file, const Rules& rules, std::int32_t partition_count, Visit&& visit) {
  Routes routes(rules.routes, partition_count);
  for (std::uint32_t loop = 0; loop < rules.loops; ++loop) {
    file.rewind();
    for (std::string_view bytes; file.next(bytes);) {
      const Message message = look_at(bytes, rules);
      const bool expected = !message.invalid && (rules.pass_unknown || !message.unknown);
      visit(bytes, expected, expected ? routes.of(message, bytes) : Route{});
    }
  }
}

}  // namespace tickbridge::verify
