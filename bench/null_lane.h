#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sink/producer.h"

namespace tickbridge::bench {

/// Takes everything and forgets it, after touching it as the library would.
class NullLane final : public sink::Lane {
 public:
  explicit NullLane(std::int32_t partitions) {
    info_.partitions = partitions;
    info_.max_record_bytes = 1'000'000;
  }
  std::size_t hand_over(std::int32_t, std::span<const sink::Outgoing> records, std::int64_t) override {
    for (const auto& record : records) sum_ += static_cast<std::uint64_t>(record.value[0]) + record.key_size;
    return records.size();
  }
  bool hand_over_dead_letter(const sink::DeadLetter&) override { return true; }
  bool ask_for_room() override { return true; }
  const sink::TopicInfo& topic() const noexcept override { return info_; }
  std::size_t dead_letter_max_bytes() const noexcept override { return 1'000'000; }
  std::int64_t in_flight() const noexcept override { return 0; }
  std::uint64_t in_flight(std::int32_t) const noexcept override { return 0; }
  bool settled() const noexcept override { return true; }
  bool failed() const noexcept override { return false; }
  void watch(const std::vector<std::int64_t>&) override {}
  sink::Acked acked(std::int32_t) const noexcept override { return {}; }
  std::uint64_t dead_letters_acked() const noexcept override { return 0; }
  void expect_markers() override {}

 private:
  sink::TopicInfo info_;
  std::uint64_t sum_ = 0;
};

}  // namespace tickbridge::bench
