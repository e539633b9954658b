#pragma once

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <semaphore>
#include <span>
#include <string>
#include <thread>

#include "sink/conf.h"
#include "sink/handles.h"

namespace tickbridge::bench {

/// What is in flight, bounded. take() by the thread that hands over, give() by the one that takes delivery events.
class Window {
 public:
  explicit Window(std::size_t limit) : limit_{limit} {}
  void take(std::size_t count) {
    if (in_flight_.load() + count > limit_) {
      waiting_.exchange(true);
      if (in_flight_.load() > low() || !waiting_.exchange(false)) room_.acquire();
    }
    in_flight_.fetch_add(count);
  }
  void give(std::size_t count) {
    const std::size_t left = in_flight_.fetch_sub(count) - count;
    if (left <= low() && waiting_.load() && waiting_.exchange(false)) room_.release();
  }

 private:
  [[nodiscard]] std::size_t low() const { return limit_ * 3 / 4; }
  std::size_t limit_;
  std::atomic<std::size_t> in_flight_{0};
  std::atomic<bool> waiting_{false};
  std::counting_semaphore<> room_{0};
};

/// The client library used as well as it can be, and nothing else: the daemon's own properties (and the user's), a
/// bound on what is in flight, delivery events that are counted, not walked.
class BareClient {
 public:
  /// Delivery events, on the thread that takes them: so many records of this partition are acknowledged.
  using Acknowledged = std::function<void(std::int32_t partition, std::size_t count)>;

  BareClient(const sink::ProducerOptions& options, const std::string& topic, Acknowledged acknowledged = {})
      : window_{options.max_in_flight_messages}, acknowledged_{std::move(acknowledged)} {
    auto conf = sink::make_conf(properties_for(options, sink::Delivery::kExactlyOnce, sink::Send::kAsync));
    if (!conf) die(conf.error().message);
    rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_DR);
    std::array<char, 512> text{};
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), text.data(), text.size()));
    if (!client_) die(text.data());
    static_cast<void>(conf->release());  // the client's now
    queue_.reset(rd_kafka_queue_get_main(client_.get()));
    topic_.reset(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
    const rd_kafka_metadata_t* found = nullptr;
    if (const auto code = rd_kafka_metadata(client_.get(), 0, topic_.get(), &found, 10'000))
      die(rd_kafka_err2str(code));
    rd_kafka_metadata_destroy(found);
    poller_ = std::jthread{[this](const std::stop_token& stop) { poll(stop); }};
  }
  ~BareClient() { poller_.request_stop(); }
  BareClient(const BareClient&) = delete;
  BareClient& operator=(const BareClient&) = delete;

  void batch(std::int32_t partition, std::span<rd_kafka_message_t> messages) {
    window_.take(messages.size());
    const int count = static_cast<int>(messages.size());
    if (rd_kafka_produce_batch(topic_.get(), partition, RD_KAFKA_MSG_F_COPY, messages.data(), count) != count) {
      die("a message was refused");
    }
  }
  void singles(std::int32_t partition, std::span<const rd_kafka_message_t> messages, std::int64_t timestamp_ms) {
    window_.take(messages.size());
    std::array<rd_kafka_vu_t, 6> parts{};
    parts[0].vtype = RD_KAFKA_VTYPE_RKT;
    parts[0].u.rkt = topic_.get();
    parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    parts[1].u.i32 = partition;
    parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[2].u.i = RD_KAFKA_MSG_F_COPY;
    parts[3].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[4].vtype = RD_KAFKA_VTYPE_KEY;
    parts[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    parts[5].u.i64 = timestamp_ms;
    for (const rd_kafka_message_t& message : messages) {
      parts[3].u.mem = {message.payload, message.len};
      parts[4].u.mem = {message.key, message.key_len};
      if (rd_kafka_produceva(client_.get(), parts.data(), parts.size()) != nullptr) die("a message was refused");
    }
  }
  void flush() {
    if (rd_kafka_flush(client_.get(), 120'000) != RD_KAFKA_RESP_ERR_NO_ERROR) die("not all was acknowledged in 120 s");
  }

 private:
  [[noreturn]] static void die(const std::string& what) {
    fmt::print(stderr, "the bare client: {}\n", what);
    std::exit(1);
  }
  void poll(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      sink::EventHandle event{rd_kafka_queue_poll(queue_.get(), 50)};
      if (!event) continue;
      const std::size_t count = rd_kafka_event_message_count(event.get());
      if (acknowledged_ && count != 0) acknowledged_(rd_kafka_event_message_next(event.get())->partition, count);
      event.reset();
      window_.give(count);
    }
  }

  Window window_;
  Acknowledged acknowledged_;
  sink::ClientHandle client_;
  sink::QueueHandle queue_;
  sink::TopicHandle topic_;
  std::jthread poller_;
};

}  // namespace tickbridge::bench
