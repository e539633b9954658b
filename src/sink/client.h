#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "metrics/registry.h"
#include "sink/handles.h"
#include "sink/options.h"

namespace tickbridge::sink {

/// What the producer, its lanes and the delivery thread know together about the one client.
struct Client {
  // Constant after construction.
  rd_kafka_t* handle = nullptr;
  rd_kafka_queue_t* queue = nullptr;  ///< its main queue: delivery reports and errors
  Delivery delivery = Delivery::kAtLeastOnce;
  Send send = Send::kAsync;
  bool transactional = false;                ///< has a transactional id
  metrics::DaemonMetrics* counts = nullptr;  ///< of errors, where somebody wants them

  // Shared atomics, any thread.
  std::atomic<bool> connected{false};                  ///< a broker has answered since all were last reported down
  std::atomic<bool> failed{false};                     ///< a fatal error: nothing is taken any more
  std::atomic<bool> stopping{false};                   ///< the producer is being destroyed
  std::atomic<SteadyClock::rep> transaction_begun{0};  ///< the newest one, SteadyClock's ticks; 0: none
  std::atomic<bool> attention{false};  ///< a lane has something for the delivery thread (LaneCore::attend)

  /// The last error that the library told, for messages of those who wait at start. That all brokers are down, or that
  /// a send failed, follows from another, which says more.
  void note_error(rd_kafka_resp_err_t code, std::string text) {
    const std::scoped_lock lock{mutex_};
    const bool follows = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || text.find("Broken pipe") != text.npos;
    if (follows && last_code_ != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    last_code_ = code;
    last_text_ = std::move(text);
  }
  /// A broker has answered: what was before is over.
  void forget_error() {
    const std::scoped_lock lock{mutex_};
    last_code_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    last_text_.clear();
  }
  [[nodiscard]] std::pair<rd_kafka_resp_err_t, std::string> last_error() const {
    const std::scoped_lock lock{mutex_};
    return {last_code_, last_text_};
  }

 private:
  mutable std::mutex mutex_;  // guards last_*
  rd_kafka_resp_err_t last_code_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string last_text_;
};

}  // namespace tickbridge::sink
