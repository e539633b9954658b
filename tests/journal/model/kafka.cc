#include "journal/model/kafka.h"

#include <functional>
#include <map>
#include <set>
#include <utility>

namespace tickbridge::journal::model {

std::size_t Kafka::open_session(std::size_t queues) {
  ProducerSession& session = sessions.emplace_back();
  session.sent.resize(queues);
  session.appended.resize(queues);
  return sessions.size() - 1;
}

void Kafka::append(ProducerSession& session, std::size_t queue) {
  Batch batch = std::move(session.sent[queue].front());
  session.sent[queue].pop_front();
  if (queue + 1 == session.sent.size()) {
    batch.base = 0;
    dead_letters.insert(dead_letters.end(), batch.hashes.begin(), batch.hashes.end());
  } else {
    batch.base = partitions[queue].end();
    for (const std::uint64_t hash : batch.hashes)
      partitions[queue].log.push_back({LogRecord::Kind::kData, hash, false});
  }
  session.appended[queue].push_back(std::move(batch));
}

void Kafka::send_again(ProducerSession& session, std::size_t queue) {
  auto& appended = session.appended[queue];
  while (!appended.empty()) {
    session.sent[queue].push_front(std::move(appended.back()));
    appended.pop_back();
  }
}

void Kafka::append_note(Note note) {
  noted = true;
  notes.push_back(std::move(note));
}

void Kafka::forget_notes_between() {
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> of;
  for (std::size_t i = 0; i < notes.size(); ++i) {
    if (notes[i].checkpoint) of[{notes[i].key, notes[i].checkpoint->instance}].push_back(i);
  }
  std::set<std::size_t, std::greater<>> between;  // from the end
  for (const auto& [whose, all] : of) {
    if (all.size() > 2) between.insert(all.begin() + 1, all.end() - 1);
  }
  for (const std::size_t i : between) notes.erase(notes.begin() + static_cast<std::ptrdiff_t>(i));
}

// Of the closed segments the newest record of each key stays; whatever lies in the active one does not count.
void Kafka::compact(std::size_t keep_newest) {
  if (notes.size() <= keep_newest) return;
  std::map<std::string, std::size_t> last;
  const std::size_t active = notes.size() - keep_newest;
  for (std::size_t i = 0; i < active; ++i) last[notes[i].key] = i;
  std::vector<Note> kept;
  for (std::size_t i = 0; i < notes.size(); ++i) {
    if (i < active && (last[notes[i].key] != i || !notes[i].checkpoint)) continue;
    kept.push_back(std::move(notes[i]));
  }
  notes = std::move(kept);
}

}  // namespace tickbridge::journal::model
