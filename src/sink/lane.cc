#include "sink/lane.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/check.h"
#include "sink/errors.h"

namespace tickbridge::sink {

namespace {

/// The largest batch of one call to the library: 256 of its message structs (72 bytes) stay in the first-level
/// cache together with what they point to.
constexpr std::size_t kLargestBatch = 256;

using metrics::FeedCounter;
using metrics::FeedGauge;
using metrics::Stage;

std::uint64_t headers_cost(const LaneSetup& setup) {
  if (setup.headers.empty()) return 0;
  constexpr std::uint64_t kNameAndValue = 32;  // "receive_time" and 19 digits
  return kHeaderListCost + setup.headers.size() * (kHeaderCost + kNameAndValue) + setup.feed.size();
}

/// Decimal digits of a number, without allocation.
class Digits {
 public:
  template <class T>
  explicit Digits(T value) noexcept {
    size_ =
        static_cast<std::size_t>(std::to_chars(text_.data(), text_.data() + text_.size(), value).ptr - text_.data());
  }
  operator std::string_view() const noexcept { return {text_.data(), size_}; }  // NOLINT: made to be passed on

 private:
  std::array<char, 24> text_{};
  std::size_t size_;
};

void add_header(rd_kafka_headers_t* headers, std::string_view name, std::string_view value) {
  rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                      static_cast<ssize_t>(value.size()));
}

/// The library's own type for a call with timestamp and headers; the parts that stay are set once.
class SingleCall {
 public:
  SingleCall(rd_kafka_topic_t* topic, std::int32_t partition, void* opaque) noexcept {
    parts_[kTopic].vtype = RD_KAFKA_VTYPE_RKT;
    parts_[kTopic].u.rkt = topic;
    parts_[kPartition].vtype = RD_KAFKA_VTYPE_PARTITION;
    parts_[kPartition].u.i32 = partition;
    parts_[kFlags].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts_[kFlags].u.i = RD_KAFKA_MSG_F_COPY;
    parts_[kOpaque].vtype = RD_KAFKA_VTYPE_OPAQUE;
    parts_[kOpaque].u.ptr = opaque;
    parts_[kValue].vtype = RD_KAFKA_VTYPE_VALUE;
    parts_[kKey].vtype = RD_KAFKA_VTYPE_KEY;
    parts_[kTimestamp].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    parts_[kHeaders].vtype = RD_KAFKA_VTYPE_HEADERS;
  }

  /// Takes the headers over if the library took the message.
  rd_kafka_resp_err_t operator()(rd_kafka_t* client, const Outgoing& record, HeadersHandle headers) {
    parts_[kValue].u.mem = {const_cast<std::byte*>(record.value), record.value_size};
    parts_[kKey].u.mem = {record.key_size == 0 ? nullptr : const_cast<char*>(record.key), record.key_size};
    parts_[kTimestamp].u.i64 = record.timestamp_ms;
    parts_[kHeaders].u.headers = headers.get();
    const ErrorHandle failure{rd_kafka_produceva(client, parts_.data(), headers ? kCount : kHeaders)};
    // Of a client that has failed for good it tells why, unlike the call for batches.
    if (failure && rd_kafka_error_is_fatal(failure.get()) != 0) return RD_KAFKA_RESP_ERR__FATAL;
    if (failure) return rd_kafka_error_code(failure.get());
    (void)headers.release();
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }

 private:
  enum Part : std::size_t { kTopic, kPartition, kFlags, kOpaque, kValue, kKey, kTimestamp, kHeaders, kCount };
  std::array<rd_kafka_vu_t, kCount> parts_;
};

}  // namespace

void leave_room_for_headers(LaneSetup& setup) {
  constexpr std::size_t kEach = 10 + 32;             // two lengths on the wire, name and digits
  constexpr std::size_t kDeadLetter = 6 * 10 + 256;  // the names, reason, session and three numbers
  const auto less = [](std::size_t size, std::size_t part) { return size - std::min(size, part); };
  setup.info = setup.data->info;
  if (!setup.headers.empty()) {
    setup.info.max_record_bytes = less(setup.info.max_record_bytes, setup.headers.size() * kEach + setup.feed.size());
  }
  setup.dead_letter_max_bytes = less(setup.dead->info.max_record_bytes, kDeadLetter + setup.feed.size());
}

LaneCore::LaneCore(Client& client, LaneSetup setup, metrics::FeedMetrics& metrics, LaneEvents events)
    : client_{client},
      setup_{std::move(setup)},
      metrics_{metrics},
      events_{std::move(events)},
      fixed_cost_{kMessageCost + headers_cost(setup_)},
      batch_(kLargestBatch),
      admission_{setup_.limits},
      slots_(static_cast<std::size_t>(setup_.info.partitions) + 1) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].lane = this;
    slots_[i].partition = static_cast<std::int32_t>(i);
  }
  slots_.back().partition = 0;
  slots_.back().dead_letters = true;
  for (Topic* topic : {setup_.data, setup_.dead}) topic->writers.fetch_add(1);
  metrics_.set(FeedGauge::kInFlightLimit, static_cast<std::int64_t>(setup_.limits.share.count));
  metrics_.set(FeedGauge::kInFlightLimitBytes, static_cast<std::int64_t>(setup_.limits.share.bytes));
}

std::int64_t LaneCore::in_flight() const noexcept { return static_cast<std::int64_t>(admission_.in_flight().count); }

void LaneCore::show_in_flight() noexcept {
  const Charge now = admission_.in_flight();
  metrics_.set(FeedGauge::kInFlight, static_cast<std::int64_t>(now.count));
  metrics_.set(FeedGauge::kInFlightBytes, static_cast<std::int64_t>(now.bytes));
}

std::size_t LaneCore::hand_over(std::int32_t partition, std::span<const Outgoing> records, std::int64_t arrived_ns) {
  // A partition that is not there makes the library leak (rd_kafka_produce_batch, 2.0.2).
  check(partition >= 0 && partition < setup_.info.partitions, "hand_over: partition exists");
  if (stopped() || records.empty()) return 0;
  library_full_ = false;
  const Admitted admitted = admission_.admit(records, fixed_cost_);
  if (admitted.charge.count < records.size()) {
    metrics_.add(FeedCounter::kHandOverRefused, 1);
    refused_cost_ = admitted.refused_cost;
    if (admitted.charge.count == 0) return 0;
  }
  Slot& slot = slots_[static_cast<std::size_t>(partition)];
  // Before the call: a delivery can be reported while it runs. The lane's count is never below its slots'.
  admission_.take(admitted.charge);
  slot.in_flight.add(admitted.charge);
  const auto taken = records.first(admitted.charge.count);
  const bool single = admitted.timestamps || !setup_.headers.empty();
  const std::uint64_t given_back = slot.given_back;
  const std::size_t accepted = single ? produce_single(slot, taken) : produce_batch(slot, taken);
  note_handed(slot, admitted.charge.count - (slot.given_back - given_back), arrived_ns);
  metrics_.add(FeedCounter::kHandOverBatches, 1);
  show_in_flight();
  return accepted;
}

void LaneCore::note_handed(Slot& slot, std::uint64_t count, std::int64_t arrived_ns) noexcept {
  slot.arrivals.handed(count, arrived_ns);
  if (arrived_ns != kUntimed && count != 0) {
    metrics_.latency(Stage::kHandOver).record(wall_nanoseconds() - arrived_ns, count);
  }
}

void LaneCore::fill(Slot& slot, std::span<const Outgoing> records) noexcept {
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Outgoing& record = records[i];
    rd_kafka_message_t& message = batch_[i];
    message.payload = const_cast<std::byte*>(record.value);  // the library copies it (F_COPY)
    message.len = record.value_size;
    message.key = record.key_size == 0 ? nullptr : const_cast<char*>(record.key);
    message.key_len = record.key_size;
    message._private = &slot;
  }
}

std::size_t LaneCore::produce_batch(Slot& slot, std::span<const Outgoing> records) {
  rd_kafka_topic_t* const topic = setup_.data->handle.get();
  for (std::size_t done = 0; done < records.size();) {
    const auto part = records.subspan(done, std::min(kLargestBatch, records.size() - done));
    fill(slot, part);
    const int good = rd_kafka_produce_batch(topic, slot.partition, RD_KAFKA_MSG_F_COPY, batch_.data(),
                                            static_cast<int>(part.size()));
    if (good != static_cast<int>(part.size())) [[unlikely]] {
      const std::size_t accepted = settle_refused(slot, part, static_cast<std::size_t>(good));
      if (accepted < part.size()) {
        give_back(slot, records.size() - done - part.size());  // never offered to the library
        return done + accepted;
      }
    }
    done += part.size();
  }
  return records.size();
}

// A full queue refuses a suffix: what is before it was taken, in order. Any other error is of one message, in the
// middle perhaps; then the lane has failed (or drops it), and the count no longer matters for the order.
std::size_t LaneCore::settle_refused(Slot& slot, std::span<const Outgoing> records, std::size_t good) {
  const auto messages = std::span{batch_}.first(records.size());
  const auto first = std::find_if(messages.begin(), messages.end(), [](const auto& m) { return m.err != 0; });
  give_back(slot, records.size() - good);
  if (skip_refused(first->err)) {
    metrics_.add(FeedCounter::kDroppedDelivery, records.size() - good);
    return records.size();
  }
  refused_cost_ = fixed_cost_ + first->key_len + first->len;
  refused_by_library(first->err, *setup_.data, slot.partition);
  return static_cast<std::size_t>(first - messages.begin());
}

std::size_t LaneCore::produce_single(Slot& slot, std::span<const Outgoing> records) {
  SingleCall call{setup_.data->handle.get(), slot.partition, &slot};
  for (std::size_t i = 0; i < records.size(); ++i) {
    const rd_kafka_resp_err_t code = call(client_.handle, records[i], headers_for(records[i]));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) [[likely]]
      continue;
    if (skip_refused(code)) {
      give_back(slot, 1);
      metrics_.add(FeedCounter::kDroppedDelivery, 1);
      continue;
    }
    give_back(slot, records.size() - i);
    refused_cost_ = fixed_cost_ + records[i].key_size + records[i].value_size;
    refused_by_library(code, *setup_.data, slot.partition);
    return i;
  }
  return records.size();
}

HeadersHandle LaneCore::headers_for(const Outgoing& record) const {
  if (setup_.headers.empty()) return nullptr;
  HeadersHandle headers{rd_kafka_headers_new(setup_.headers.size())};
  for (const Header header : setup_.headers) {
    switch (header) {
      case Header::kSequence:
        add_header(headers.get(), "sequence", Digits{record.sequence});
        break;
      case Header::kFeed:
        add_header(headers.get(), "feed", setup_.feed);
        break;
      case Header::kReceiveTime:
        add_header(headers.get(), "receive_time", Digits{record.receive_ns});
        break;
    }
  }
  return headers;
}

bool LaneCore::hand_over_dead_letter(const DeadLetter& letter) {
  if (stopped()) return false;
  library_full_ = false;
  HeadersHandle headers{rd_kafka_headers_new(6)};
  add_header(headers.get(), "reason", letter.reason);
  add_header(headers.get(), "feed", setup_.feed);
  add_header(headers.get(), "session", letter.session);
  add_header(headers.get(), "sequence", Digits{letter.sequence});
  add_header(headers.get(), "index", Digits{letter.index});
  if (letter.full_size != 0) add_header(headers.get(), "full_size", Digits{letter.full_size});
  // An empty value, never a null one: that would be a tombstone.
  const Outgoing record{.value = letter.value.empty() ? as_bytes("x").data() : letter.value.data(),
                        .value_size = static_cast<std::uint32_t>(letter.value.size())};
  const std::uint64_t cost = kMessageCost + kHeaderListCost + 6 * kHeaderCost + letter.reason.size() + 64;
  const Admitted admitted = admission_.admit({&record, 1}, cost);
  refused_cost_ = admitted.refused_cost;
  if (admitted.charge.count == 0) {
    metrics_.add(FeedCounter::kHandOverRefused, 1);
    return false;
  }
  Slot& slot = slots_.back();
  admission_.take(admitted.charge);
  slot.in_flight.add(admitted.charge);
  SingleCall call{setup_.dead->handle.get(), 0, &slot};
  const rd_kafka_resp_err_t code = call(client_.handle, record, std::move(headers));
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
  give_back(slot, 1);
  refused_cost_ = admitted.charge.bytes;
  if (skip_refused(code)) return true;
  refused_by_library(code, *setup_.dead, 0);
  return false;
}

bool LaneCore::ask_for_room() {
  if (stopped() || spoilt_.load()) return false;
  if (!library_full_) return admission_.ask_for_room(refused_cost_);
  // Refused by the library although the share was not used up (a limit that the user set): another lane's
  // messages may hold what is missing, so any delivery wakes us, and a tick of the delivery thread at the latest.
  starved_.store(true);
  client_.attention.store(true);
  return false;
}

void LaneCore::give_back(Slot& slot, std::uint64_t count) {
  slot.given_back += count;
  if (count != 0) admission_.give_back(slot.in_flight.release(count));
}

/// At most once: what cannot be delivered is dropped and counted, and the feed goes on.
bool LaneCore::skip_refused(rd_kafka_resp_err_t code) {
  return client_.delivery == Delivery::kAtMostOnce && code != RD_KAFKA_RESP_ERR__QUEUE_FULL &&
         code != RD_KAFKA_RESP_ERR__FATAL;
}

void LaneCore::refused_by_library(rd_kafka_resp_err_t code, const Topic& topic, std::int32_t partition) {
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    library_full_ = true;
    metrics_.add(FeedCounter::kHandOverRefused, 1);
    return;
  }
  if (code == RD_KAFKA_RESP_ERR__FATAL) return;  // the delivery thread tells
  // Outside a transaction, or in one that can only be aborted any more.
  if (code == RD_KAFKA_RESP_ERR__STATE && client_.transactional) {
    if (!spoilt_.exchange(true)) wake_delivery();
    return;
  }
  if (!fail(error(ExitCode::kData,
                  fmt::format("feed {}: a record for topic {} partition {} is refused: {}; {}", setup_.feed, topic.name,
                              partition, describe(code), advice(code, topic.name))))) {
    return;
  }
  wake_delivery();
}

// Events are the delivery thread's to call.
void LaneCore::wake_delivery() {
  client_.attention.store(true);
  rd_kafka_queue_yield(client_.queue);
}

}  // namespace tickbridge::sink
