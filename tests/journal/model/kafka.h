#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "journal/align.h"
#include "journal/checkpoint.h"

namespace tickbridge::journal::model {

struct LogRecord {
  enum class Kind : std::uint8_t { kData, kMarker };
  Kind kind = Kind::kData;
  std::uint64_t hash = 0;
  bool foreign = false;
};

/// A partition: the leader's log, and what clients see of it.
struct PartitionLog {
  std::vector<LogRecord> log;
  std::int64_t begin = 0;      ///< retention
  std::int64_t watermark = 0;  ///< the end that clients see
  bool leaderless = false;     ///< takes nothing for now
  [[nodiscard]] std::int64_t end() const noexcept { return static_cast<std::int64_t>(log.size()); }
};

struct Batch {
  std::vector<std::uint64_t> hashes;
  std::int64_t base = -1;  ///< once appended
};

/// One idempotent producer: what it has sent, in order per partition. The last queue is the dead letters'.
struct ProducerSession {
  bool dead = false;                   ///< its owner is: nobody hears the acknowledgements, requests may still arrive
  std::vector<std::list<Batch>> sent;  ///< not appended
  std::vector<std::list<Batch>> appended;  ///< not acknowledged
  void die() {
    dead = true;
    for (auto& queue : appended) queue.clear();
  }
};

/// A record of the checkpoint topic; none: a tombstone.
struct Note {
  std::string key;
  std::optional<Checkpoint> checkpoint;
};

/// A request to one of the two compacted topics.
struct Request {
  int owner = 0;
  Note note;
  std::optional<StateBatch> state;  ///< for the state topic
};

/// What Kafka does, one atomic action at a time.
struct Kafka {
  std::vector<PartitionLog> partitions;
  std::vector<std::uint64_t> dead_letters;
  std::deque<ProducerSession> sessions;  // references stay valid
  std::vector<Note> notes;               // the checkpoint topic
  bool noted = false;                    // something was in it once
  std::vector<StateBatch> states;
  std::deque<Request> requests;

  std::size_t open_session(std::size_t queues);
  /// Appends the oldest request of a queue.
  void append(ProducerSession& session, std::size_t queue);
  /// The library's double send after an epoch bump: what is appended and not acknowledged goes out again.
  void send_again(ProducerSession& session, std::size_t queue);
  void append_note(Note note);
  void compact(std::size_t keep_newest);
  /// Those between an instance's first one of an epoch and its newest one, which only a watcher looks at.
  void forget_notes_between();
};

}  // namespace tickbridge::journal::model
