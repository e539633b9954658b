#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "sink/options.h"
#include "sink/side_client.h"
#include "sink/topics.h"

namespace tickbridge::sink {

/// Appends to a topic of the daemon's own notes with an idempotent producer of its own: a duplicate of an old
/// checkpoint that a broker appends late would stand behind newer ones of its key, and compaction would keep it. A
/// fatal error costs what was under way; the next write() has a new producer.
class NotesWriter {
 public:
  using Done = std::function<void(const Result<std::int64_t>&)>;

  /// Creates or checks the topic. Start-up thread.
  [[nodiscard]] static Result<std::unique_ptr<NotesWriter>> open(const ProducerOptions& options,
                                                                 const TopicOptions& topics, const std::string& topic,
                                                                 SteadyTime deadline);
  /// What is still under way is told an error.
  ~NotesWriter();
  NotesWriter(const NotesWriter&) = delete;
  NotesWriter& operator=(const NotesWriter&) = delete;

  /// Any thread. Never blocks, but for a rebuild after a fatal error (then milliseconds).
  void write(const std::string& key, const std::optional<std::string>& value, Done done);
  /// The next write() has a new client. Any thread.
  void renew() { stale_.store(true); }
  /// Makes the client anew if it has failed: whoever waits for what it had under way is told. Any thread; blocks.
  void look_after();
  /// Whether a write has met no topic since the last call. Any thread.
  [[nodiscard]] bool take_lost() { return lost_.exchange(false); }

 private:
  NotesWriter(const ProducerOptions& options, std::string topic) : options_{options}, name_{std::move(topic)} {}
  [[nodiscard]] Result<void> connect();
  [[nodiscard]] Result<rd_kafka_topic_t*> usable_topic();
  void drain();
  void not_written(const Done& done, rd_kafka_resp_err_t code);
  static void tell(rd_kafka_event_t* event);

  struct Write;
  const ProducerOptions options_;
  const std::string name_;
  std::mutex mutex_;  // guards side_ and topic_
  std::unique_ptr<SideClient> side_;
  TopicHandle topic_;
  std::atomic<bool> stale_{false};
  std::atomic<bool> lost_{false};
};

}  // namespace tickbridge::sink
