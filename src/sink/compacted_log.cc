#include "sink/compacted_log.h"

#include <algorithm>
#include <atomic>
#include <iterator>

#include "sink/notes_writer.h"
#include "sink/reader.h"

namespace tickbridge::sink {

namespace {

constexpr std::int64_t kFirstWindow = 256;  ///< offsets; a few hundred checkpoints come with one fetch
constexpr std::int64_t kGrowth = 8;

Entry entry_of(const rd_kafka_message_t& message) {
  Entry entry{
      .offset = message.offset, .key = {static_cast<const char*>(message.key), message.key_len}, .value = std::nullopt};
  if (message.payload != nullptr) entry.value.emplace(static_cast<const char*>(message.payload), message.len);
  return entry;
}

Reader::Take keep(std::vector<Entry>& entries, std::string_view prefix) {
  return [&entries, prefix](const rd_kafka_message_t& message) {
    const std::string_view key{static_cast<const char*>(message.key), message.key_len};
    if (key.starts_with(prefix)) entries.push_back(entry_of(message));
  };
}

class OneCompactedLog final : public CompactedLog {
 public:
  OneCompactedLog(const ProducerOptions& options, const TopicOptions& topics, std::string topic, std::string isolation,
                  std::unique_ptr<NotesWriter> writer)
      : options_{options},
        topics_{topics},
        topic_{std::move(topic)},
        isolation_{std::move(isolation)},
        writer_{std::move(writer)} {}

  Result<std::vector<Entry>> read_back(std::string_view prefix, const Enough& enough, SteadyTime deadline) override;
  Result<std::vector<Entry>> read_on(std::string_view prefix, std::chrono::milliseconds patience) override;
  Result<bool> restore(SteadyTime deadline) override;
  bool take_lost() override {
    writer_->look_after();
    const bool lost = writer_->take_lost();
    if (lost) suspect_.store(true);
    return lost;
  }
  void write(std::string key, std::optional<std::string> value, Done done) override {
    writer_->write(key, value, std::move(done));
  }

 private:
  [[nodiscard]] Result<void> open_reader();

  const ProducerOptions options_;
  const TopicOptions topics_;
  const std::string topic_;
  const std::string isolation_;
  const std::unique_ptr<NotesWriter> writer_;
  std::atomic<bool> suspect_{false};  // a write has met no topic
  // The reading thread only.
  std::unique_ptr<Reader> reader_;  ///< from the first reading on: an idle client costs 0.1 % of a core
  std::int64_t position_ = 0;       ///< where read_on() goes on
};

Result<void> OneCompactedLog::open_reader() {
  if (reader_) return {};
  Result<std::unique_ptr<Reader>> reader = Reader::open(options_, topic_, isolation_);
  if (!reader) return reader.error();
  reader_ = std::move(*reader);
  return {};
}

Result<std::vector<Entry>> OneCompactedLog::read_back(std::string_view prefix, const Enough& enough,
                                                      SteadyTime deadline) {
  if (const auto opened = open_reader(); !opened) return opened.error();
  const Result<std::vector<Offsets>> ends = reader_->offsets(1, deadline);
  if (!ends) return ends.error();
  const Offsets log = ends->front();
  std::vector<Entry> entries;
  std::int64_t window = kFirstWindow;
  for (std::int64_t end = log.end; end > log.begin; window *= kGrowth) {
    const std::int64_t begin = std::max(log.begin, end - window);
    std::vector<Entry> older;
    const auto read = reader_->read({{.partition = 0, .begin = begin, .end = end}}, keep(older, prefix), deadline);
    if (!read) return read.error();
    older.insert(older.end(), std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
    entries = std::move(older);
    if (enough && enough(entries)) break;
    end = begin;
  }
  position_ = log.end;
  return entries;
}

Result<std::vector<Entry>> OneCompactedLog::read_on(std::string_view prefix, std::chrono::milliseconds patience) {
  if (const auto opened = open_reader(); !opened) return opened.error();
  std::vector<Entry> entries;
  const Result<std::int64_t> next = reader_->follow(0, position_, keep(entries, prefix), patience);
  if (!next) return next.error();
  position_ = *next;
  return entries;
}

// The writer's client has given the topic up until its next look at the metadata, minutes later: it is made anew.
Result<bool> OneCompactedLog::restore(SteadyTime deadline) {
  const bool was_read = reader_ != nullptr;
  if (const auto opened = open_reader(); !opened) return opened.error();
  const Result<bool> missing = reader_->missing(deadline);
  if (!was_read) reader_.reset();
  if (!missing || (!*missing && !suspect_.exchange(false))) return missing;
  if (*missing) {
    if (auto created = NotesWriter::open(options_, topics_, topic_, deadline); !created) return created.error();
  }
  writer_->renew();  // also where somebody else was quicker
  position_ = 0;
  return missing;
}

}  // namespace

Result<std::unique_ptr<CompactedLog>> CompactedLog::open(const ProducerOptions& options, const TopicOptions& topics,
                                                         const std::string& topic, std::string_view isolation,
                                                         SteadyTime deadline) {
  Result<std::unique_ptr<NotesWriter>> writer = NotesWriter::open(options, topics, topic, deadline);
  if (!writer) return writer.error();
  return std::unique_ptr<CompactedLog>{
      std::make_unique<OneCompactedLog>(options, topics, topic, std::string{isolation}, std::move(*writer))};
}

std::unique_ptr<CompactedLog> CompactedLog::open_to_read(const ProducerOptions& options, const std::string& topic,
                                                         std::string_view isolation) {
  return std::make_unique<OneCompactedLog>(options, TopicOptions{}, topic, std::string{isolation}, nullptr);
}

}  // namespace tickbridge::sink
