#include "pipeline/workers.h"

#include <pthread.h>

#include <algorithm>
#include <string>

namespace tickbridge::pipeline {

Workers::Workers(std::size_t count, std::vector<Feed*> feeds, ring::Parking& parking)
    : feeds_{std::move(feeds)}, parking_{parking}, beats_(count) {
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([this, i](const std::stop_token& stop) { run(stop, i); });
    ::pthread_setname_np(threads_.back().native_handle(), ("worker-" + std::to_string(i)).c_str());
  }
}

void Workers::stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  parking_.wake_all();
  threads_.clear();
}

void Workers::run(const std::stop_token& stop, std::size_t index) {
  std::atomic<SteadyClock::rep>& since = beats_[index].since;
  for (std::size_t first = index; !stop.stop_requested(); ++first) {
    since = SteadyClock::now().time_since_epoch().count();
    if (look_once(first)) continue;
    const ring::Parking::Ticket ticket = parking_.ticket();
    const bool work = std::any_of(feeds_.begin(), feeds_.end(), [](const Feed* feed) { return feed->has_work(); });
    if (work || stop.stop_requested()) {
      parking_.stay();
      continue;
    }
    since = 0;
    parking_.sleep(ticket);
  }
}

bool Workers::progressing(milliseconds limit) const noexcept {
  const SteadyClock::rep oldest = (SteadyClock::now() - limit).time_since_epoch().count();
  return std::none_of(beats_.begin(), beats_.end(), [oldest](const Beat& beat) {
    const SteadyClock::rep since = beat.since;
    return since != 0 && since < oldest;
  });
}

// Each round begins with another feed, so that none starves.
bool Workers::look_once(std::size_t first) {
  bool did = false;
  for (std::size_t i = 0; i < feeds_.size(); ++i) did |= feeds_[(first + i) % feeds_.size()]->work();
  return did;
}

}  // namespace tickbridge::pipeline
