#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "base/result.h"
#include "sink/client.h"
#include "sink/conf.h"

namespace tickbridge::sink {

/// A client of the library beside the feeds' producer (a reader, the notes' writer, a fence), with a thread that takes
/// its events: errors are kept for messages (Client::last_error), delivery reports go to `on_reports`.
class SideClient {
 public:
  struct Setup {
    rd_kafka_type_t type = RD_KAFKA_CONSUMER;
    Properties properties;
    std::function<void(rd_kafka_event_t*)> on_reports{};  ///< the client's thread; none: reports are not asked for
    /// The library's log; its opaque is `log_opaque`. None: into ours.
    void (*log)(const rd_kafka_t*, int, const char*, const char*) = nullptr;
    void* log_opaque = nullptr;
  };
  /// Errors: kConfig for what the library refuses, named.
  [[nodiscard]] static Result<std::unique_ptr<SideClient>> create(Setup setup);
  /// One with the properties of a producer for this delivery and send, without a transactional id: it is asked what
  /// that one would be told.
  [[nodiscard]] static Result<std::unique_ptr<SideClient>> like_producer(const ProducerOptions& options,
                                                                         Delivery delivery, Send send);
  ~SideClient();
  SideClient(const SideClient&) = delete;
  SideClient& operator=(const SideClient&) = delete;

  [[nodiscard]] Client& client() noexcept { return client_; }
  [[nodiscard]] rd_kafka_t* handle() const noexcept { return handle_.get(); }

 private:
  SideClient(ClientHandle handle, Setup setup);
  void run(const std::stop_token& stop);

  const Setup setup_;
  ClientHandle handle_;
  QueueHandle queue_;
  Client client_;
  std::jthread thread_;  // last: it uses all above
};

}  // namespace tickbridge::sink
