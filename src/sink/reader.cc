#include "sink/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

#include "sink/admin.h"
#include "sink/errors.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;

constexpr auto kSlice = 20ms;   ///< one wait for records
constexpr auto kQuestion = 2s;  ///< one question for offsets
constexpr auto kPause = 20ms;   ///< between questions that were answered "not yet"

Error not_read(const Client& client, const std::string& topic, std::string_view what) {
  const auto [code, text] = client.last_error();
  return error(ExitCode::kUnavailable,
               fmt::format("topic {}: {} within the time allowed{}{}; look whether all brokers run", topic, what,
                           text.empty() ? "" : "; last error: ", text));
}

/// The only answers that waiting does not cure; all others come and go with leaders and brokers.
bool not_allowed(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

bool not_there(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
         code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

/// Partitions being fetched into one queue, from the constructor to the destructor.
class Reading {
 public:
  Reading(rd_kafka_t* client, rd_kafka_topic_t* topic, const std::vector<Range>& ranges, const Reader::Take& take)
      : topic_{topic}, take_{take}, queue_{rd_kafka_queue_new(client)} {
    for (const Range& range : ranges) {
      if (range.begin >= range.end) continue;
      const auto index = static_cast<std::size_t>(range.partition);
      if (parts_.size() <= index) parts_.resize(index + 1);
      parts_[index] = {.next = range.begin, .end = range.end};
      if (rd_kafka_consume_start_queue(topic_, range.partition, range.begin, queue_.get()) == 0) {
        started_.push_back(range.partition);
        ++left_;
      } else {
        fault_ = rd_kafka_last_error();
      }
    }
  }
  ~Reading() {
    for (const std::int32_t partition : started_) rd_kafka_consume_stop(topic_, partition);
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  /// Takes what is there, waiting up to `patience` for it.
  void serve(std::chrono::milliseconds patience) {
    rd_kafka_consume_callback_queue(queue_.get(), static_cast<int>(patience.count()), on_message, this);
  }
  /// Partitions not read to their ends yet.
  [[nodiscard]] std::size_t left() const noexcept { return left_; }
  [[nodiscard]] bool at_end() const noexcept { return at_end_; }  ///< since the last record
  [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }
  [[nodiscard]] std::int64_t next(std::int32_t partition) const {
    return parts_[static_cast<std::size_t>(partition)].next;
  }
  /// An error that will not go away.
  [[nodiscard]] std::optional<rd_kafka_resp_err_t> fault() const noexcept { return fault_; }

 private:
  struct Part {
    std::int64_t next = 0;
    std::int64_t end = 0;
  };

  static void on_message(rd_kafka_message_t* message, void* self) { static_cast<Reading*>(self)->handle(*message); }

  void handle(const rd_kafka_message_t& message) {
    Part& part = parts_[static_cast<std::size_t>(message.partition)];
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      at_end_ = true;
      advance(part, message.offset);
    } else if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (not_allowed(message.err) || not_there(message.err)) fault_ = message.err;
    } else if (message.offset >= part.next) {  // less: retention has put us back to the beginning of another life
      if (message.offset < part.end) {
        take_(message);
        ++taken_;
        at_end_ = false;
      }
      advance(part, message.offset + 1);
    }
  }

  void advance(Part& part, std::int64_t next) {
    if (part.next < part.end && next >= part.end) --left_;
    part.next = std::max(part.next, next);
  }

  rd_kafka_topic_t* topic_;
  const Reader::Take& take_;
  QueueHandle queue_;
  std::vector<Part> parts_;  ///< by partition
  std::vector<std::int32_t> started_;
  std::size_t left_ = 0;
  std::uint64_t taken_ = 0;
  bool at_end_ = false;
  std::optional<rd_kafka_resp_err_t> fault_;
};

Error refused(const std::string& topic, rd_kafka_resp_err_t code) {
  if (not_there(code)) return error(ExitCode::kUnavailable, fmt::format("topic {} is not there any more", topic));
  return error(ExitCode::kUnavailable,
               fmt::format("topic {} cannot be read: {}; the daemon's user needs the right: kafka-acls.sh --add "
                           "--allow-principal User:NAME --operation Read --operation Describe --topic {}",
                           topic, describe(code), topic));
}

}  // namespace

Result<std::unique_ptr<Reader>> Reader::open(const ProducerOptions& options, const std::string& topic,
                                             std::string_view isolation) {
  Result<std::unique_ptr<SideClient>> side =
      SideClient::create({.type = RD_KAFKA_CONSUMER, .properties = reader_properties(options, isolation)});
  if (!side) return side.error();
  std::unique_ptr<Reader> reader{new Reader{std::move(*side), topic}};
  if (!reader->handle_) {
    return error(ExitCode::kConfig, fmt::format("topic {}: {}", topic, rd_kafka_err2str(rd_kafka_last_error())));
  }
  return reader;
}

Reader::Reader(std::unique_ptr<SideClient> side, std::string topic)
    : topic_{std::move(topic)},
      side_{std::move(side)},
      handle_{rd_kafka_topic_new(side_->handle(), topic_.c_str(), nullptr)} {}

Result<Look> Reader::look(SteadyTime deadline) {
  Result<Look> found = look_up(side_->client(), handle_.get(), false, deadline);
  if (found && found->missing) {
    return error(ExitCode::kUnavailable, fmt::format("topic {} is not there", topic_));
  }
  known_ = known_ || found.has_value();
  return found;
}

Result<bool> Reader::missing(SteadyTime deadline) {
  const Result<Look> found = look_up(side_->client(), handle_.get(), false, deadline);
  if (!found) return found.error();
  return found->missing;
}

// One request a leader for all its partitions. Unlike rd_kafka_query_watermark_offsets (2.0.2: #4460), it keeps its
// time-out: rd_kafka_offsets_for_times passes -2 and -1 on as the protocol's "earliest" and "latest".
Result<std::vector<std::int64_t>> Reader::list_offsets(std::int32_t partitions, std::int64_t which,
                                                       SteadyTime deadline) {
  for (;; std::this_thread::sleep_for(kPause)) {
    const PartitionsHandle asked{rd_kafka_topic_partition_list_new(partitions)};
    for (std::int32_t p = 0; p < partitions; ++p) {
      rd_kafka_topic_partition_list_add(asked.get(), topic_.c_str(), p)->offset = which;
    }
    const rd_kafka_resp_err_t code =
        rd_kafka_offsets_for_times(side_->handle(), asked.get(), milliseconds_left(deadline, kQuestion));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) side_->client().note_error(code, describe(code));
    std::vector<std::int64_t> found;
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < asked->cnt; ++i) {
      const rd_kafka_topic_partition_t& one = asked->elems[i];
      if (one.err == RD_KAFKA_RESP_ERR_NO_ERROR && one.offset >= 0) found.push_back(one.offset);
    }
    if (found.size() == static_cast<std::size_t>(partitions)) return found;
    if (not_allowed(code)) return refused(topic_, code);
    if (SteadyClock::now() >= deadline) return not_read(side_->client(), topic_, "its offsets could not be learnt");
  }
}

Result<std::vector<Offsets>> Reader::offsets(std::int32_t partitions, SteadyTime deadline) {
  const auto begins = list_offsets(partitions, RD_KAFKA_OFFSET_BEGINNING, deadline);
  if (!begins) return begins.error();
  const auto ends = list_offsets(partitions, RD_KAFKA_OFFSET_END, deadline);
  if (!ends) return ends.error();
  std::vector<Offsets> result(begins->size());
  for (std::size_t p = 0; p < result.size(); ++p) result[p] = {.begin = (*begins)[p], .end = (*ends)[p]};
  return result;
}

Result<void> Reader::read(const std::vector<Range>& ranges, const Take& take, SteadyTime deadline) {
  if (!known_) {
    if (const auto found = look(deadline); !found) return found.error();
  }
  Reading reading{side_->handle(), handle_.get(), ranges, take};
  while (reading.left() > 0) {
    if (reading.fault()) return refused(topic_, *reading.fault());
    if (SteadyClock::now() >= deadline) return not_read(side_->client(), topic_, "it could not be read back");
    reading.serve(kSlice);
  }
  return {};
}

Result<std::int64_t> Reader::follow(std::int32_t partition, std::int64_t from, const Take& take,
                                    std::chrono::milliseconds patience) {
  const SteadyTime deadline = SteadyClock::now() + patience;
  if (!known_) {
    if (const auto found = look(deadline + kQuestion); !found) return found.error();
  }
  constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();
  Reading reading{side_->handle(), handle_.get(), {{.partition = partition, .begin = from, .end = kNoEnd}}, take};
  const bool waits = patience > std::chrono::milliseconds{0};
  while (waits && reading.taken() == 0 ? SteadyClock::now() < deadline : !reading.at_end()) {
    if (reading.fault()) return refused(topic_, *reading.fault());
    if (SteadyClock::now() >= deadline + kQuestion) break;  // records without end
    reading.serve(kSlice);
  }
  return reading.next(partition);
}

}  // namespace tickbridge::sink
