#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "sink/producer.h"

namespace tickbridge::tests {

/// A lane that keeps what it is handed, and is full at random. Order and completeness can be read from `taken`.
class FakeLane final : public sink::Lane {
 public:
  struct Taken {
    std::string key;
    std::string value;
    std::int64_t timestamp_ms = 0;
    std::uint64_t sequence = 0;
    bool operator==(const Taken&) const = default;
  };
  struct Dead {
    std::string value;
    std::string reason;
    std::string session;
    std::uint64_t sequence = 0;
    std::uint32_t index = 0;
    std::size_t full_size = 0;
  };

  explicit FakeLane(std::int32_t partitions, std::uint64_t seed = 0) : random_{seed}, moody_{seed != 0} {
    info_.partitions = partitions;
    info_.max_record_bytes = 1000;
    taken.resize(static_cast<std::size_t>(partitions));
  }

  std::size_t hand_over(std::int32_t partition, std::span<const sink::Outgoing> records, std::int64_t) override {
    if (before_hand_over) before_hand_over();
    busy_.lock();  // aborts nothing, but TSan would show two committers at once
    std::size_t n = std::min(records.size(), room_);
    if (moody_) n = std::min<std::size_t>(n, random_() % (records.size() + 1));
    for (const sink::Outgoing& record : records.first(n)) {
      taken[static_cast<std::size_t>(partition)].push_back(
          {std::string{record.key_size == 0 ? "" : std::string{record.key, record.key_size}},
           std::string{reinterpret_cast<const char*>(record.value), record.value_size}, record.timestamp_ms,
           record.sequence});
    }
    if (room_ != kUnlimited) room_ -= n;
    busy_.unlock();
    return n;
  }
  bool hand_over_dead_letter(const sink::DeadLetter& letter) override {
    if (moody_ && random_() % 2 == 0) return false;
    dead.push_back({std::string{as_text(letter.value)}, std::string{letter.reason}, std::string{letter.session},
                    letter.sequence, letter.index, letter.full_size});
    return true;
  }
  bool ask_for_room() override {
    ++asked;
    return moody_ && random_() % 2 == 0;
  }
  const sink::TopicInfo& topic() const noexcept override { return info_; }
  std::size_t dead_letter_max_bytes() const noexcept override { return 1000; }
  std::int64_t in_flight() const noexcept override { return 0; }
  bool settled() const noexcept override { return true; }
  bool failed() const noexcept override { return false; }
  void watch(const std::vector<std::int64_t>&) override {}
  sink::Acked acked(std::int32_t partition) const noexcept override {
    const auto count = static_cast<std::int64_t>(taken[static_cast<std::size_t>(partition)].size());
    return {.count = static_cast<std::uint64_t>(count), .last_offset = count - 1};
  }
  std::uint64_t in_flight(std::int32_t) const noexcept override { return 0; }
  std::uint64_t dead_letters_acked() const noexcept override { return dead.size(); }
  void expect_markers() override {}

  void set_room(std::size_t room) { room_ = room; }
  static constexpr std::size_t kUnlimited = ~std::size_t{0};

  std::vector<std::vector<Taken>> taken;  // by partition
  std::vector<Dead> dead;
  std::atomic<std::uint64_t> asked{0};
  std::function<void()> before_hand_over;

 private:
  sink::TopicInfo info_;
  std::mt19937_64 random_;
  bool moody_;
  std::size_t room_ = kUnlimited;
  std::mutex busy_;
};

}  // namespace tickbridge::tests
