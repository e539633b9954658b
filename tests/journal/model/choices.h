#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace tickbridge::journal::model {

/// Where a run's schedule comes from: the only source of chance in the model.
class Choices {
 public:
  virtual ~Choices() = default;
  /// One of `count` alternatives; 0 is what normally happens. REQUIRES: count > 0.
  virtual std::size_t choose(std::size_t count) = 0;
  /// What breaks: one of `count`, 0 = nothing.
  virtual std::size_t fault(std::size_t count) { return choose(count); }
};

/// The default everywhere but at the given places (place, alternative), in order of place. Notes how many there were.
class Departures : public Choices {
 public:
  using List = std::vector<std::pair<std::size_t, std::size_t>>;
  explicit Departures(List list) : list_{std::move(list)} {}
  std::size_t choose(std::size_t count) override {
    const std::size_t place = counts_.size();
    counts_.push_back(count);
    if (next_ == list_.size() || list_[next_].first != place) return 0;
    return list_[next_++].second;
  }
  [[nodiscard]] const std::vector<std::size_t>& counts() const noexcept { return counts_; }

 private:
  List list_;
  std::size_t next_ = 0;
  std::vector<std::size_t> counts_;
};

/// All combinations of the choices of one action, one after the other.
class Combinations : public Choices {
 public:
  std::size_t choose(std::size_t count) override {
    if (at_ == chosen_.size()) chosen_.emplace_back(0, count);
    return chosen_[at_++].first;
  }
  /// To be called before the action is taken again. False: that was the last one.
  bool next() {
    at_ = 0;
    while (!chosen_.empty() && ++chosen_.back().first == chosen_.back().second) chosen_.pop_back();
    return !chosen_.empty();
  }

 private:
  std::vector<std::pair<std::size_t, std::size_t>> chosen_;  // of how many
  std::size_t at_ = 0;
};

class RandomChoices : public Choices {
 public:
  explicit RandomChoices(std::uint64_t seed) : random_{seed} {
    steadiness_ = 1 + random_() % 4;
    fault_every_ = 20 + random_() % 200;
  }
  std::size_t choose(std::size_t count) override {
    if (random_() % steadiness_ != 0) return 0;
    return static_cast<std::size_t>(random_() % count);
  }
  std::size_t fault(std::size_t count) override {
    if (count == 1 || random_() % fault_every_ != 0) return 0;
    return 1 + static_cast<std::size_t>(random_() % (count - 1));
  }

 private:
  std::mt19937_64 random_;
  std::uint64_t steadiness_;
  std::uint64_t fault_every_;
};

}  // namespace tickbridge::journal::model
