#include "sink/notes_writer.h"

#include <fmt/format.h>

#include <thread>

#include "base/log.h"
#include "sink/errors.h"

namespace tickbridge::sink {

using namespace std::chrono_literals;

/// One record under way; its address travels as the opaque.
struct NotesWriter::Write {
  NotesWriter* writer;
  NotesWriter::Done done;
};

void NotesWriter::not_written(const Done& done, rd_kafka_resp_err_t code) {
  if (code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
      code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
    lost_.store(true);
  }
  if (!done) return;
  done(error(ExitCode::kUnavailable,
             fmt::format("topic {}: a note could not be written: {}; {}", name_, describe(code), advice(code, name_))));
}

// The writer's client thread.
void NotesWriter::tell(rd_kafka_event_t* event) {
  while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
    const std::unique_ptr<Write> write{static_cast<Write*>(message->_private)};
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      write->writer->not_written(write->done, message->err);
    } else if (write->done) {
      write->done(message->offset);
    }
  }
}

Result<std::unique_ptr<NotesWriter>> NotesWriter::open(const ProducerOptions& options, const TopicOptions& topics,
                                                       const std::string& topic, SteadyTime deadline) {
  std::unique_ptr<NotesWriter> writer{new NotesWriter{options, topic}};
  if (const auto connected = writer->connect(); !connected) return connected.error();
  Topics check{writer->side_->client()};
  if (const auto found = check.open_notes(topic, topics, deadline); !found) return found.error();
  return writer;
}

NotesWriter::~NotesWriter() { drain(); }

Result<void> NotesWriter::connect() {
  Result<std::unique_ptr<SideClient>> side =
      SideClient::create({.type = RD_KAFKA_PRODUCER, .properties = notes_properties(options_), .on_reports = tell});
  if (!side) return side.error();
  side_ = std::move(*side);
  topic_.reset(rd_kafka_topic_new(side_->handle(), name_.c_str(), nullptr));
  if (topic_) return {};
  return error(ExitCode::kConfig, fmt::format("topic {}: {}", name_, rd_kafka_err2str(rd_kafka_last_error())));
}

/// Throws away what is under way and waits for its reports, so that every `done` is called.
void NotesWriter::drain() {
  if (!side_) return;
  rd_kafka_purge(side_->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  const SteadyTime deadline = SteadyClock::now() + 2s;
  while (rd_kafka_outq_len(side_->handle()) > 0 && SteadyClock::now() < deadline) std::this_thread::sleep_for(1ms);
  topic_.reset();
  side_.reset();
}

Result<rd_kafka_topic_t*> NotesWriter::usable_topic() {
  const bool failed = !side_ || side_->client().failed.load();
  if (failed) {
    log_event(Event::kTopicRetried, "topic {}: its producer failed ({}) and is made anew", name_,
              side_ ? side_->client().last_error().second : "");
  }
  if (stale_.exchange(false) || failed) {
    drain();
    if (const auto connected = connect(); !connected) return connected.error();
  }
  return topic_.get();
}

// What was under way when its producer failed may never be answered by itself, and whoever waits for the answer writes
// nothing.
void NotesWriter::look_after() {
  const std::scoped_lock lock{mutex_};
  if (!side_ || !side_->client().failed.load()) return;
  if (const auto topic = usable_topic(); !topic)
    log_event(Event::kTopicRetried, "topic {}: {}; trying again", name_, topic.error().message);
}

void NotesWriter::write(const std::string& key, const std::optional<std::string>& value, Done done) {
  auto write = std::make_unique<Write>(Write{this, std::move(done)});
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  {
    const std::scoped_lock lock{mutex_};
    const Result<rd_kafka_topic_t*> topic = usable_topic();
    if (topic) {
      if (rd_kafka_produce(*topic, 0, RD_KAFKA_MSG_F_COPY, value ? const_cast<char*>(value->data()) : nullptr,
                           value ? value->size() : 0, key.data(), key.size(), write.get()) == 0) {
        (void)write.release();  // tell() has it
        return;
      }
      code = rd_kafka_last_error();
    } else {
      code = RD_KAFKA_RESP_ERR__FATAL;
    }
  }
  not_written(write->done, code);
}

}  // namespace tickbridge::sink
