#include "sink/log_reader.h"

#include "sink/reader.h"

namespace tickbridge::sink {

namespace {

std::string_view key_of(const rd_kafka_message_t& message) {
  return {static_cast<const char*>(message.key), message.key_len};
}

Bytes value_of(const rd_kafka_message_t& message) {
  return {static_cast<const std::byte*>(message.payload), message.len};
}

class OneLogReader final : public LogReader {
 public:
  explicit OneLogReader(std::unique_ptr<Reader> reader) : reader_{std::move(reader)} {}

  Result<std::vector<Offsets>> offsets(std::int32_t partitions, SteadyTime deadline) override {
    return reader_->offsets(partitions, deadline);
  }

  Result<std::int32_t> partitions(SteadyTime deadline) override {
    const Result<Look> look = reader_->look(deadline);
    if (!look) return look.error();
    return look->info.partitions;
  }

  Result<void> read(const std::vector<Range>& ranges, const Take& take, SteadyTime deadline) override {
    return reader_->read(
        ranges,
        [&](const rd_kafka_message_t& message) {
          take(message.partition, message.offset, key_of(message), value_of(message));
        },
        deadline);
  }

 private:
  std::unique_ptr<Reader> reader_;
};

}  // namespace

Result<std::unique_ptr<LogReader>> LogReader::open(const ProducerOptions& options, const std::string& topic,
                                                   std::string_view isolation) {
  Result<std::unique_ptr<Reader>> reader = Reader::open(options, topic, isolation);
  if (!reader) return reader.error();
  return std::unique_ptr<LogReader>{std::make_unique<OneLogReader>(std::move(*reader))};
}

}  // namespace tickbridge::sink
