#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tickbridge::verify {

struct ReaderOptions {
  std::string bootstrap;
  std::string isolation = "read_committed";
  std::map<std::string, std::string> properties;  ///< the client library's own: security, and whatever else
};

/// One record; valid during the visit only.
struct Record {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string_view key;
  std::string_view value;
  const rd_kafka_message_t* message = nullptr;

  [[nodiscard]] std::int64_t timestamp_ms() const noexcept { return rd_kafka_message_timestamp(message, nullptr); }
  [[nodiscard]] std::string header(const char* name) const;
};

/// Reads all partitions of a topic from their beginning. One thread.
class TopicReader {
 public:
  using Visit = std::function<void(const Record&)>;

  explicit TopicReader(const ReaderOptions& options);
  ~TopicReader();
  TopicReader(const TopicReader&) = delete;
  TopicReader& operator=(const TopicReader&) = delete;

  /// How many partitions the topic has; 0 where it, or every broker, is not there within `wait`.
  [[nodiscard]] std::int32_t partition_count(const std::string& topic, std::chrono::milliseconds wait);
  void start(const std::string& topic, std::int32_t partitions);
  /// Visits what has arrived, waiting for it if need be; returns how many records that were.
  std::uint64_t poll(std::chrono::milliseconds wait, const Visit& visit);
  /// Every partition was read to the end it had when that was last looked at.
  [[nodiscard]] bool at_end() const noexcept { return at_end_ == partitions_.size(); }
  /// Offsets passed over: retention, transaction markers, aborted records, or a reader that was too slow.
  [[nodiscard]] std::uint64_t skipped() const noexcept { return skipped_; }
  /// The last error told by the library; empty: none.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  struct Partition {
    std::int64_t next = 0;  ///< from offset 0 on
    bool ended = false;
  };
  static void on_message(rd_kafka_message_t* message, void* opaque);
  void take(const rd_kafka_message_t& message);
  void set_ended(Partition& partition, bool ended) noexcept;
  void stop() noexcept;

  std::string said_;  // before the handle, which writes it
  std::unique_ptr<rd_kafka_t, void (*)(rd_kafka_t*)> handle_;
  std::unique_ptr<rd_kafka_topic_t, void (*)(rd_kafka_topic_t*)> topic_;
  std::unique_ptr<rd_kafka_queue_t, void (*)(rd_kafka_queue_t*)> queue_;
  std::vector<Partition> partitions_;
  const Visit* visit_ = nullptr;
  std::size_t at_end_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t skipped_ = 0;
  std::string error_;
};

}  // namespace tickbridge::verify
