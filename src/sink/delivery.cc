#include "sink/delivery.h"

#include <fmt/format.h>
#include <pthread.h>

#include <array>
#include <utility>

#include "base/log.h"
#include "sink/connection.h"
#include "sink/errors.h"
#include "sink/lookup.h"
#include "sink/transactions.h"

namespace tickbridge::sink {

namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 50ms;         ///< how long one wait for events lasts at most
constexpr auto kIdleTick = 250ms;    ///< with nothing in flight
constexpr auto kStillness = 100ms;   ///< without an answer for anybody: who waits is stalled
constexpr auto kPatience = 5s;       ///< a partition that waits longer is stalled though others have answers
constexpr auto kStallProbe = 1s;     ///< how often a stalled partition may try again
constexpr auto kRefusalGrace = 2s;   ///< from the gapless fatal error to the report that caused it
constexpr auto kProbeInterval = 1s;  ///< between looks for a broker when all were down
constexpr auto kProbeTimeout = 100ms;

Slot& slot_of(const rd_kafka_message_t* message) { return *static_cast<Slot*>(message->_private); }

}  // namespace

DeliveryThread::DeliveryThread(Client& client, std::function<void(const Error&)> on_fatal)
    : client_{client}, on_fatal_{std::move(on_fatal)}, thread_{[this](const std::stop_token& stop) { run(stop); }} {}

DeliveryThread::~DeliveryThread() {
  thread_.request_stop();
  rd_kafka_queue_yield(client_.queue);
}

LaneCore& DeliveryThread::add(std::unique_ptr<LaneCore> lane) {
  const std::scoped_lock lock{mutex_};
  return *lanes_.emplace_back(std::move(lane));
}

// Of feeds that have ended, or live another life.
void DeliveryThread::forget_lanes() {
  const std::scoped_lock lock{mutex_};
  std::erase_if(lanes_, [](const auto& lane) { return lane->gone(); });
}

// The delivery thread.
template <class Function>
void DeliveryThread::for_each_lane(const Function& function) const {
  std::vector<LaneCore*> lanes;
  {
    const std::scoped_lock lock{mutex_};
    for (const auto& lane : lanes_) lanes.push_back(lane.get());
  }
  for (LaneCore* lane : lanes) function(*lane);
}

// A round waits for events for a quarter of a second at most, so that one that lasts longer hangs.
bool DeliveryThread::progressing(milliseconds limit) const noexcept {
  return beat_ >= (SteadyClock::now() - limit).time_since_epoch().count();
}

std::int64_t DeliveryThread::in_flight() const {
  const std::scoped_lock lock{mutex_};
  std::int64_t sum = 0;
  for (const auto& lane : lanes_) sum += lane->in_flight();
  return sum;
}

void DeliveryThread::run(const std::stop_token& stop) {
  ::pthread_setname_np(::pthread_self(), "delivery");  // as top and perf show it
  milliseconds wait = kTick;
  while (!stop.stop_requested()) {
    beat_ = SteadyClock::now().time_since_epoch().count();
    EventHandle event{rd_kafka_queue_poll(client_.queue, static_cast<int>(wait.count()))};
    wait = !event && in_flight() == 0 ? kIdleTick : kTick;
    if (event) handle(std::move(event));
    look_for_stalls();
    if (client_.attention.load()) [[unlikely]]
      look_after_lanes();
    if (fatal_due_) [[unlikely]]
      look_after_fatal();
    if (!client_.connected.load()) [[unlikely]]
      look_after_connection();
  }
}

void DeliveryThread::handle(EventHandle event) {
  switch (rd_kafka_event_type(event.get())) {
    case RD_KAFKA_EVENT_DR:
      handle_reports(std::move(event));
      break;
    case RD_KAFKA_EVENT_ERROR:
      handle_error(event.get());
      break;
    default:
      break;
  }
}

// One event holds messages of one partition, with one error for all (rd_kafka_dr_msgq; the exceptions all carry an
// error: messages never assigned to a partition). So its first message and its count say everything, and the other
// messages, which lie cold in memory, are not touched here: freeing them does that once. Walked are events with an
// error (exact, and rare) and of topics that several lanes write to (each message's opaque says whose it is).
void DeliveryThread::handle_reports(EventHandle event) {
  const std::size_t count = rd_kafka_event_message_count(event.get());  // before the first: next() lowers it
  const rd_kafka_message_t* first = rd_kafka_event_message_next(event.get());
  if (first == nullptr) return;
  if (first->_private == nullptr) return;  // beside the lanes (Transactions::send): the commit tells
  Slot& slot = slot_of(first);
  if (first->err != 0 || slot.lane->topic_of(slot).shared()) {
    handle_each(event.get(), first);
    return;
  }
  const std::int64_t offset = first->offset;
  answered_ = true;
  client_.connected.store(true);
  event.reset();  // the memory is free before its credit is
  slot.lane->settle(slot, count, RD_KAFKA_RESP_ERR_NO_ERROR, offset);
}

void DeliveryThread::handle_each(rd_kafka_event_t* event, const rd_kafka_message_t* first) {
  const rd_kafka_resp_err_t code = first->err;
  // Only the first message's offset can be trusted; the batch's others follow it one by one.
  const std::int64_t base = first->offset;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    answered_ = true;
    client_.connected.store(true);
  }
  std::int64_t position = 0;
  for (const rd_kafka_message_t* message = first; message != nullptr;) {
    Slot& slot = slot_of(message);
    const std::int64_t begin = position;
    do {
      ++position;
      message = rd_kafka_event_message_next(event);
    } while (message != nullptr && message->_private == &slot);
    slot.lane->settle(slot, static_cast<std::uint64_t>(position - begin), code, base < 0 ? base : base + begin);
    if (slot.lane->failed()) {
      after_refusal(*slot.lane);
    } else if (fatal_due_ && judge(code) == Verdict::kLost) {
      fatal_due_ = SteadyClock::now();  // that was it, and no refusal
    }
  }
}

void DeliveryThread::handle_error(rd_kafka_event_t* event) {
  const rd_kafka_resp_err_t code = rd_kafka_event_error(event);
  const std::string text = rd_kafka_event_error_string(event);
  client_.note_error(code, text);
  if (client_.counts != nullptr) client_.counts->add(counter_of(code), 1);
  if (code == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event) != 0) return handle_fatal();
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) client_.connected.store(false);
  if (is_mere_disconnect(text)) return;
  const std::string advice = advice_for(client_, code, text);
  log_event(Event::kKafkaError, Source{.feed = {}, .facility = rd_kafka_err2name(code)}, "Kafka: {}: {}{}{}",
            describe(code), text, advice.empty() ? "" : "; ", advice);
}

// Under enable.gapless.guarantee a record that the broker refuses shows as a fatal error first; the report that
// names the refusal follows on the same queue. So this fatal error waits for that report a little: the feed whose
// record was refused fails with 65, which says more than 75.
void DeliveryThread::handle_fatal() {
  std::array<char, 512> text{};
  const rd_kafka_resp_err_t code = rd_kafka_fatal_error(client_.handle, text.data(), text.size());
  client_.failed.store(true);
  fatal_text_ = fmt::format("{}: {}", describe(code), text.data());
  if (code == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE) {
    fatal_due_ = SteadyClock::now() + kRefusalGrace;
  } else {
    tell_fatal(fatal_text_);
  }
}

// Told even if no other lane is open: a feed between two lives has none, and must not be given this producer.
void DeliveryThread::after_refusal(const LaneCore& refused) {
  if (!client_.failed.load()) return;
  fatal_due_.reset();
  tell_fatal(fmt::format("a record of feed {} was refused, which stops the producer that all feeds share: {}",
                         refused.feed(), fatal_text_));
}

void DeliveryThread::look_after_fatal() {
  if (SteadyClock::now() < *fatal_due_) return;
  fatal_due_.reset();
  tell_fatal(fatal_text_);
}

void DeliveryThread::tell_fatal(const std::string& why) {
  if (client_.stopping.load() || std::exchange(fatal_told_, true)) return;
  const bool fenced =
      rd_kafka_fatal_error(client_.handle, nullptr, 0) == RD_KAFKA_RESP_ERR__FENCED && !transaction_aged(client_);
  const Error failure =
      fenced ? error(ExitCode::kProtocol,
                     fmt::format("another owner has taken the Kafka producer's transactional id: {}", why))
             : error(ExitCode::kUnacknowledged,
                     fmt::format("the Kafka producer cannot go on: {}; start the daemon again, nothing is lost", why));
  bool concerns = false;  // anybody but the feed whose record was refused, which has told
  for_each_lane([&](const LaneCore& lane) { concerns |= !lane.closed() && !lane.failed(); });
  log_event(concerns ? Event::kProducerFailed : Event::kProducerDiscarded, "{}", failure.message);
  if (on_fatal_) on_fatal_(failure);
}

void DeliveryThread::look_after_lanes() {
  client_.attention.store(false);  // before the look: a lane that asks from here on asks again
  for_each_lane([](LaneCore& lane) { lane.attend(); });
}

// The library gives a broker's partitions their turns, one request each: where there are hundreds, a partition waits
// for long, and stands still itself only if nobody has an answer, or if its turn must have come. The first answer after
// a standstill of all resumes who was held back by it, not those of a broker that stands still alone.
void DeliveryThread::look_for_stalls() {
  const SteadyTime now = SteadyClock::now();
  const bool over = answered_ && now - still_since_ >= kStillness;
  if (now < next_look_ && !over) return;
  next_look_ = now + kTick;
  forget_lanes();
  if (answered_ && now - still_since_ >= kPatience) all_back_ = now;
  if (std::exchange(answered_, false)) still_since_ = now;
  const bool probe = now >= next_stall_probe_;
  if (probe) next_stall_probe_ = now + kStallProbe;
  StallLook look{.now = now, .not_before = all_back_, .patience = kPatience, .again = {}};
  if (now - still_since_ >= kStillness) look.patience = kStillness;
  if (over) look.again = kPatience;
  if (probe) look.again = SteadyClock::duration::max();
  for_each_lane([&](LaneCore& lane) { lane.look_for_stalls(look); });
}

// The library says when the last broker went, not when one came back, and without traffic nothing else shows it.
void DeliveryThread::look_after_connection() {
  const SteadyTime now = SteadyClock::now();
  if (now < next_probe_ || client_.failed.load()) return;
  next_probe_ = now + kProbeInterval;
  // Asks for a topic that is known: asking for none could have the library create topics (rd_kafka_metadata, 2.0.2).
  rd_kafka_topic_t* known = nullptr;
  for_each_lane([&](const LaneCore& lane) { known = lane.data_topic().handle.get(); });
  if (known == nullptr) return;
  const rd_kafka_metadata_t* found = nullptr;
  const rd_kafka_resp_err_t code =
      rd_kafka_metadata(client_.handle, 0, known, &found, static_cast<int>(kProbeTimeout.count()));
  const MetadataHandle metadata{found};
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) client_.connected.store(true);
}

}  // namespace tickbridge::sink
