#include "sink/producer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>

#include "base/log.h"
#include "sink/conf.h"
#include "sink/connection.h"
#include "sink/delivery.h"
#include "sink/library_log.h"
#include "sink/sockets.h"
#include "sink/topics.h"
#include "sink/transactions.h"
#include "sink/versions.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;

/// What the feed holds: closes its lane when dropped. The lane itself stays with the producer until all is reported.
class OpenLane final : public Lane {
 public:
  explicit OpenLane(LaneCore& core) : core_{core} {}
  ~OpenLane() override { core_.close(); }
  OpenLane(const OpenLane&) = delete;
  OpenLane& operator=(const OpenLane&) = delete;

  std::size_t hand_over(std::int32_t partition, std::span<const Outgoing> records, std::int64_t arrived_ns) override {
    return core_.hand_over(partition, records, arrived_ns);
  }
  bool hand_over_dead_letter(const DeadLetter& letter) override { return core_.hand_over_dead_letter(letter); }
  bool ask_for_room() override { return core_.ask_for_room(); }
  const TopicInfo& topic() const noexcept override { return core_.topic(); }
  std::size_t dead_letter_max_bytes() const noexcept override { return core_.dead_letter_max_bytes(); }
  std::int64_t in_flight() const noexcept override { return core_.in_flight(); }
  bool settled() const noexcept override { return core_.settled(); }
  bool failed() const noexcept override { return core_.failed(); }
  void watch(const std::vector<std::int64_t>& next) override { core_.watch(next); }
  Acked acked(std::int32_t partition) const noexcept override { return core_.acked(partition); }
  std::uint64_t in_flight(std::int32_t partition) const noexcept override { return core_.in_flight(partition); }
  std::uint64_t dead_letters_acked() const noexcept override { return core_.dead_letters_acked(); }
  void expect_markers() override { core_.expect_markers(); }

 private:
  LaneCore& core_;
};

class OneProducer final : public Producer {
 public:
  OneProducer(ClientHandle handle, const ProducerOptions& options, Delivery delivery, Send send,
              std::function<void(const Error&)> on_fatal, bool transactional, metrics::DaemonMetrics* counts)
      : handle_{std::move(handle)}, queue_{rd_kafka_queue_get_main(handle_.get())}, options_{options} {
    client_.handle = handle_.get();
    client_.queue = queue_.get();
    client_.delivery = delivery;
    client_.send = send;
    client_.transactional = transactional;
    client_.counts = counts;
    delivery_ = std::make_unique<DeliveryThread>(client_, std::move(on_fatal));
  }
  ~OneProducer() override;
  OneProducer(const OneProducer&) = delete;
  OneProducer& operator=(const OneProducer&) = delete;

  Result<std::unique_ptr<Lane>> open_lane(std::string_view feed, const FeedOptions& options, const TopicOptions& topics,
                                          std::size_t lane_count, metrics::FeedMetrics& metrics, LaneEvents events,
                                          std::chrono::milliseconds deadline) override;
  bool flush(std::chrono::milliseconds deadline) override;
  Result<void> init_transactions(std::chrono::milliseconds deadline) override {
    return transactions_.init(SteadyClock::now() + deadline);
  }
  Result<void> begin_transaction() override { return transactions_.begin(); }
  Result<void> send_in_transaction(const std::string& topic, std::string_view key, std::string_view value) override {
    return transactions_.send(topic, key, value);
  }
  Result<void> commit_transaction(std::chrono::milliseconds deadline) override;
  bool failed() const noexcept override { return client_.failed.load(); }
  bool progressing(std::chrono::milliseconds limit) const noexcept override { return delivery_->progressing(limit); }
  bool can_write() const noexcept override { return client_.connected.load() && !client_.failed.load(); }

 private:
  ClientHandle handle_;
  QueueHandle queue_;
  const ProducerOptions options_;
  Client client_;
  Topics topics_{client_};              // start-up thread only
  Transactions transactions_{client_};  // one thread at a time
  std::unique_ptr<DeliveryThread> delivery_;
};

// What is still in flight is thrown away (flush() comes first if it matters), its reports are taken, so that the
// library frees every message; then the thread ends, then the topics, then the client.
OneProducer::~OneProducer() {
  client_.stopping.store(true);  // who hears of it could take a new producer at this address for this one
  client_.failed.store(true);    // nothing more is taken
  const SteadyTime deadline = SteadyClock::now() + 5s;
  if (rd_kafka_outq_len(handle_.get()) > 0) {
    rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(handle_.get()) > 0 && SteadyClock::now() < deadline) std::this_thread::sleep_for(1ms);
  }
  delivery_.reset();
  transactions_.clear();
  topics_.clear();
}

Result<std::unique_ptr<Lane>> OneProducer::open_lane(std::string_view feed, const FeedOptions& options,
                                                     const TopicOptions& topics, std::size_t lane_count,
                                                     metrics::FeedMetrics& metrics, LaneEvents events,
                                                     std::chrono::milliseconds deadline) {
  const SteadyTime until = SteadyClock::now() + deadline;
  const Result<Topic*> data = topics_.open_data(options.topic, topics, until);
  if (!data) return data.error();
  const Result<Topic*> dead = topics_.open_dead_letters(options.dead_letter_topic, topics, until);
  if (!dead) return dead.error();
  const auto partitions = static_cast<std::size_t>((*data)->info.partitions);
  LaneSetup setup{.feed = std::string{feed},
                  .headers = options.headers,
                  .data = *data,
                  .dead = *dead,
                  .info = {},
                  .limits = {.share = in_flight_share(options_, client_.delivery, lane_count, partitions),
                             .one_at_a_time = client_.send == Send::kSync}};
  leave_room_for_headers(setup);
  auto core = std::make_unique<LaneCore>(client_, std::move(setup), metrics, std::move(events));
  return std::unique_ptr<Lane>{std::make_unique<OpenLane>(delivery_->add(std::move(core)))};
}

bool OneProducer::flush(std::chrono::milliseconds deadline) {
  const SteadyTime until = SteadyClock::now() + deadline;
  constexpr int kSliceMs = 50;  // in slices: a fatal error ends the wait
  while (!client_.failed.load()) {
    if (rd_kafka_flush(handle_.get(), kSliceMs) == RD_KAFKA_RESP_ERR_NO_ERROR && delivery_->in_flight() == 0)
      return true;
    if (SteadyClock::now() >= until) return false;
    if (rd_kafka_outq_len(handle_.get()) == 0) std::this_thread::sleep_for(1ms);  // reports taken, credits not yet
  }
  return false;
}

// flush() first: what it waits for besides the library's own wait is that the lanes know (Lane::acked).
Result<void> OneProducer::commit_transaction(std::chrono::milliseconds deadline) {
  const SteadyTime until = SteadyClock::now() + deadline;
  const bool flushed = flush(deadline);
  return transactions_.commit(flushed ? until : SteadyClock::now());
}

}  // namespace

std::chrono::milliseconds transaction_timeout(const ProducerOptions& options) {
  const Properties properties = transactional(properties_for(options, Delivery::kTransactional, Send::kAsync), "id");
  return std::chrono::milliseconds{std::atoll(properties.at("transaction.timeout.ms").c_str())};
}

Result<std::unique_ptr<Producer>> Producer::create(const ProducerOptions& options, Delivery delivery, Send send,
                                                   std::function<void(const Error&)> on_fatal,
                                                   const std::string& transactional_id,
                                                   metrics::DaemonMetrics* counts) {
  const Result<std::string> version = check_library_version(rd_kafka_version(), delivery);
  if (!version) return version.error();
  if (!version->empty()) log_event(Event::kLibraryVersion, "{}", *version);
  Properties properties = properties_for(options, delivery, send);
  if (!transactional_id.empty()) properties = transactional(std::move(properties), transactional_id);
  Result<ConfHandle> conf = make_conf(properties);
  if (!conf) return conf.error();
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  log_to_ours(conf->get());
  if (delivery != Delivery::kAtMostOnce) reset_at_death(conf->get());
  std::array<char, 512> text{};
  ClientHandle handle{rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), text.data(), text.size())};
  if (!handle) {
    return refused_properties(text.data());
  }
  (void)conf->release();  // rd_kafka_new took it
  return std::unique_ptr<Producer>{std::make_unique<OneProducer>(
      std::move(handle), options, delivery, send, std::move(on_fatal), !transactional_id.empty(), counts)};
}

}  // namespace tickbridge::sink
