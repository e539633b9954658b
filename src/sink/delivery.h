#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sink/client.h"
#include "sink/lane.h"

namespace tickbridge::sink {

/// Takes delivery reports and errors from the client's main queue and tells the lanes. Owns its thread.
class DeliveryThread {
 public:
  DeliveryThread(Client& client, std::function<void(const Error&)> on_fatal);
  ~DeliveryThread();
  DeliveryThread(const DeliveryThread&) = delete;
  DeliveryThread& operator=(const DeliveryThread&) = delete;

  /// Adds a lane; from then on it is told. Start-up thread.
  LaneCore& add(std::unique_ptr<LaneCore> lane);
  /// False if it has been at one piece of work for longer than `limit`. Any thread.
  [[nodiscard]] bool progressing(milliseconds limit) const noexcept;
  /// Messages in flight, over all lanes. Any thread.
  [[nodiscard]] std::int64_t in_flight() const;

 private:
  // The delivery thread.
  void run(const std::stop_token& stop);
  void handle(EventHandle event);
  void handle_reports(EventHandle event);
  void handle_each(rd_kafka_event_t* event, const rd_kafka_message_t* first);
  void handle_error(rd_kafka_event_t* event);
  void handle_fatal();
  void after_refusal(const LaneCore& lane);
  void look_after_lanes();
  void look_for_stalls();
  void forget_lanes();
  void look_after_fatal();
  void look_after_connection();
  void tell_fatal(const std::string& why);
  template <class Function>
  void for_each_lane(const Function& function) const;

  Client& client_;
  const std::function<void(const Error&)> on_fatal_;

  mutable std::mutex mutex_;  // guards lanes_; the delivery thread alone takes one away
  std::vector<std::unique_ptr<LaneCore>> lanes_;

  std::atomic<SteadyClock::rep> beat_{SteadyClock::now().time_since_epoch().count()};  // when it began its last round

  // The delivery thread only.
  bool fatal_told_ = false;
  std::optional<SteadyTime> fatal_due_;  ///< a refusal under the gapless guarantee is awaited until then
  std::string fatal_text_;
  SteadyTime next_probe_{};
  SteadyTime next_look_{};
  SteadyTime next_stall_probe_{};
  SteadyTime still_since_{};  ///< no answer since, as the last look found
  SteadyTime all_back_{};     ///< the end of the last long standstill of all
  bool answered_ = false;     ///< since the last look

  std::jthread thread_;  // last: it uses all above
};

}  // namespace tickbridge::sink
