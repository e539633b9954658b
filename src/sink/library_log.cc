#include "sink/library_log.h"

#include <sys/syslog.h>

#include <string_view>

#include "base/log.h"
#include "sink/connection.h"

namespace tickbridge::sink {

namespace {

/// By syslog's level, which the library uses.
Event event_of(int syslog) {
  if (syslog <= LOG_ERR) return Event::kKafkaLibraryError;
  if (syslog <= LOG_NOTICE) return Event::kKafkaLibraryWarning;
  return syslog == LOG_INFO ? Event::kKafkaLibraryInfo : Event::kKafkaLibraryDebug;
}

}  // namespace

void forward_log(const rd_kafka_t* /*client*/, int syslog, const char* facility, const char* text) {
  // "enable.gapless.guarantee is experimental": ours by default, and meant.
  const std::string_view line{text};
  if (std::string_view{facility} == "CONFWARN" && line.find("experimental") != line.npos) syslog = LOG_DEBUG;
  // A broker that cannot be told not to create topics: the embedded one, which says what it is for already.
  if (std::string_view{facility} == "AUTOCREATE") syslog = LOG_DEBUG;
  if (is_mere_disconnect(line)) syslog = LOG_DEBUG;
  log_event(event_of(syslog), Source{.feed = {}, .facility = facility}, "librdkafka {}: {}", facility, text);
}

void log_to_ours(rd_kafka_conf_t* conf) { rd_kafka_conf_set_log_cb(conf, forward_log); }

}  // namespace tickbridge::sink
