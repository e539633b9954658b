#include "sink/side_client.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <array>
#include <utility>

#include "sink/connection.h"
#include "sink/library_log.h"
#include "sink/sockets.h"

namespace tickbridge::sink {

namespace {

/// The threads that this one starts in the meantime may sleep 2 ms too long (prctl(2), PR_SET_TIMERSLACK). The
/// library's main thread waits for its timer of one second in whole milliseconds and spins through the rest of the last
/// one: late, it finds it due.
class PatientThreads {
 public:
  PatientThreads() noexcept : usual_{prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0)} { set(2'000'000); }
  ~PatientThreads() { set(usual_ < 0 ? 0 : usual_); }  // 0: the default
  PatientThreads(const PatientThreads&) = delete;
  PatientThreads& operator=(const PatientThreads&) = delete;

 private:
  static void set(int ns) noexcept { (void)prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(ns), 0, 0, 0); }

  const int usual_;
};

}  // namespace

Result<std::unique_ptr<SideClient>> SideClient::create(Setup setup) {
  Result<ConfHandle> conf = make_conf(setup.properties);
  if (!conf) return conf.error();
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_ERROR | (setup.on_reports ? RD_KAFKA_EVENT_DR : 0));
  rd_kafka_conf_set_opaque(conf->get(), setup.log_opaque);
  log_to_ours(conf->get());
  if (setup.type == RD_KAFKA_PRODUCER) reset_at_death(conf->get());
  if (setup.log != nullptr) rd_kafka_conf_set_log_cb(conf->get(), setup.log);
  std::array<char, 512> text{};
  const PatientThreads patient;
  ClientHandle handle{rd_kafka_new(setup.type, conf->get(), text.data(), text.size())};
  if (!handle) {
    return refused_properties(text.data());
  }
  (void)conf->release();  // rd_kafka_new took it
  return std::unique_ptr<SideClient>{new SideClient{std::move(handle), std::move(setup)}};
}

Result<std::unique_ptr<SideClient>> SideClient::like_producer(const ProducerOptions& options, Delivery delivery,
                                                              Send send) {
  auto made = create({.type = RD_KAFKA_PRODUCER, .properties = properties_for(options, delivery, send)});
  if (!made) return made;
  (*made)->client_.delivery = delivery;
  (*made)->client_.send = send;
  return made;
}

SideClient::SideClient(ClientHandle handle, Setup setup)
    : setup_{std::move(setup)}, handle_{std::move(handle)}, queue_{rd_kafka_queue_get_main(handle_.get())} {
  client_.handle = handle_.get();
  client_.queue = queue_.get();
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

SideClient::~SideClient() {
  thread_.request_stop();
  rd_kafka_queue_yield(queue_.get());
}

void SideClient::run(const std::stop_token& stop) {
  constexpr int kTickMs = 10'000;  // the end wakes it
  while (!stop.stop_requested()) {
    const EventHandle event{rd_kafka_queue_poll(queue_.get(), kTickMs)};
    if (!event) continue;
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DR) {
      setup_.on_reports(event.get());
    } else if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_ERROR) {
      const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get());
      if (rd_kafka_event_error_is_fatal(event.get()) != 0) client_.failed.store(true);
      client_.note_error(code, rd_kafka_event_error_string(event.get()));
    }
  }
}

}  // namespace tickbridge::sink
