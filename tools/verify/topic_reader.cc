#include "topic_reader.h"

#include <stdexcept>
#include <thread>
#include <utility>

namespace tickbridge::verify {
namespace {

using Clock = std::chrono::steady_clock;

// A full queue makes librdkafka 2.0.2 leave a partition alone for a whole second, so the queue must not fill up.
// Large fetches, no waiting (the embedded broker waits out fetch.wait.max.ms after every empty fetch), no checksums.
constexpr std::pair<const char*, const char*> kProperties[] = {
    {"enable.auto.commit", "false"},    {"enable.auto.offset.store", "false"},    {"enable.partition.eof", "true"},
    {"fetch.wait.max.ms", "10"},        {"fetch.message.max.bytes", "4194304"},   {"fetch.error.backoff.ms", "20"},
    {"queued.min.messages", "2000000"}, {"queued.max.messages.kbytes", "524288"}, {"check.crcs", "false"},
    {"reconnect.backoff.ms", "50"},     {"reconnect.backoff.max.ms", "500"},      {"socket.nagle.disable", "true"},
    {"auto.offset.reset", "earliest"},  {"log.connection.close", "false"},
};

void set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  char text[512];
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text) != RD_KAFKA_CONF_OK) {
    throw std::runtime_error(text);
  }
}

/// A broker that is away comes back; the library tries again by itself.
bool passing(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
         error == RD_KAFKA_RESP_ERR__RESOLVE || error == RD_KAFKA_RESP_ERR__TIMED_OUT;
}

/// `said`: takes the library's last error that says more than that nobody is there. By rd_kafka_poll only.
rd_kafka_t* new_consumer(const ReaderOptions& options, std::string& said) {
  std::unique_ptr<rd_kafka_conf_t, void (*)(rd_kafka_conf_t*)> conf(rd_kafka_conf_new(), rd_kafka_conf_destroy);
  for (const auto& [name, value] : kProperties) set(conf.get(), name, value);
  set(conf.get(), "bootstrap.servers", options.bootstrap);
  set(conf.get(), "isolation.level", options.isolation);
  for (const auto& [name, value] : options.properties) set(conf.get(), name, value);
  rd_kafka_conf_set_opaque(conf.get(), &said);
  rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t*, int error, const char* text, void* opaque) {
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) *static_cast<std::string*>(opaque) = text;
  });
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t* rk, int level, const char* facility, const char* text) {
    if (level <= 2) rd_kafka_log_print(rk, level, facility, text);
  });
  char text[512];
  rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), text, sizeof text);
  if (handle == nullptr) throw std::runtime_error(text);
  static_cast<void>(conf.release());  // the handle's now
  return handle;
}

}  // namespace

std::string Record::header(const char* name) const {
  rd_kafka_headers_t* headers = nullptr;
  const void* content = nullptr;
  std::size_t size = 0;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  if (rd_kafka_header_get_last(headers, name, &content, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return {static_cast<const char*>(content), size};
}

TopicReader::TopicReader(const ReaderOptions& options)
    : handle_(new_consumer(options, said_), rd_kafka_destroy),
      topic_(nullptr, rd_kafka_topic_destroy),
      queue_(rd_kafka_queue_new(handle_.get()), rd_kafka_queue_destroy) {}

TopicReader::~TopicReader() { stop(); }

void TopicReader::stop() noexcept {
  if (!topic_) return;
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    rd_kafka_consume_stop(topic_.get(), static_cast<std::int32_t>(i));
  }
}

std::int32_t TopicReader::partition_count(const std::string& topic, std::chrono::milliseconds wait) {
  const auto deadline = Clock::now() + wait;
  const std::unique_ptr<rd_kafka_topic_t, void (*)(rd_kafka_topic_t*)> asked(
      rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr), rd_kafka_topic_destroy);
  do {
    const struct rd_kafka_metadata* metadata = nullptr;
    const auto error = rd_kafka_metadata(handle_.get(), 0, asked.get(), &metadata, 2000);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const auto& answer = metadata->topics[0];
      const auto count = answer.err == RD_KAFKA_RESP_ERR_NO_ERROR ? answer.partition_cnt : 0;
      error_ = rd_kafka_err2str(answer.err);
      rd_kafka_metadata_destroy(metadata);
      if (count > 0) return count;
    } else {
      rd_kafka_poll(handle_.get(), 0);
      error_ = rd_kafka_err2str(error);
      if (!said_.empty()) error_ += "; " + said_;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  } while (Clock::now() < deadline);
  return 0;
}

void TopicReader::start(const std::string& topic, std::int32_t partitions) {
  topic_.reset(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
  partitions_.resize(static_cast<std::size_t>(partitions));
  error_.clear();
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    if (rd_kafka_consume_start_queue(topic_.get(), partition, RD_KAFKA_OFFSET_BEGINNING, queue_.get()) != 0) {
      throw std::runtime_error(rd_kafka_err2str(rd_kafka_last_error()));
    }
  }
}

std::uint64_t TopicReader::poll(std::chrono::milliseconds wait, const Visit& visit) {
  visit_ = &visit;
  const auto before = records_;
  rd_kafka_consume_callback_queue(queue_.get(), static_cast<int>(wait.count()), on_message, this);
  rd_kafka_poll(handle_.get(), 0);
  return records_ - before;
}

void TopicReader::on_message(rd_kafka_message_t* message, void* opaque) {
  static_cast<TopicReader*>(opaque)->take(*message);
}

void TopicReader::take(const rd_kafka_message_t& message) {
  const auto number = static_cast<std::size_t>(message.partition);
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return set_ended(partitions_[number], true);
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (!passing(message.err)) error_ = rd_kafka_message_errstr(&message);
    return;
  }
  Partition& partition = partitions_[number];
  if (partition.ended) set_ended(partition, false);
  if (message.offset > partition.next) skipped_ += static_cast<std::uint64_t>(message.offset - partition.next);
  partition.next = message.offset + 1;
  ++records_;
  (*visit_)({message.partition,
             message.offset,
             {static_cast<const char*>(message.key), message.key_len},
             {static_cast<const char*>(message.payload), message.len},
             &message});
}

void TopicReader::set_ended(Partition& partition, bool ended) noexcept {
  if (partition.ended == ended) return;
  partition.ended = ended;
  at_end_ += ended ? 1U : std::size_t(-1);
}

}  // namespace tickbridge::verify
